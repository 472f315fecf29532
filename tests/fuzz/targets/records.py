"""What an auditor is given: containers of evidence, checkpoints; and certificates, which come with every message."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from adapter.crypto.certificates import Purpose, check_chain, parse_certificate, ski
from adapter.crypto.note import NoteSigner, NoteVerifier, open_note
from adapter.errors import EvidenceInvalid, KeyUnusable, RecordBroken, SecurityFailed
from adapter.evidence.asic import open_asic
from adapter.evidence.container import read_container, render_container
from adapter.evidence.verify import verify_evidence
from tests.fuzz.choices import Choices
from tests.fuzz.model import Target
from tests.fuzz.mutations import octet_mutation, xml_mutation
from tests.fuzz.targets.messages import federations
from tests.pki import NOW, SUITE_NAMES
from tests.two_sides import fault_code, two_sides
from tests.unit.evidence.exchanges import Exported, exported_by, repacked

# --- evidence --------------------------------------------------------------------------------------------------------

_in_octets = octet_mutation(b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff")
_in_xml = xml_mutation()
_in_json = octet_mutation(b"{", b"[", b'"', b",", b"null", b"1", b'"v":1', b"\\u0000", b"\\ud800", b"1E400", b"-0")


@cache
def evidence(suite: str) -> Exported:
    """What a provider keeps of an answered exchange."""
    sides = two_sides(federations()[suite])
    if fault_code(asyncio.run(sides.call())) != "answered":
        raise AssertionError("the exchange was not answered")
    return exported_by(sides, sides.federation.population, sides.provider_record)


@cache
def container(suite: str) -> bytes:
    """The good one."""
    return evidence(suite).container()


def run_evidence(octets: bytes) -> None:
    """octets: decisions. They change the container's octets; or files in it, signed anew or not; or what an entry
    says before the record's key signs it. Whatever is changed is refused, or the same statements are proved.
    """
    choices = Choices(octets)
    suite, level = choices.one(SUITE_NAMES), choices.number(3)
    anchor = federations()[suite].anchor
    good = container(suite)
    changed = good
    if level == 2:
        decisions = choices.octets(10)
        changed = evidence(suite).container(change_entry=lambda text: _changed_text(text, decisions))
    elif level == 1:
        changed = _with_other_files(suite, choices)
    while choices.are_left:
        changed = _in_octets(choices, changed)
    judgement = verify_evidence(changed, anchor)
    if level != 2 and judgement != verify_evidence(good, anchor):
        raise AssertionError("a changed container proves something else")


def _changed_text(text: str, decisions: bytes) -> str:
    if '"message"' not in text and '"message_id"' not in text:
        return text
    return _in_json(Choices(decisions), text.encode()).decode("utf-8", "replace")


def _with_other_files(suite: str, choices: Choices) -> bytes:
    good = container(suite)
    fits = choices.number(4) > 0
    files = dict(open_asic(good).files) if fits else read_container(good)
    changes: dict[str, bytes | None] = {}
    for _ in range(1 + choices.number(2)):
        path = choices.one(sorted(files))
        change = _in_xml if path.endswith(".xml") else _in_json if path.endswith(".json") else _in_octets
        changes[path] = None if choices.number(12) == 11 else change(choices, files[path])
    if fits:
        return repacked(good, changes, evidence(suite).member)
    kept = {path: octets for path, octets in {**files, **changes}.items() if octets is not None}
    return render_container(kept) if "mimetype" in kept else good


def _evidence_programs() -> list[bytes]:
    for suite in SUITE_NAMES:
        container(suite)  # made before the clock of the first input runs
    ways = [bytes((suite, level)) for suite in range(3) for level in range(3)]
    return [bytes((0, 0)), *(way + bytes(range(at, at + 9)) for at, way in enumerate(ways))] + [
        bytes((0, 1, 1, 0, file)) + bytes(range(file, file + 7)) for file in range(14)
    ]


EVIDENCE = Target(
    name="evidence",
    what="verifier of evidence: containers of real exchanges with changed octets, files, entries",
    run=run_evidence,
    may_raise=(EvidenceInvalid,),
    seeds=_evidence_programs,
    mutate=octet_mutation(),
    max_bytes=96,
)


# --- checkpoints and notes -------------------------------------------------------------------------------------------

_ORIGIN = "UZ/GOV/200000001"


@cache
def _record_signer() -> NoteSigner:
    return NoteSigner(_ORIGIN, Ed25519PrivateKey.generate())


def run_checkpoint(octets: bytes) -> None:
    """As a note of somebody else; as a text that the record's key signed; as a verifier key; as an anchor."""
    signer = _record_signer()
    verifier = NoteVerifier.parse(signer.vkey)
    try:
        open_note(octets, (verifier,))
    except SecurityFailed:
        pass
    else:
        raise AssertionError("a note was taken that nobody signed")
    with suppress(KeyUnusable):
        NoteVerifier.parse(octets.decode("utf-8", "surrogateescape"))
    try:
        note = signer.sign(octets.decode("utf-8", "replace"))
    except SecurityFailed as unsigned:
        raise RecordBroken(unsigned.reason) from None
    checkpoint = open_checkpoint(note, (verifier,), origin=_ORIGIN)
    if sign_checkpoint(checkpoint, signer) != note or Checkpoint.parse(checkpoint.text) != checkpoint:
        raise AssertionError("a checkpoint that is signed again is another note")


def _checkpoints() -> list[bytes]:
    root = hashlib.sha256(b"").digest()
    texts = [Checkpoint(origin=_ORIGIN, size=size, root=root).text for size in (0, 7, 2**40)]
    return [*(text.encode() for text in texts), _record_signer().vkey.encode(), sign_note()]


def sign_note() -> bytes:
    """A note of another log."""
    other = NoteSigner("other", Ed25519PrivateKey.generate())
    return sign_checkpoint(Checkpoint(origin="other", size=1, root=bytes(32)), other).encode()


CHECKPOINT = Target(
    name="checkpoint",
    what="checkpoints, signed notes, verifier keys",
    run=run_checkpoint,
    may_raise=(RecordBroken,),
    seeds=_checkpoints,
    mutate=octet_mutation("\n\n— ".encode(), "— ".encode(), b"+", b"=\n", b"18446744073709551616\n", b"007\n"),
    max_bytes=1024,
)


# --- certificates ----------------------------------------------------------------------------------------------------


def run_certificate(octets: bytes) -> None:
    """The token of a message, and the chain that it would need. One that is read is written the same."""
    certificate, _ = parse_certificate(octets)
    if certificate.public_bytes(Encoding.DER) != octets:
        raise AssertionError("a certificate was taken that is written another way")
    federation = federations()["p256"]
    cas = (federation.root_ca.certificate, federation.issuing_ca.certificate, certificate)
    refused = None
    for purpose in Purpose:
        try:
            check_chain(certificate, cas, NOW, purpose)
            ski(certificate)
        except SecurityFailed as error:
            refused = error
        else:
            return
    if refused is not None:
        raise refused


def _certificates() -> list[bytes]:
    made = [
        certificate
        for federation in federations().values()
        for certificate in (
            federation.social.signing_certificate,
            federation.social.agreement_certificate,
            federation.social.tls_certificate,
            federation.issuing_ca.certificate,
        )
    ]
    return [certificate.public_bytes(Encoding.DER) for certificate in made]


CERTIFICATE = Target(
    name="certificate",
    what="the certificate in a message and its chain",
    run=run_certificate,
    may_raise=(SecurityFailed,),
    seeds=_certificates,
    mutate=octet_mutation(
        b"\x30\x80", b"\x06\x03\x55\x1d\x0f", b"\x01\x01\xff", b"\x04\x00", b"\x30\x84\xff\xff\xff\xff"
    ),
    max_bytes=4096,
)

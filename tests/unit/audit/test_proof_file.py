"""A proof in a file: judged with the verifier key alone, and with every octet in its place."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.merkle import leaf_hash, node_hash
from adapter.audit.proof_file import ProofFile
from adapter.crypto.note import NoteVerifier
from adapter.errors import AdapterError, RecordBroken
from adapter.identifiers import MemberId
from tests.pki import Federation

ENTRY = '{"at":"2026-03-02T09:00:00.000Z","kind":"request-received","official":"A-1234"}'
OTHER = leaf_hash(b"another entry")


@pytest.fixture(scope="module")
def keys(federation: Federation) -> tuple[NoteVerifier, ...]:
    return (NoteVerifier.parse(federation.population.record_signer.vkey),)


@pytest.fixture(scope="module")
def proof(federation: Federation) -> ProofFile:
    """The second of two entries."""
    root = node_hash(OTHER, leaf_hash(ENTRY.encode()))
    checkpoint = Checkpoint(origin=str(federation.population.id), size=2, root=root)
    note = sign_checkpoint(checkpoint, federation.population.record_signer)
    return ProofFile(document=ENTRY, number=1, path=(OTHER,), note=note)


def judged(octets: bytes, keys: tuple[NoteVerifier, ...], member: MemberId) -> ProofFile:
    read = ProofFile.parse(octets)
    read.verify(keys, origin=str(member))
    return read


def test_the_form_is_the_one_of_c2sp(proof: ProofFile) -> None:
    head, note = proof.text.split("\n\n", 1)
    assert head.split("\n") == [
        "c2sp.org/tlog-proof@v1",
        f"extra {base64.b64encode(ENTRY.encode()).decode()}",
        "index 1",
        base64.b64encode(OTHER).decode(),
    ]
    assert note == proof.note


def test_it_is_proved_by_the_key_alone(
    proof: ProofFile, keys: tuple[NoteVerifier, ...], federation: Federation
) -> None:
    read = judged(proof.text.encode(), keys, federation.population.id)
    assert read == proof
    assert read.claimed_member == federation.population.id


def test_no_octet_can_be_another(proof: ProofFile, keys: tuple[NoteVerifier, ...], federation: Federation) -> None:
    octets = proof.text.encode()
    for at in range(len(octets)):
        changed = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
        with pytest.raises(AdapterError):
            judged(changed, keys, federation.population.id)


@pytest.mark.parametrize("cut", [0, 1, 22, 40, 120])
def test_what_is_cut_off_or_goes_on_proves_nothing(proof: ProofFile, cut: int) -> None:
    octets = proof.text.encode()
    for changed in (octets[:cut], octets + b"\n", b"\n" + octets, octets.replace(b"\n", b"\r\n")):
        with pytest.raises(AdapterError):
            ProofFile.parse(changed).verify((), origin="")


def test_it_proves_nothing_of_another_record_entry_place_or_key(
    proof: ProofFile, keys: tuple[NoteVerifier, ...], federation: Federation
) -> None:
    origin = str(federation.population.id)
    social = (NoteVerifier.parse(federation.social.record_signer.vkey),)
    for wrong in (
        replace(proof, document=ENTRY.replace("A-1234", "A-1235")),
        replace(proof, number=0),
        replace(proof, path=()),
    ):
        with pytest.raises(RecordBroken):
            wrong.verify(keys, origin=origin)
    with pytest.raises(RecordBroken, match="signature is not good"):
        proof.verify(social, origin=origin)
    with pytest.raises(RecordBroken, match="of another record"):
        proof.verify(keys, origin=str(federation.social.id))


def test_the_only_entry_of_a_record_has_no_path(keys: tuple[NoteVerifier, ...], federation: Federation) -> None:
    origin = str(federation.population.id)
    alone = Checkpoint(origin=origin, size=1, root=leaf_hash(ENTRY.encode()))
    note = sign_checkpoint(alone, federation.population.record_signer)
    file = ProofFile(document=ENTRY, number=0, path=(), note=note)
    assert judged(file.text.encode(), keys, federation.population.id) == file

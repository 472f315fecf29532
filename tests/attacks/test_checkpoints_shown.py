"""The checkpoint in a message: signed with it, of its sender's own record, in one place and one form."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.peer_checkpoints import shown_checkpoint
from adapter.crypto.note import NoteSigner
from adapter.crypto.recognition import recognise
from adapter.envelope.headers import MAX_CHECKPOINT_CHARS
from adapter.errors import EnvelopeRefused, LimitExceeded, SecurityFailed
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import gate_octets, open_octets, received, request_header, seal_request
from tests.pki import Federation

_START, _END = b"<ia:Checkpoint>", b"</ia:Checkpoint>"
_EXCHANGE_END = b"</ia:Exchange>"


def note_of(signer: NoteSigner, origin: str, size: int = 17) -> bytes:
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=b"r" * 32), signer).encode()


@pytest.fixture
def note(federation: Federation) -> bytes:
    return note_of(federation.social.record_signer, str(federation.social.id))


def sealed_with(federation: Federation, checkpoint: bytes | None) -> bytes:
    header = replace(request_header(federation.social, federation.population), checkpoint=checkpoint)
    return seal_request(federation.social, federation.population, header=header).octets


def element(octets: bytes) -> bytes:
    return octets[octets.index(_START) : octets.index(_EXCHANGE_END)]


@pytest.mark.parametrize("octets", [None, b"\x00", bytes(MAX_CHECKPOINT_CHARS // 4 * 3)])
def test_what_is_sent_along_is_read_from_what_was_signed(federation: Federation, octets: bytes | None) -> None:
    sealed = sealed_with(federation, octets)
    assert gate_octets(sealed).is_canonical
    assert open_octets(sealed, federation.population).header.checkpoint == octets


FORGED: dict[str, Callable[[bytes, bytes], bytes]] = {
    "changed": lambda octets, note: octets.replace(element(octets), _START + b64encode(note[::-1]) + _END),
    "taken away": lambda octets, _: octets.replace(element(octets), b""),
}


@pytest.mark.parametrize("name", FORGED)
def test_it_is_covered_by_the_signature(federation: Federation, note: bytes, name: str) -> None:
    octets = sealed_with(federation, note)
    forged = FORGED[name](octets, note)
    assert forged != octets
    with pytest.raises(SecurityFailed, match="digest of a part"):
        open_octets(forged, federation.population)


def test_one_put_into_a_message_without_one_is_noticed(federation: Federation, note: bytes) -> None:
    octets = sealed_with(federation, None)
    forged = octets.replace(_EXCHANGE_END, _START + b64encode(note) + _END + _EXCHANGE_END)
    with pytest.raises(SecurityFailed, match="digest of a part"):
        open_octets(forged, federation.population)


OTHERWISE: dict[str, Callable[[bytes], bytes]] = {
    "twice": lambda octets: octets.replace(_EXCHANGE_END, element(octets) + _EXCHANGE_END),
    "empty": lambda octets: octets.replace(element(octets), _START + _END),
    "not base64": lambda octets: octets.replace(element(octets), _START + b"A===" + _END),
    "with a child": lambda octets: octets.replace(element(octets), _START + b"<ia:A></ia:A>" + _END),
    "with an attribute": lambda octets: octets.replace(_START, b'<ia:Checkpoint a="b">'),
    "too long": lambda octets: octets.replace(element(octets), _START + b"A" * (MAX_CHECKPOINT_CHARS + 4) + _END),
    "before the official": lambda octets: octets.replace(element(octets), b"").replace(
        b"<ia:Official>", element(octets) + b"<ia:Official>"
    ),
    "beside the signed headers": lambda octets: octets.replace(
        b"<wsse:Security ",
        b'<ia:Checkpoint xmlns:ia="urn:interagency-adapter:envelope:1">AAAA' + _END + b"<wsse:Security ",
        1,
    ),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_another_place_or_form_is_refused_before_any_cryptography(
    federation: Federation, note: bytes, name: str
) -> None:
    octets = sealed_with(federation, note)
    forged = OTHERWISE[name](octets)
    assert forged != octets
    assert recognise(received(forged), MessageKind.REQUEST, DEFAULT_LIMITS) is None
    with pytest.raises((EnvelopeRefused, LimitExceeded)):
        gate_octets(forged)


def test_a_note_of_the_senders_record_is_a_value(federation: Federation, note: bytes) -> None:
    shown = shown_checkpoint(note, federation.social.id)
    assert (shown.member, shown.size, shown.root, shown.note) == (federation.social.id, 17, b"r" * 32, note.decode())


WRONG: dict[str, Callable[[Federation, bytes], bytes]] = {
    "no note": lambda _, __: b"17 entries",
    "not UTF-8": lambda _, note: b"\xff" + note,
    "of another record": lambda f, _: note_of(f.population.record_signer, str(f.population.id)),
    "in another name": lambda f, _: note_of(f.population.record_signer, str(f.social.id)),
    "signed twice": lambda _, note: note + note.split(b"\n\n")[1],
    "without its size": lambda f, _: f.social.record_signer.sign(f"{f.social.id}\n").encode(),
    "a short signature": lambda f, note: note.split(b"\n\n")[0] + f"\n\n— {f.social.id} {'A' * 20}\n".encode(),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_checkpoint_of_the_sender_is_refused(federation: Federation, note: bytes, name: str) -> None:
    with pytest.raises(EnvelopeRefused):
        shown_checkpoint(WRONG[name](federation, note), federation.social.id)

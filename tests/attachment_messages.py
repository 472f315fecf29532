"""Sealed messages with attachments, and the parts that go beside them, for tests that change one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lxml import etree

from adapter.attachments import Attachment, HeldAttachment, HeldAttachments, ReceivedPart
from adapter.crypto.seal import seal
from adapter.exchange.parts import AttachmentBounds
from adapter.exchange.provide import provide
from adapter.exchange.provider import PeerAnswer
from adapter.stages import Peer, ReceivedMessage, SealedMessage
from adapter.store.spool import Spool, SpoolHolding
from tests.get_person import GOOD_PERSONAL_DATA, get_person
from tests.two_sides import TwoSides, request_header, signing_key_of

KEY = bytes(range(16))
FILES = {"one@x": b"the first attachment", "two@x": b"the second attachment, as long as a page " * 100}
BOUNDS = AttachmentBounds(max_count=4, max_bytes=1 << 20)


async def held(holding: SpoolHolding, files: Mapping[str, bytes], key: bytes = KEY) -> HeldAttachments:
    """The files as they wait when a client system has sent them."""
    found = []
    for content_id, octets in files.items():
        sink = holding.sealing(key)
        await sink.write(octets)
        sealed, measured = await sink.finish()
        said = Attachment(
            content_id=content_id, media_type="text/plain", size=measured.size, sha256=measured.sha256, name="a.txt"
        )
        found.append(HeldAttachment(said=said, sealed=sealed))
    return HeldAttachments(content_key=key, held=tuple(found))


def sealed_with(sides: TwoSides, attachments: HeldAttachments) -> SealedMessage:
    """A good request with these attachments."""
    population = sides.federation.population
    now = sides.clock()
    return seal(
        header=request_header(sides, now=now),
        personal_data=GOOD_PERSONAL_DATA,
        payload=etree.fromstring(get_person().encode()),
        confirmation=None,
        signing_key=signing_key_of(sides.federation.social),
        recipient=population.agreement_certificate,
        recipient_suite=population.suite,
        now=now,
        attachments=attachments,
    )


async def kept(holding: SpoolHolding, content_id: str, ciphertext: bytes) -> ReceivedPart:
    """A part as it waits when a peer has sent it."""
    sink = holding.keeping()
    await sink.write(ciphertext)
    return ReceivedPart(content_id=content_id, sealed=await sink.finish())


async def ciphertexts(attachments: HeldAttachments) -> dict[str, bytes]:
    """What goes over the wire, by Content-ID."""
    return {
        one.said.content_id: b"".join([piece async for piece in one.sealed.ciphertext()]) for one in attachments.held
    }


async def post(sides: TwoSides, octets: bytes, parts: list[tuple[str, bytes]], holding: SpoolHolding) -> PeerAnswer:
    """What the provider answers to an envelope with these parts."""
    peer = Peer(certificate_sha256=sides.federation.social.tls_sha256, address="192.0.2.3")
    received = ReceivedMessage(
        octets=octets,
        received_at=sides.clock(),
        peer=peer,
        parts=tuple([await kept(holding, *part) for part in parts]),
        holding=holding,
    )
    return await provide(received, sides.provider)


def takes_attachments(sides: TwoSides, bounds: AttachmentBounds = BOUNDS) -> None:
    """Let the provider's service take some."""
    services = {name: replace(service, attachments=bounds) for name, service in sides.provider.services.items()}
    sides.provider = replace(sides.provider, services=services)


__all__ = ["BOUNDS", "FILES", "KEY", "Spool", "ciphertexts", "held", "kept", "post", "sealed_with", "takes_attachments"]

"""What a hostile client system or peer puts around a message: headers, credentials, addresses; and what it costs us."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapter.dialects.model import ClientAnswer
from adapter.identifiers import ServiceId
from adapter.policy.clients import IdentifyBy
from adapter.stages import ReceivedCall, SoapVersion
from adapter.transport import queue_outside
from adapter.transport.client_listener import ClientListener
from tests.adapters.test_listeners import (
    BOUNDS,
    INTAKE,
    Answer,
    EchoedPages,
    ask,
    client_listener,
    client_path,
    listening,
    peer_listener,
    post,
)
from tests.get_person import good_call
from tests.two_sides import TwoSides, fault_code, sealed_request


async def ask_with(sides: TwoSides, header: bytes) -> Answer:
    """A good call with one more header, its octets as they are."""
    octets = post(client_path(sides), good_call().encode(), "text/xml", "X-Here: x").replace(b"X-Here: x", header)
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        return await ask(port, octets)


# --- headers of HTTP -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"Authorization: Basic \xff\xfe",
        b"Authorization: Basic \xd0\x96",
        b"Authorization: Basic ====",
        b"Authorization: Basic " + b"QQ" * 3000,
        b"Authorization: Bearer \xff",
        b"Authorization: Bearer \xd0\x96",
        b"Authorization: Bearer " + b"x" * 9000,
    ],
)
async def test_credentials_that_are_none_are_a_recorded_refusal(sides: TwoSides, header: bytes) -> None:
    answer = await ask_with(sides, header)
    assert answer.code == "ClientNotIdentified"
    assert sides.consumer_record.outcomes == ["ClientNotIdentified"]
    assert not sides.register.asked


async def test_octets_in_a_bearer_token_are_compared(sides: TwoSides) -> None:
    """A token by which somebody is looked for is any octets."""
    by_token = replace(sides.consumer.clients[0], identify_by=IdentifyBy.TOKEN, secret_sha256=b"s" * 32)
    sides.consumer = replace(sides.consumer, clients=(by_token,))
    assert (await ask_with(sides, b"Authorization: Bearer \xff\xfe")).code == "ClientNotIdentified"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml; charset=utf-7",
        "text/xml; charset=utf-32",
        "text/xml; charset=idna",
        "text/xml; charset=zlib_codec",
        "text/xml; charset=unicode_escape",
        "application/soap+xml",
        "\udcff\udcfe",
        "text/xml; charset=\udcff",
        "multipart/related; boundary=" + "x" * 5000,
    ],
)
async def test_no_content_type_gets_past_or_breaks_anything(sides: TwoSides, content_type: str) -> None:
    octets = post(client_path(sides), good_call().encode(), "@").replace(
        b"Type: @", b"Type: " + content_type.encode(errors="surrogateescape")
    )
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        answer = await ask(port, octets)
    assert answer.code in ("", "MalformedMessage", "NotSoap", "AttachmentsInvalid")
    assert len(sides.consumer_record.log) >= 1
    async with listening(peer_listener(sides)) as port:
        answer = await ask(port, octets.replace(client_path(sides).encode(), b"/peer"))
    assert answer.code in ("MalformedMessage", "EnvelopeRefused")


@pytest.mark.parametrize("host", [b"\xff", b"\xd0\x96", b"<x>", b'a"b', b"a b", b"x" * 9000, b""])
@pytest.mark.parametrize(
    "path", [b"/adapter?wsdl", b"/service/A/B/1/c/D/v1?wsdl", b"/service/A/B/1/c/D/v1?xsd=../../x"]
)
async def test_host_header_breaks_nothing(sides: TwoSides, host: bytes, path: bytes) -> None:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        answer = await ask(port, b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert answer.status in (200, 400)
    assert b"\xff" not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "/service/..%2f..%2fetc/passwd",
        "/service/UZ/GOV/1/a/../v1",
        "//service/UZ/GOV/1/a/b/v1",
        "/service/%00/GOV/1/a/b/v1",
        "/service/%D0%96/GOV/1/a/b/v1",
        "/service/%ff/GOV/1/a/b/v1",
        "/service/UZ//GOV/1/a/b/v1",
        "/service/",
        "/",
    ],
)
async def test_paths_lead_nowhere_else(sides: TwoSides, path: str) -> None:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        called = await ask(port, post(path, good_call().encode(), "text/xml"))
        read = await ask(port, f"GET {path}?wsdl HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert called.code == "UnknownService"
    assert read.status == 404
    assert not sides.register.asked


# --- what goes wrong in the own services -----------------------------------------------------------------------------


async def test_unexpected_error_of_an_own_service_is_a_recorded_refusal(sides: TwoSides) -> None:
    async def broken(_call: ReceivedCall) -> ClientAnswer:
        raise RuntimeError("with a secret")

    async def documents(_service: ServiceId, _url: str, _name: str, *, for_peers: bool) -> bytes:
        return b""

    listener = ClientListener(
        sides.consumer,
        BOUNDS,
        documents=documents,
        own_services=broken,
        own_contract=str.encode,
        json_pages=EchoedPages(),
        intake=INTAKE,
    )
    async with listening(listener, SoapVersion.SOAP11) as port:
        answer = await ask(port, post("/adapter", good_call().encode(), "text/xml"))
    assert answer.code == "InternalError"
    assert sides.consumer_record.outcomes == ["InternalError"]


# --- the disk --------------------------------------------------------------------------------------------------------


async def test_message_signed_with_a_key_of_ones_own_making_is_not_stored(sides: TwoSides) -> None:
    """Anybody can sign with some key: the entry has the digest, the archive is not theirs to fill."""
    social, cadastre = sides.federation.social, sides.federation.cadastre
    impostor = replace(social, signing_key=cadastre.signing_key, signing_certificate=cadastre.signing_certificate)
    answer = await sides.wire.post(sealed_request(sides, sender=impostor).octets)
    assert fault_code(answer) == "SecurityFailed"
    (refusal,) = sides.provider_record.log
    assert refusal.kept == ()
    assert "octets_sha256" in refusal.entry.body


async def test_refused_message_of_a_member_is_stored(sides: TwoSides) -> None:
    sides.rules = ()
    await sides.wire.post(sealed_request(sides).octets)
    (refusal,) = sides.provider_record.log
    assert [kept.direction for kept in refusal.kept] == ["request", "reply"]


# --- bounds of the settings ------------------------------------------------------------------------------------------


async def test_bounds_of_the_settings_hold_for_what_was_encrypted_too(sides: TwoSides) -> None:
    limits = replace(sides.provider.opener.limits, max_nodes=150)
    sides.provider = replace(sides.provider, opener=replace(sides.provider.opener, limits=limits))
    sides.wire.provider = sides.provider
    assert fault_code(await sides.wire.post(sealed_request(sides).octets)) != "SecurityFailed"
    many = '<p:GetPerson xmlns:p="urn:test:person">' + "<p:Pinfl/>" * 150 + "</p:GetPerson>"
    assert fault_code(await sides.wire.post(sealed_request(sides, payload=many).octets)) == "SecurityFailed"
    assert "elements" in str(sides.provider_record.log[-1].entry.body["reason"])


async def test_refusals_leave_nothing_behind(sides: TwoSides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_outside, "FRUITLESS_PER_S", 1000)  # else most of them would still be outside
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        before = len(asyncio.all_tasks())
        for _ in range(200):
            await ask(port, post(client_path(sides), b"<garbage", "text/xml"))
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) <= before + 2
    assert len(sides.consumer_record.log) == 200

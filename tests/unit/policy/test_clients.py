from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.errors import ClientNotAllowed, ClientNotIdentified
from adapter.identifiers import ServiceId, SubsystemId
from adapter.policy.clients import Client, IdentifyBy, identified_as, identify
from adapter.stages import Peer, ReceivedCall

SUBSYSTEM = SubsystemId.parse("UZ/GOV/200000003/social")
SERVICE = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")
ANY = ("*",)


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def client(name: str, by: IdentifyBy, **more: object) -> Client:
    return Client(name=name, subsystem=SUBSYSTEM, identify_by=by, **{"services": ANY, **more})  # type: ignore[arg-type]


TOKEN = client("by-token", IdentifyBy.TOKEN, secret_sha256=digest("s3cret-token"))
BASIC = client("by-basic", IdentifyBy.BASIC, user="benefits", secret_sha256=digest("pass:word"))
CERTIFICATE = client("by-certificate", IdentifyBy.CERTIFICATE, certificate_sha256=b"c" * 32)
ADDRESS = client("by-address", IdentifyBy.ADDRESS, addresses=("127.0.0.1", "10.1.0.0/16"))
ALL = (TOKEN, BASIC, CERTIFICATE, ADDRESS)


def call(*, address: str = "192.0.2.7", certificate: bytes | None = None, **credentials: Any) -> ReceivedCall:
    return ReceivedCall(
        octets=b"",
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
        peer=Peer(certificate_sha256=certificate, address=address),
        content_type="text/xml",
        soap_action="",
        service=SERVICE,
        **credentials,
    )


@pytest.mark.parametrize(
    ("received", "name"),
    [
        (call(bearer_token="s3cret-token"), "by-token"),
        (call(basic_user="benefits", basic_password="pass:word"), "by-basic"),
        (call(certificate=b"c" * 32), "by-certificate"),
        (call(address="127.0.0.1"), "by-address"),
        (call(address="10.1.255.3"), "by-address"),
    ],
)
def test_each_way_names_its_client(received: ReceivedCall, name: str) -> None:
    assert identify(received, ALL).client == name
    assert identified_as(received, ALL) == name


@pytest.mark.parametrize(
    "received",
    [
        call(),
        call(bearer_token="s3cret-tokeN"),
        call(bearer_token=""),
        call(basic_user="benefits", basic_password=""),
        call(basic_user="benefits"),
        call(basic_user="other", basic_password="pass:word"),
        call(certificate=b"d" * 32),
        call(address="10.2.0.1"),
        call(address=""),
        # A wrong credential is not saved by a good address.
        call(address="127.0.0.1", bearer_token="wrong"),
        call(address="127.0.0.1", basic_user="benefits", basic_password="wrong"),
    ],
)
def test_nobody_else_is_a_client(received: ReceivedCall) -> None:
    with pytest.raises(ClientNotIdentified):
        identify(received, ALL)
    assert identified_as(received, ALL) is None


def test_without_clients_nobody_is_one() -> None:
    with pytest.raises(ClientNotIdentified):
        identify(call(address="127.0.0.1"), ())


def test_two_matching_clients_are_no_client() -> None:
    twin = client("twin", IdentifyBy.ADDRESS, addresses=("127.0.0.0/8",))
    with pytest.raises(ClientNotIdentified):
        identify(call(address="127.0.0.1"), (ADDRESS, twin))


ALLOWING = [("*",), ("UZ/GOV/200000001/*",), ("UZ/GOV/200000001/population/GetPerson/v1",)]
NOT_ALLOWING = [("UZ/GOV/200000001/population/GetPerson/v2",), ("UZ/GOV/200000002/*",), ()]


def with_services(services: tuple[str, ...]) -> tuple[Client, ...]:
    return (client("one", IdentifyBy.ADDRESS, addresses=("127.0.0.1",), services=services),)


@pytest.mark.parametrize("services", ALLOWING)
def test_a_client_uses_the_services_of_its_list(services: tuple[str, ...]) -> None:
    assert identify(call(address="127.0.0.1"), with_services(services)).client == "one"


@pytest.mark.parametrize("services", NOT_ALLOWING)
def test_a_client_uses_no_other_service(services: tuple[str, ...]) -> None:
    with pytest.raises(ClientNotAllowed):
        identify(call(address="127.0.0.1"), with_services(services))


def test_a_secret_is_not_shown() -> None:
    assert "secret_sha256" not in repr(TOKEN)

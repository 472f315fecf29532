"""The adapter's own services: what the contract says is what is answered."""

import base64
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from lxml import etree

from adapter.backends.own_services import (
    MemberView,
    ServiceView,
    StatusView,
    answer_own,
    own_contract,
    own_description,
)
from adapter.contracts import read_contract
from adapter.envelope.names import ADAPTER_SERVICES, SOAP12
from adapter.envelope.schema import check_payload
from adapter.errors import (
    DirectoryUnavailable,
    InternalError,
    LimitExceeded,
    MalformedMessage,
    NotSoap,
    SchemaInvalid,
    UnknownOperation,
    UnknownService,
)
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from tests.conftest import ROOT
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, PREFIXES, output_of, read, schema, wsdl, xpath

CLIENT = SubsystemId.parse("UZ/GOV/200000003/social")
SERVICE = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")
NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


class View:
    """What an adapter might tell; `fails` makes every answer raise."""

    fails: Exception | None = None

    def members(self):
        self._fail()
        names = {"en": "Register", "uz-Cyrl": "Реестр"}
        return [MemberView(id=SERVICE.subsystem.member, names=names, subsystems=["population", "archive"])]

    def services(self):
        self._fail()
        return [ServiceView(id=SERVICE, title="A person & more", personal_data=True, regulations=["R-1"])]

    def allowed_services(self, client):
        assert client == CLIENT
        return []

    def description(self, service):
        if service != SERVICE:
            raise UnknownService(f"{service} is not in the directory")
        return read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER))})

    def status(self):
        return StatusView(member=MemberId.parse("UZ/GOV/200000003"), software_version="1.2", time=NOW, ready=False)

    def _fail(self):
        if self.fails:
            raise self.fails


def envelope(content: str) -> bytes:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header/><e:Body>'
        f"{content}</e:Body></e:Envelope>"
    ).encode()


def ask(operation: str, inner: str = "", view: View | None = None) -> etree._Element:
    octets = answer_own(
        envelope(f'<{operation} xmlns="{ADAPTER_SERVICES}">{inner}</{operation}>'), CLIENT, view or View()
    )
    payload = etree.fromstring(octets)[-1][0]
    check_payload(own_description(), payload, output_of(own_description(), operation))
    return payload


def texts(element: etree._Element, name: str) -> list[str]:
    return [found.text or "" for found in element.iter(f"{{{ADAPTER_SERVICES}}}{name}")]


def test_list_members():
    answer = ask("listMembers")
    assert texts(answer, "id") == ["UZ/GOV/200000001"]
    assert texts(answer, "subsystem") == ["population", "archive"]
    assert texts(answer, "text") == ["Register", "Реестр"]


def test_list_services():
    answer = ask("listServices")
    assert texts(answer, "id") == [str(SERVICE)]
    assert texts(answer, "title") == ["A person & more"]
    assert texts(answer, "regulation") == ["R-1"]


def test_allowed_services_are_those_of_the_caller():
    assert len(ask("allowedServices")) == 0


def test_get_wsdl_is_octet_for_octet():
    answer = ask("getWsdl", f"<service>{SERVICE}</service>")
    assert texts(answer, "entry") == ["a.wsdl"]
    assert base64.b64decode(texts(answer, "content")[0]) == wsdl(schema(ASK_AND_ANSWER)).encode()


def test_get_status_without_a_directory():
    answer = ask("getStatus")
    assert texts(answer, "ready") == ["false"]
    assert texts(answer, "time") == ["2025-01-02T03:04:05+00:00"]
    assert texts(answer, "directoryVersion") == []


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (b"<a", MalformedMessage),
        (b"<!DOCTYPE a><a/>", MalformedMessage),
        (b"<a/>", NotSoap),
        (envelope(""), NotSoap),
        (envelope("<a/><b/>"), NotSoap),
        (envelope("<a/>").replace(b"http://schemas.xmlsoap.org/soap/envelope/", SOAP12.encode()), NotSoap),
        (envelope("<listMembers/>"), UnknownOperation),
        (envelope(f'<listMembersResponse xmlns="{ADAPTER_SERVICES}"/>'), UnknownOperation),
        (envelope(f'<getWsdl xmlns="{ADAPTER_SERVICES}"/>'), SchemaInvalid),
        (envelope(f'<getWsdl xmlns="{ADAPTER_SERVICES}"><service>x</service></getWsdl>'), SchemaInvalid),
        (envelope(" " * 70_000), LimitExceeded),
    ],
)  # fmt: skip
def test_refused(octets, error):
    with pytest.raises(error):
        answer_own(octets, CLIENT, View())


def test_unknown_service():
    with pytest.raises(UnknownService):
        ask("getWsdl", f"<service>{SERVICE}2</service>")


def test_error_of_the_adapter_stays_what_it_is():
    view = View()
    view.fails = DirectoryUnavailable("none yet")
    with pytest.raises(DirectoryUnavailable):
        ask("listMembers", view=view)


def test_any_other_error_is_named_by_its_type_only():
    view = View()
    view.fails = RuntimeError("secret")
    with pytest.raises(InternalError) as caught:
        ask("listServices", view=view)
    assert "secret" not in caught.value.reason


def test_contract_in_the_repository_is_the_one_that_is_served():
    assert read_contract("wsdl/adapter.wsdl") == own_contract()


def test_contract_does_not_depend_on_the_run():
    program = (
        "import sys; from adapter.backends.own_services import own_contract; sys.stdout.buffer.write(own_contract())"
    )
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert run.stdout == own_contract()


def test_contract_says_where_it_is_served_and_what_each_operation_does():
    root = etree.fromstring(own_contract("https://adapter.example/adapter?wsdl"))
    assert xpath(root, "//s:address/@location") == ["https://adapter.example/adapter"]
    operations = xpath(root, "//w:portType/w:operation")
    assert [operation.get("name") for operation in operations] == [
        "listMembers",
        "listServices",
        "allowedServices",
        "getWsdl",
        "getStatus",
    ]
    assert all(operation.findtext("w:documentation", namespaces=PREFIXES) for operation in operations)

"""Faults in X-Road's words: every error has one code, and a provider's own fault keeps its own words."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.envelope.faults import PublicFault, public_fault
from adapter.envelope.names import FAULT
from adapter.envelope.xroad_faults import _BY_CODE, render_xroad_fault, xroad_code
from adapter.errors import (
    AccessDenied,
    AdapterError,
    Blame,
    ContextMissing,
    Problem,
    ProviderSystemFault,
    Retry,
    XRoadHeaderInvalid,
    catalogue,
)


def rendered(fault: PublicFault) -> etree._Element:
    return etree.fromstring(render_xroad_fault(fault))


def test_the_table_names_errors_that_there_are() -> None:
    assert set(_BY_CODE) <= {error.code for error in catalogue()}


@pytest.mark.parametrize("error", [error for error in catalogue() if error.blame is not Blame.OPERATOR])
def test_every_error_has_a_code_that_says_where_it_failed(error: type[AdapterError]) -> None:
    code = xroad_code(error.code, error.blame)
    assert code.startswith(("Client.", "Server.ClientProxy.", "Server.ServerProxy."))
    if error.blame is Blame.PROVIDER_SYSTEM:
        assert code.startswith("Server.ServerProxy.ServiceFailed")


@pytest.mark.parametrize(("error", "code"), [(AccessDenied, "Server.ServerProxy.AccessDenied")])
def test_the_form_that_xroad_clients_expect(error: type[AdapterError], code: str) -> None:
    fault = rendered(public_fault(error("a secret reason"), "ABCDE-12345"))
    assert [child.tag for child in fault] == ["faultcode", "faultstring", "faultactor", "detail"]
    assert fault.findtext("faultcode") == code
    assert fault.findtext("faultstring") == error.text
    assert fault.findtext("detail/faultDetail") == "ABCDE-12345"
    assert fault.findtext(f"detail/{{{FAULT}}}Fault/{{{FAULT}}}Code") == error.code
    assert b"secret" not in etree.tostring(fault)


def test_the_first_finding_stands_in_the_faultstring() -> None:
    problem = Problem(line=4, column=0, element="id", rule="PR-MESS 2.2", text="The header is <missing>.")
    text = rendered(public_fault(XRoadHeaderInvalid(problems=(problem,)), "A")).findtext("faultstring")
    assert text == f"{XRoadHeaderInvalid.text} id, line 4: The header is <missing>."


@pytest.mark.parametrize(("element", "shown"), [("Official", "userId"), ("Purpose", "Purpose")])
def test_only_what_a_header_of_xroad_says_is_missed_under_its_name(element: str, shown: str) -> None:
    problem = Problem(line=0, column=0, element=element, rule="client.context", text="Not said.")
    fault = rendered(public_fault(ContextMissing(problems=(problem,)), "A"))
    assert fault.findtext("faultstring", "").startswith(f"{ContextMissing.text} {shown}: ")
    (told,) = fault.iter(f"{{{FAULT}}}Problem")
    assert told.get("element") == shown


def test_the_systems_own_fault_passes() -> None:
    problem = Problem(line=0, column=0, element="Fault", rule="soap:Server.NoSuchRegister", text="Нет данных")
    fault = rendered(public_fault(ProviderSystemFault(problems=(problem,)), "A"))
    assert fault.findtext("faultcode") == "Server.NoSuchRegister"
    assert fault.findtext("faultstring") == "Нет данных"


def test_a_code_of_a_newer_peer_is_named_after_its_blame() -> None:
    fault = PublicFault(
        code="Newer",
        blame=Blame.PROVIDER_ADAPTER,
        retry=Retry.NO,
        incident="A",
        texts={"en": "x", "ru": "x", "uz": "x"},
    )
    assert rendered(fault).findtext("faultcode") == "Server.ServerProxy.InternalError"

"""The service that the recorded requests call: its system gives back what it was asked, letter for letter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lxml import etree

from adapter.identifiers import ServiceId
from examples.federation.federation import build_federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan
from examples.federation.processes import Processes
from tests.adapters.stub_system import StubSystem

SERVICE = ServiceId.parse("UZ/GOV/200000001/civil-status/FindRecord/v1")
NAMESPACE = "urn:example:civil-status:1"
REGISTERED = "1990-03-20"
RECORDED = Path(__file__).parent / "recorded"

_SERVICE_TOML = """\
code = "FindRecord"
version = "v1"
subsystem = "civil-status"
title = "A record of civil status"
wsdl = "civil-status.wsdl"
personal_data = true
backend = "soap"
subject_kind = "pinfl"
subject_xpath = "f:Pinfl"

[namespaces]
f = "urn:example:civil-status:1"

[soap]
address = "{address}"
timeout_s = 20
"""
_CONTEXT = """\
purpose = "social-benefit"
legal_basis_kind = "law"
legal_basis_reference = "Law No. 395 of 2015, article 12"
subject_kind = "pinfl"
subject_xpath = "f:Pinfl"
namespaces = { f = "urn:example:civil-status:1" }
"""


class CivilStatusSystem(StubSystem):
    """Answers with the surname and the date that it was asked about."""

    def answer(self, request: bytes) -> bytes:
        (asked,) = etree.fromstring(request).iter(f"{{{NAMESPACE}}}FindRecord")
        answer = etree.Element(f"{{{NAMESPACE}}}FindRecordResponse")
        for name in ("Surname", "Born"):
            etree.SubElement(answer, f"{{{NAMESPACE}}}{name}").text = asked.findtext(f"{{{NAMESPACE}}}{name}")
        etree.SubElement(answer, f"{{{NAMESPACE}}}Registered").text = REGISTERED
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        return f'<s:Envelope xmlns:s="{soap}"><s:Body>{etree.tostring(answer).decode()}</s:Body></s:Envelope>'.encode()


@contextmanager
def running_office(folder: Path) -> Iterator[Home]:
    """The consumer whose systems sent the recorded requests: one known by its address, one by its token."""
    with CivilStatusSystem() as system, Processes(folder / "logs") as processes:
        provider = MemberPlan(
            id=str(SERVICE.subsystem.member),
            folder="civil-status",
            names={"en": "Civil Status (synthetic)"},
            subsystems=("civil-status",),
            services=(
                ServicePlan(
                    toml=_SERVICE_TOML.replace("{address}", system.address), description=RECORDED / "description"
                ),
            ),
            grants=(GrantPlan(consumer="UZ/GOV/200000002/cases", service=SERVICE),),
        )
        fixed, found = 'official = "inspector-17"\n', 'official_xpath = "f:Official"\n'
        office = MemberPlan(
            id="UZ/GOV/200000002",
            folder="office",
            names={"en": "Office (synthetic)"},
            subsystems=("cases",),
            clients=(
                ClientPlan(name="old-system", subsystem="cases", context=fixed + _CONTEXT),
                ClientPlan(name="desk", subsystem="cases", token="token-of-the-desk", context=found + _CONTEXT),
            ),
        )
        federation = build_federation(FederationPlan(members=(provider, office)), folder / "federation", processes)
        federation.start()
        yield federation.homes["office"]

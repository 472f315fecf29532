"""The four organisations of the demonstration. None of them exists."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from adapter.directory.content import EService, Regulation
from adapter.directory.defaults import DEFAULT_PURPOSES
from adapter.identifiers import ServiceId, SubsystemId
from examples.federation.federation import CHECKOUT
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan

POPULATION: Final = "population"
CADASTRE: Final = "cadastre"
SOCIAL: Final = "social"
OUTSIDER: Final = "outsider"

GET_PERSON: Final = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")
GET_PARCELS: Final = ServiceId.parse("UZ/GOV/200000002/cadastre/GetParcels/v1")
BENEFITS: Final = SubsystemId.parse("UZ/GOV/200000003/benefits")
STATISTICS: Final = SubsystemId.parse("UZ/GOV/200000003/statistics")
OUTSIDERS: Final = SubsystemId.parse("UZ/COM/300000009/shop")

PURPOSE: Final = "social-benefit"
LEGAL_BASIS: Final = ("law", "Law No. 395 of 2015, article 12")
OFFICIAL: Final = "inspector-17"
SOCIAL_BENEFIT: Final = EService(
    code="SOCIAL-BENEFIT",
    titles=DEFAULT_PURPOSES[PURPOSE],
    agency=BENEFITS.member,
    working_days=5,
    regulation=Regulation(
        id="REG-SOCIAL-BENEFIT",
        titles={"en": "Regulation of the assignment of social benefits (synthetic)"},
        approved=date(2025, 11, 3),
        documents={GET_PERSON: frozenset(), GET_PARCELS: frozenset()},
    ),
)
"""The e-service that the case system works for: its requests name the regulation, and both sides look it up."""

STATISTICS_TOKEN: Final = "statistics-token-of-the-demonstration"  # noqa: S105  made up, and for this machine only
FRONT_DESK_TOKEN: Final = "front-desk-token-of-the-demonstration"  # noqa: S105  the same

SYSTEM_TIMEOUT_S: Final = 1.5
"""How long the cadastre's adapter waits for the cadastre's information system."""

_CASE_SYSTEM_CONTEXT: Final = f"""\
# The system sends plain SOAP; who asks, why and about whom is said here.
official = "{OFFICIAL}"
purpose = "{PURPOSE}"
legal_basis_kind = "{LEGAL_BASIS[0]}"
legal_basis_reference = "{LEGAL_BASIS[1]}"
regulation = "{SOCIAL_BENEFIT.regulation.id}"
subject_kind = "pinfl"
subject_xpath = "p:Pinfl | c:OwnerPinfl"
namespaces = {{ p = "urn:example:population-register:1", c = "urn:example:cadastre:1" }}"""


def demo_plan(*, people_database: Path, cadastre_wsdl: Path, cadastre_port: int) -> FederationPlan:
    """The federation. cadastre_wsdl: folder with the WSDL that the running cadastre gave out."""
    return FederationPlan(
        members=(
            _population(people_database),
            _cadastre(cadastre_wsdl, cadastre_port),
            _social(),
            _outsider(),
        ),
        e_services=(SOCIAL_BENEFIT,),
    )


def _population(people_database: Path) -> MemberPlan:
    folder = CHECKOUT / "examples" / "population"
    toml = (folder / "service.toml").read_text(encoding="utf-8")
    return MemberPlan(
        id=str(GET_PERSON.subsystem.member),
        folder=POPULATION,
        names={
            "en": "Population Register (synthetic)",
            "ru": "Реестр населения (вымышленный)",
            "uz": "Aholi reyestri (oʻylab topilgan)",
            "uz-Cyrl": "Аҳоли реестри (ўйлаб топилган)",
        },
        subsystems=("population",),
        services=(
            ServicePlan(
                toml=toml.replace('"population.sqlite"', f'"{people_database}"'), description=folder / "description"
            ),
        ),
        grants=(_grant(GET_PERSON),),
    )


def _cadastre(wsdl: Path, port: int) -> MemberPlan:
    toml = (CHECKOUT / "examples" / "cadastre" / "service.toml").read_text(encoding="utf-8")
    toml = toml.replace("http://127.0.0.1:8081/", f"http://127.0.0.1:{port}/")
    return MemberPlan(
        id=str(GET_PARCELS.subsystem.member),
        folder=CADASTRE,
        names={
            "en": "Cadastre (synthetic)",
            "ru": "Кадастр (вымышленный)",
            "uz": "Kadastr (oʻylab topilgan)",
            "uz-Cyrl": "Кадастр (ўйлаб топилган)",
        },
        subsystems=("cadastre",),
        services=(
            ServicePlan(toml=toml.replace("timeout_s = 5", f"timeout_s = {SYSTEM_TIMEOUT_S}"), description=wsdl),
        ),
        grants=(_grant(GET_PARCELS),),
    )


def _grant(service: ServiceId) -> GrantPlan:
    return GrantPlan(
        consumer=str(BENEFITS),
        service=service,
        purposes=frozenset((PURPOSE,)),
        legal_basis_kinds=frozenset((LEGAL_BASIS[0],)),
    )


def _social() -> MemberPlan:
    return MemberPlan(
        id=str(BENEFITS.member),
        folder=SOCIAL,
        names={
            "en": "Social Protection Agency (synthetic)",
            "ru": "Агентство социальной защиты (вымышленное)",
            "uz": "Ijtimoiy himoya agentligi (oʻylab topilgan)",
            "uz-Cyrl": "Ижтимоий ҳимоя агентлиги (ўйлаб топилган)",
        },
        subsystems=(BENEFITS.code, STATISTICS.code),
        clients=(
            ClientPlan(name="case-system", subsystem=BENEFITS.code, context=_CASE_SYSTEM_CONTEXT),
            ClientPlan(name="front-desk", subsystem=BENEFITS.code, token=FRONT_DESK_TOKEN),
            ClientPlan(name="statistics", subsystem=STATISTICS.code, token=STATISTICS_TOKEN),
        ),
    )


def _outsider() -> MemberPlan:
    """Has certificates of the right authority, and is in no directory."""
    return MemberPlan(
        id=str(OUTSIDERS.member),
        folder=OUTSIDER,
        names={"en": "A shop (synthetic)"},
        subsystems=(OUTSIDERS.code,),
        is_registered=False,
    )

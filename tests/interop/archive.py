"""A small real federation whose service takes and gives files: its system speaks MTOM or SOAP with Attachments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapter.identifiers import ServiceId
from examples.federation.federation import build_federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan
from examples.federation.processes import Processes
from tests.adapters.document_service import document_service
from tests.adapters.document_system import DocumentSystem

PACKAGINGS = ("mtom", "swa")
"""How the archive's own system takes files; also the version of the service that speaks so."""

_CONTEXT = 'official = "inspector-17"\npurpose = "social-benefit"'


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The consumer's adapter, and the provider's information system."""

    office: Home
    system: DocumentSystem

    def wsdl(self, packaging: str) -> str:
        """The address of the WSDL of the service whose system takes files in this way."""
        return f"{self.office.service_url(_service(packaging))}?wsdl"


def _service(packaging: str) -> ServiceId:
    return ServiceId.parse(f"UZ/GOV/200000001/archive/Documents/{packaging}")


@contextmanager
def running_archive(folder: Path) -> Iterator[Archive]:
    """Build, start, and stop whatever happens."""
    with DocumentSystem() as system, Processes(folder / "logs") as processes:
        provider = MemberPlan(
            id="UZ/GOV/200000001",
            folder="archive",
            names={"en": "Archive (synthetic)"},
            subsystems=("archive",),
            services=tuple(
                document_service(folder / "description", system.address, way=packaging) for packaging in PACKAGINGS
            ),
            grants=tuple(
                GrantPlan(consumer="UZ/GOV/200000002/cases", service=_service(packaging)) for packaging in PACKAGINGS
            ),
        )
        office = MemberPlan(
            id="UZ/GOV/200000002",
            folder="office",
            names={"en": "Office (synthetic)"},
            subsystems=("cases",),
            clients=(ClientPlan(name="case-system", subsystem="cases", context=_CONTEXT),),
        )
        federation = build_federation(FederationPlan(members=(provider, office)), folder / "federation", processes)
        federation.start()
        yield Archive(office=federation.homes["office"], system=system)

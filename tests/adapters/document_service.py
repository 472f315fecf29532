"""A service of documents for members of a test federation: its settings, and two members of which one asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.federation.federation import Federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, GrantPlan, MemberPlan, ServicePlan
from tests.adapters.document_system import WSDL

_SERVICE_TOML = """\
code = "Documents"
version = "{version}"
subsystem = "{subsystem}"
title = "Documents"
wsdl = "documents.wsdl"
personal_data = false
backend = "soap"

[soap]
address = "{address}"
timeout_s = 20
attachments = "{way}"
{more}
"""
_NAMES = {"en": "Agency", "ru": "Ведомство", "uz": "Idora"}


def document_service(
    description: Path, address: str, *, way: str, version: str = "", subsystem: str = "archive", more: str = ""
) -> ServicePlan:
    """The service of a system at this address. way: how the system takes files; the service's version unless named.

    description: the folder for its WSDL. more: lines of the table [soap].
    """
    description.mkdir(parents=True, exist_ok=True)
    (description / "documents.wsdl").write_text(WSDL, encoding="utf-8")
    toml = _SERVICE_TOML.format(version=version or way, subsystem=subsystem, address=address, way=way, more=more)
    return ServicePlan(toml=toml, description=description)


def asking_and_asked(
    services: Sequence[ServicePlan],
    *,
    versions: Sequence[str],
    asking: str = "archive",
    context: str,
    folders: tuple[str, str] = ("asking", "asked"),
    clients: Sequence[ClientPlan] = (),
) -> tuple[MemberPlan, MemberPlan]:
    """A member that may ask for every version, and the one that has the services.

    asking: the subsystem that asks. context: what its client system's settings fix. clients: of the one that is asked.
    """
    first = MemberPlan(
        id="UZ/GOV/200000001",
        folder=folders[0],
        names=_NAMES,
        subsystems=(asking,),
        clients=(ClientPlan(name="case-system", subsystem=asking, context=context),),
        suite="p256",
    )
    second = MemberPlan(
        id="UZ/GOV/200000002",
        folder=folders[1],
        names=_NAMES,
        subsystems=("archive",),
        clients=tuple(clients),
        services=tuple(services),
        suite="p256",
    )
    grants = tuple(
        GrantPlan(consumer=f"{first.id}/{asking}", service=second.service("archive", "Documents", version))
        for version in versions
    )
    return first, MemberPlan(**{**vars(second), "grants": grants})


@dataclass(frozen=True, kw_only=True)
class AskingAndAsked:
    """The two members' adapters, running."""

    federation: Federation

    @property
    def asking(self) -> Home:
        """Whose client system calls."""
        return self.federation.homes["asking"]

    @property
    def asked(self) -> Home:
        """Whose system answers."""
        return self.federation.homes["asked"]

    def address(self, version: str) -> str:
        """Where the service is called."""
        return self.asking.service_url(self.asked.plan.service("archive", "Documents", version))

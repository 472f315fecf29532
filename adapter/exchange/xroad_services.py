"""X-Road's services are the operations of ours: which one an identifier means, and which ones a subsystem offers.

To X-Road every operation of a WSDL is a service with a version of its own (PR-MESS 3.2, table 2); to our directory the
WSDL is one service. Who has registered one service for each operation finds both the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adapter.directory.model import Directory, DirectoryService
from adapter.envelope.description import ServiceDescription
from adapter.envelope.xroad import XRoadService, service_of_operation
from adapter.envelope.xroad_metadata import METASERVICES
from adapter.errors import AdapterError, Problem, UnknownService
from adapter.identifiers import ServiceId, SubsystemId

Describe = Callable[[DirectoryService], Awaitable[ServiceDescription]]
"""The published description of a service of the directory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """What an X-Road service identifier means here.

    operation is None when it names a service whose operations are called otherwise: then the Body says which.
    """

    service: ServiceId
    description: ServiceDescription
    operation: str | None

    @property
    def named(self) -> XRoadService:
        """The identifier in full, with the version that is meant."""
        if self.operation is not None:
            return service_of_operation(self.service, self.description.operation(self.operation))
        return XRoadService(provider=self.service.subsystem, code=self.service.code, version=self.service.version)


async def find_service(wanted: XRoadService, directory: Directory, describe: Describe) -> Meant:
    """What an identifier means: the directory's service of this id, else the operation of this name.

    An identifier without a version means the only one there is; of several none is guessed, because another version
    may mean another content. Raises UnknownMember, UnknownService, DirectoryUnavailable, DirectoryRefused,
    DescriptionUnusable.
    """
    directory.check_subsystem(wanted.provider)
    services = _services_of(wanted.provider, directory)
    by_code = [one for one in services if one.service.code == wanted.code]
    exact = [one for one in by_code if wanted.version == one.service.version]
    if exact:
        return await _meant(exact[0], wanted.code, describe)
    found = [
        Meant(service=service.service, description=description, operation=operation.name)
        for service, description in await _described(services, describe)
        if (operation := description.by_name.get(wanted.code)) is not None
        and wanted.version in (None, service.service.version, operation.version)
    ]
    if len(found) == 1:
        return found[0]
    if not found and wanted.version is None and len(by_code) == 1:
        return await _meant(by_code[0], wanted.code, describe)
    is_unclear = bool(found) or (wanted.version is None and bool(by_code))
    text = _UNCLEAR if is_unclear else "the subsystem offers no service of this code and version"
    problem = Problem(line=0, column=0, element="service", rule="PR-MESS 2.2", text=f"{text}.")
    raise UnknownService(text, problems=(problem,))


_UNCLEAR: Final = "the header service means several services: name one version in serviceVersion"


async def _meant(service: DirectoryService, code: str, describe: Describe) -> Meant:
    description = await describe(service)
    operation = code if code in description.by_name else None
    return Meant(service=service.service, description=description, operation=operation)


async def list_services(
    provider: SubsystemId,
    directory: Directory,
    describe: Describe,
    *,
    allowed: Callable[[ServiceId], bool] = lambda _service: True,
) -> list[XRoadService]:
    """What a subsystem offers, in X-Road's terms and in the order of the directory; no metaservices (PR-META 3).

    Raises UnknownMember, DirectoryUnavailable, DirectoryRefused, DescriptionUnusable.
    """
    directory.check_subsystem(provider)
    return [
        service_of_operation(service.service, operation)
        for service, description in await _described(_services_of(provider, directory), describe)
        if allowed(service.service)
        for operation in description.operations
        if description.by_name[operation.name] is operation and operation.name not in METASERVICES
    ]


def _services_of(provider: SubsystemId, directory: Directory) -> list[DirectoryService]:
    return [service for service in directory.services.values() if service.service.subsystem == provider]


async def _described(
    services: Sequence[DirectoryService], describe: Describe
) -> list[tuple[DirectoryService, ServiceDescription]]:
    """The services with their descriptions; one that cannot be read does not hide the others.

    Raises the last failure when none can be read.
    """
    found: list[tuple[DirectoryService, ServiceDescription]] = []
    failure: AdapterError | None = None
    for service in services:
        try:
            found.append((service, await describe(service)))
        except AdapterError as cause:
            failure = cause
    if not found and failure is not None:
        raise failure
    return found

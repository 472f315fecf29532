"""The adapter's own SOAP services, answered from what this worker knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from adapter import __version__
from adapter.app.keepers import utc_now
from adapter.app.wiring import Site
from adapter.backends.own_services import (
    MemberView,
    ServiceView,
    StatusView,
    answer_own,
    own_contract,
)
from adapter.dialects.model import ClientAnswer
from adapter.directory.model import Directory, DirectoryService
from adapter.envelope.description import ServiceDescription
from adapter.envelope.soap import content_type_of
from adapter.errors import DirectoryExpired, DirectoryUnavailable
from adapter.identifiers import ServiceId, SubsystemId
from adapter.policy.clients import allows, find_client
from adapter.stages import ReceivedCall, SoapVersion

_DESCRIPTION_TIMEOUT_S = 15.0


class OwnServices:
    """listMembers, listServices, allowedServices, getWsdl, getStatus for the client systems of this agency."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, call: ReceivedCall) -> ClientAnswer:
        """Answer one call of a known client system, whichever services it may use otherwise.

        Raises ClientNotIdentified, and what backends.own_services.answer_own raises.
        """
        client = find_client(call, self._site.consumer.clients)
        view = _View(self._site, asyncio.get_running_loop())
        octets = await asyncio.to_thread(answer_own, call.octets, client.subsystem, view)
        return ClientAnswer(octets=octets, content_type=content_type_of(SoapVersion.SOAP11))

    def contract(self, url: str) -> bytes:
        """The WSDL with the address under which it was asked."""
        return own_contract(url)


class _View:
    """backends.own_services.SiteView over one worker. Its methods run in a thread of their own."""

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop) -> None:
        self._site = site
        self._loop = loop

    def members(self) -> Sequence[MemberView]:
        """All members of the directory."""
        return [
            MemberView(id=member.id, names=member.names, subsystems=sorted(member.subsystems))
            for member in self._directory().members.values()
        ]

    def services(self) -> Sequence[ServiceView]:
        """All services of the directory."""
        return [_service(service) for service in self._directory().services.values()]

    def allowed_services(self, client: SubsystemId) -> Sequence[ServiceView]:
        """Those that the settings let the systems of this subsystem call."""
        patterns = {
            pattern for known in self._site.consumer.clients if known.subsystem == client for pattern in known.services
        }
        return [
            _service(service)
            for service in self._directory().services.values()
            if any(allows(pattern, service.service) for pattern in patterns)
        ]

    def description(self, service: ServiceId) -> ServiceDescription:
        """A service's published description. Raises UnknownService, DirectoryUnavailable, DirectoryRefused."""
        listed = self._directory().service(service)
        fetching = asyncio.run_coroutine_threadsafe(self._site.directory.description(listed), self._loop)
        return fetching.result(_DESCRIPTION_TIMEOUT_S)

    def status(self) -> StatusView:
        """How the adapter is now."""
        try:
            directory = self._directory()
        except (DirectoryUnavailable, DirectoryExpired):
            return StatusView(
                member=self._site.settings.member, software_version=__version__, time=utc_now(), ready=False
            )
        return StatusView(
            member=self._site.settings.member,
            software_version=__version__,
            time=utc_now(),
            ready=True,
            directory_version=directory.version,
            directory_issued=directory.issued,
            directory_expires=directory.expires,
        )

    def _directory(self) -> Directory:
        return self._site.directory.current()


def _service(service: DirectoryService) -> ServiceView:
    return ServiceView(
        id=service.service,
        title=service.title,
        personal_data=service.personal_data,
        regulations=sorted(service.regulations),
    )

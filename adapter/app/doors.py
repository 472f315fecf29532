"""The three listeners of one worker, opened on sockets that the parent has bound."""

from __future__ import annotations

import asyncio
import ssl
from socket import socket

import structlog

from adapter.app.bounds import attachment_bounds, listener_bounds
from adapter.app.documents import ClientDocuments
from adapter.app.figures import EmergencyFigures, SpoolFigures, registry_of, scanner_figures
from adapter.app.json_documents import JsonDocuments
from adapter.app.own_services import OwnServices
from adapter.app.quotas import Gates, admit_clients, admit_peers
from adapter.app.wiring import Site
from adapter.directory.model import Directory
from adapter.errors import AdapterError
from adapter.settings.adapter_file import ClientListenerSettings
from adapter.stages import SoapVersion
from adapter.store.reviews import EmergencyReviews
from adapter.transport.client_listener import ClientListener
from adapter.transport.client_requests import ClientSide
from adapter.transport.http_server import HttpBounds, Listener
from adapter.transport.intake import AttachmentIntake
from adapter.transport.operators_listener import OperatorsListener
from adapter.transport.peer_listener import PeerListener
from adapter.transport.tls import TlsKey, client_server_context, learn_authorities, peer_server_context
from adapter.transport.xroad_listener import XRoadListener

log = structlog.get_logger(__name__)

_OPERATORS_BOUNDS = HttpBounds(max_message_bytes=1, read_timeout_s=5)


class PeerDoor:
    """Opens the listener for peers as soon as there is a directory: without one nobody could be let in."""

    def __init__(self, site: Site, bound: socket, gates: Gates) -> None:
        bounds = listener_bounds(site.settings, site.settings.peer_listener)
        handler = PeerListener(site.provider, bounds, intake=_intake(site), record=site.answers)
        self._listener = Listener(
            admit_peers(handler, site, gates),
            bounds,
            version=SoapVersion.SOAP12,
            grace_s=site.settings.timing.shutdown_grace_s,
            turned_away=gates.peers,
        )
        self._bound = bound
        self._context: ssl.SSLContext | None = None
        site.keys.tell(self._show)
        self._may_open = asyncio.Event()
        self.is_open = False
        self._began = False
        site.directory.tell(self._adopt)

    def _show(self, key: TlsKey) -> None:
        """Show this certificate in every handshake from now on; connections that are open stay."""
        self._tls = key
        if self._context is not None:
            key.load_into(self._context)

    def _adopt(self, directory: Directory) -> None:
        """Called with every new directory: its TLS authorities are the ones whose certificates are let in."""
        if self._context is None:
            self._context = peer_server_context(self._tls, directory.tls_cas)
            self._may_open.set()
        else:
            learn_authorities(self._context, directory.tls_cas)

    async def keep_open(self) -> None:
        """Open when there is a directory, and stay until cancelled. Whatever hinders opening is raised here."""
        await self._may_open.wait()
        self._began = True
        await self._listener.start(self._bound, self._context)
        self.is_open = True
        log.info("listening", listener="peers", address=_place(self._bound))
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Let nobody in any more, finish what is in flight."""
        if self._began:
            await self._listener.stop()
        else:
            self._bound.close()


async def open_client_door(site: Site, bound: socket, gates: Gates) -> Listener:
    """The listener for our own systems."""
    settings = site.settings.client_listener
    bounds = listener_bounds(site.settings, settings)
    documents = ClientDocuments(site)
    own_services = OwnServices(site)
    plain = ClientListener(
        site.consumer,
        bounds,
        documents=documents.document,
        own_services=own_services.answer,
        own_contract=own_services.contract,
        json_pages=JsonDocuments(site),
        intake=_intake(site),
    )
    handler = XRoadListener(
        ClientSide(site=site.consumer, bounds=bounds, intake=_intake(site)),
        plain,
        at_root=settings.xroad_at_root,
        public_url=None if settings.public_url is None else str(settings.public_url),
    )
    grace_s = site.settings.timing.shutdown_grace_s
    listener = Listener(
        admit_clients(handler, site, gates),
        bounds,
        version=SoapVersion.SOAP11,
        grace_s=grace_s,
        turned_away=gates.clients,
    )
    await listener.start(bound, _client_context(settings))
    log.info("listening", listener="clients", address=_place(bound))
    return listener


async def open_operators_door(site: Site, door: PeerDoor, bound: socket, gates: Gates) -> Listener:
    """The listener for health and metrics."""

    def readiness() -> str | None:
        try:
            site.directory.current()
        except AdapterError as error:
            return error.text
        return None if door.is_open else "The listener for peers is not open yet."

    scanner = scanner_figures(site.settings)
    emergencies = EmergencyFigures(EmergencyReviews(site.database))

    async def refresh() -> None:
        await scanner.refresh()
        await emergencies.refresh()

    registry = registry_of(site, gates, SpoolFigures(site.spool), scanner, emergencies)
    handler = OperatorsListener(readiness, registry, refresh)
    listener = Listener(handler, _OPERATORS_BOUNDS, version=SoapVersion.SOAP11, grace_s=1)
    await listener.start(bound, None)
    return listener


def _intake(site: Site) -> AttachmentIntake:
    return AttachmentIntake(holding=site.spool.holding, bounds=attachment_bounds(site.settings))


def _client_context(settings: ClientListenerSettings) -> ssl.SSLContext | None:
    if settings.mode == "loopback-http" or settings.certificate_file is None or settings.key_file is None:
        return None
    own = TlsKey(certificate_file=settings.certificate_file, key_file=settings.key_file)
    return client_server_context(own, settings.client_ca_file if settings.mode == "mutual-tls" else None)


def _place(bound: socket) -> str:
    name = bound.getsockname()
    return f"{name[0]}:{name[1]}"

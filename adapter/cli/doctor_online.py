"""The running adapter, asked from outside: its three listeners, and a real exchange with itself over mutual TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import requests
from cryptography import x509

from adapter.app.keyring import load_keyring
from adapter.cli.call import listener_url
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.doctor_rehearsal import OwnKeys, open_own, rehearsal_request
from adapter.cli.wsdl_download import is_web_address
from adapter.directory.model import Directory
from adapter.envelope.faults import read_fault
from adapter.errors import AdapterError, PeerUnreachable
from adapter.identifiers import ServiceId, SubsystemId
from adapter.settings import Settings
from adapter.transport.peer_listener import PATH
from adapter.transport.tls import peer_client_context

_START: Final = "Is `adapter serve` running with these settings? Its log says why it stopped."
_MAX_BYTES: Final = 1024 * 1024
_EXPECTED: Final = frozenset({"UnknownOperation", "SchemaInvalid", "NoLegalBasis", "AccessDenied"})
"""How a rehearsal has to end: refused for what it is, after everything about its security was found good."""


def directory_server_time(settings: Settings) -> datetime | None:
    """The Date that the directory's first web server answers with; None for a folder or a server that says nothing."""
    url = settings.directory.url[0]
    if not is_web_address(url):
        return None
    try:
        response = requests.head(url, timeout=settings.directory.timeout_s, allow_redirects=False)
        return parsedate_to_datetime(response.headers["Date"])
    except (requests.RequestException, KeyError, ValueError, TypeError):
        return None


def ask_listeners(settings: Settings) -> Iterator[Finding]:
    """The operators' and the client listener."""
    operators = settings.operators_listener
    yield _get("operators listener", f"http://{_reachable(operators.address)}:{operators.port}/health/ready")
    yield _get("client listener", f"{listener_url(settings)}/adapter?wsdl")


def _get(what: str, url: str) -> Finding:
    try:
        response = requests.get(url, timeout=10, allow_redirects=False, verify=False)  # noqa: S501  only whether it is there
    except requests.RequestException as cause:
        return fail(what, f"{url} cannot be reached ({type(cause).__name__})", _START)
    if response.status_code == requests.codes.ok:
        return ok(what, f"{url} answers")
    return fail(what, f"{url} answers with status {response.status_code}", _START)


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, address)  # noqa: S104  what it is replaced by


def rehearse_online(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Send a sealed request to the own peer listener and open the signed refusal that comes back."""
    what = "online exchange"
    services = sorted(service for service in directory.services if service.subsystem.member == settings.member)
    if not services:
        yield warn(what, "no service of this member is in the directory, so nothing can be asked", "See `registered`.")
        return
    keys = OwnKeys.of(settings, directory, now)
    request = rehearsal_request(keys, _consumer(services[0]), services[0], next(iter(directory.purposes), "any"), now)
    certificates = [one.certificate for one in directory.member(settings.member).adapter.tls_certificates]
    octets = asyncio.run(_post(settings, certificates, request.octets))
    fault = read_fault(open_own(octets, keys, now).payload)
    if fault.code in _EXPECTED:
        yield ok(what, f"sealed, sent over mutual TLS, refused as expected ({fault.code}), incident {fault.incident}")
    else:
        yield fail(what, f"refused with {fault.code}, incident {fault.incident}", "adapter log list --incident …")


def _consumer(service: ServiceId) -> SubsystemId:
    return service.subsystem


async def _post(settings: Settings, certificates: list[x509.Certificate], octets: bytes) -> bytes:
    """Raises PeerUnreachable, KeyUnusable."""
    context = peer_client_context(load_keyring(settings).tls, certificates)
    listener = settings.peer_listener
    url = f"https://{_reachable(listener.address)}:{listener.port}{PATH}"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=settings.timing.peer_timeout_s)) as session,
            session.post(
                url, data=octets, ssl=context, headers={"Content-Type": "application/soap+xml; charset=utf-8"}
            ) as response,
        ):
            return await response.content.read(_MAX_BYTES)
    except (aiohttp.ClientError, TimeoutError, OSError) as cause:
        raise PeerUnreachable(f"{url} cannot be reached ({type(cause).__name__})") from None


def guarded_online(settings: Settings, directory: Directory | None, now: datetime) -> list[Finding]:
    """All of it; an error of the library becomes a finding."""
    found = list(ask_listeners(settings))
    if directory is None:
        return found
    try:
        found += rehearse_online(settings, directory, now)
    except AdapterError as error:
        found.append(fail("online exchange", error.reason, _START))
    return found

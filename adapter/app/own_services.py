"""The adapter's own SOAP services, answered from what this worker knows."""

from __future__ import annotations

from adapter.app.wiring import Site
from adapter.errors import UnknownService
from adapter.exchange.consumer import ClientAnswer
from adapter.stages import ReceivedCall


class OwnServices:
    """listMembers, listServices, allowedServices, getWsdl, getStatus for the client systems of this agency."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, call: ReceivedCall) -> ClientAnswer:
        """Answer one call. Raises UnknownService."""
        raise UnknownService(f"{call.service} is not served yet")

    def contract(self, url: str) -> bytes:
        """The WSDL with the address under which it was asked. Raises UnknownService."""
        raise UnknownService(f"no contract at {url}")

"""An information system that speaks SOAP, behind its own WSDL."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import aiohttp
from lxml import etree

from adapter import xmlsafe
from adapter.backends.breaker import Breaker
from adapter.backends.xroad import xroad_headers
from adapter.envelope.carried import accepted
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.soap import build_provider_request, parse_provider_answer
from adapter.envelope.xroad import check_repeated, render_headers
from adapter.errors import ProviderSystemDown, ProviderSystemInvalid, ProviderSystemTimeout
from adapter.stages import BackendAnswer, RecordedRequest, SoapVersion

# A SOAP answer comes with 200, a fault with 500 (SOAP 1.1, 6.2) or 400 (SOAP 1.2 Part 2, 7.5.2.2).
_ANSWER_STATUS: Final = frozenset({200, 202, 400, 500})
# A one-way request comes back without an envelope (WS-I Basic Profile 1.1, R2714).
_TAKEN_STATUS: Final = frozenset({200, 202, 204})
# What a proxy or an application server says when the system behind it is not there.
_DOWN_STATUS: Final = frozenset({502, 503, 504})
_XML_TYPES: Final = frozenset({"text/xml", "application/soap+xml", "application/xml"})
# Shorter than the 5 s after which common servers close an idle connection: a request is not sent into a closing one.
_KEEPALIVE_S: Final = 4.0
_CHUNK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapBackendConfig:
    """Where the system is and how long it is waited for. timeout_s: for one whole answer, waiting in line included."""

    address: str
    protocol: Literal["soap", "xroad-4.0"] = "soap"
    timeout_s: float = 20.0
    max_answer_bytes: int = 32 * 1024 * 1024
    pool: int = 16
    breaker_failures: int = 5
    breaker_reset_s: float = 10.0


class SoapBackend:
    """Implements ports.Backend over HTTP(S). One pool of connections and one breaker; one instance for each service.

    Never sends a request twice and follows no redirect. clock: seconds, monotonic.
    """

    def __init__(
        self, config: SoapBackendConfig, description: ServiceDescription, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._description = description
        self._clock = clock
        self._breaker = Breaker(max_failures=config.breaker_failures, reset_s=config.breaker_reset_s)
        self._limits = xmlsafe.XmlLimits(max_bytes=config.max_answer_bytes)
        self._session: aiohttp.ClientSession | None = None

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        """Post the Body to the system and take the Body of its answer.

        Raises ProviderSystemDown, ProviderSystemTimeout, ProviderSystemInvalid, ProviderSystemFault.
        """
        self._breaker, admitted = self._breaker.admit(self._clock())
        if not admitted:
            raise ProviderSystemDown("the system failed several times in a row and is left in peace for a while")
        asked = self._ask(request)
        try:
            answered = await self._post(request, asked)
        except (ProviderSystemDown, ProviderSystemTimeout):
            self._breaker = self._breaker.failed(self._clock())
            raise
        except ProviderSystemInvalid:
            self._breaker = self._breaker.succeeded()
            raise
        self._breaker = self._breaker.succeeded()
        if answered is None:
            return BackendAnswer(payload=accepted())
        octets, charset = answered
        return BackendAnswer(
            payload=parse_provider_answer(
                octets,
                self._limits,
                charset=charset,
                declared=asked.operation.carried_headers(in_output=True),
                may_be_encoded=asked.operation.is_encoded,
                check_header=asked.check_header,
            )
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _ask(self, request: RecordedRequest) -> _Asked:
        valid = request.authorized.valid
        operation = self._description.operation(valid.operation, valid.input_element)
        if self._config.protocol == "soap":
            return _Asked(operation=operation)
        sent = xroad_headers(request, operation)
        return _Asked(operation=operation, header=render_headers(sent), check_header=partial(check_repeated, sent=sent))

    async def _post(self, request: RecordedRequest, asked: _Asked) -> tuple[bytes, str] | None:
        """The answer and its charset; None when a one-way request was taken without a word."""
        operation = asked.operation
        try:
            async with self._open_session().post(
                self._config.address,
                data=build_provider_request(request.payload, operation.soap_version, asked.header),
                headers=_headers(operation),
                allow_redirects=False,
            ) as response:
                may_be_empty = operation.output_element is None and response.status in _TAKEN_STATUS
                octets = await self._read(response) if may_be_empty else b""
                if may_be_empty and not octets:
                    return None
                _check_response(response)
                return octets or await self._read(response), response.charset or ""
        except TimeoutError:
            raise ProviderSystemTimeout(f"no whole answer in {self._config.timeout_s} s") from None
        except aiohttp.ClientPayloadError:
            raise ProviderSystemInvalid("the answer broke off") from None
        except (aiohttp.ClientResponseError, aiohttp.InvalidURL, ValueError) as cause:
            raise ProviderSystemInvalid(f"not an HTTP answer: {type(cause).__name__}") from None
        except aiohttp.ClientConnectorError as cause:
            raise ProviderSystemDown(f"no connection: {type(cause).__name__}") from None
        except (aiohttp.ClientError, OSError) as cause:  # the request may have arrived
            raise ProviderSystemTimeout(f"the connection broke: {type(cause).__name__}") from None

    def _open_session(self) -> aiohttp.ClientSession:
        """The session, opened with the first request because it belongs to the loop that runs then."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._config.pool, keepalive_timeout=_KEEPALIVE_S),
                timeout=aiohttp.ClientTimeout(total=self._config.timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The whole answer, and not an octet more than is allowed."""
        chunks = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            chunks += chunk
            if len(chunks) > self._config.max_answer_bytes:
                raise ProviderSystemInvalid(f"the answer is longer than {self._config.max_answer_bytes} octets")
        return bytes(chunks)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """One request in the system's protocol. check_header: whether an answer's Header fits it."""

    operation: Operation
    header: bytes = b""
    check_header: Callable[[etree._Element | None], None] | None = None


def _headers(operation: Operation) -> dict[str, str]:
    """SOAP 1.1, 6.1.1: SOAPAction, quoted, always there. SOAP 1.2 Part 2, 6.5.3: action is a media type parameter."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "interagency-adapter"}
    if operation.soap_version is SoapVersion.SOAP11:
        return headers | {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.soap_action}"'}
    action = f'; action="{operation.soap_action}"' if operation.soap_action else ""
    return headers | {"Content-Type": f"application/soap+xml; charset=utf-8{action}"}


def _check_response(response: aiohttp.ClientResponse) -> None:
    is_xml = response.content_type in _XML_TYPES
    if response.status in _DOWN_STATUS and not is_xml:
        raise ProviderSystemDown(f"HTTP status {response.status}")
    if response.status not in _ANSWER_STATUS and not (response.status in _DOWN_STATUS and is_xml):
        raise ProviderSystemInvalid(f"HTTP status {response.status}")
    if not is_xml:
        raise ProviderSystemInvalid("the answer's Content-Type is not that of a SOAP envelope")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ProviderSystemInvalid("the answer is compressed, which was not asked for")

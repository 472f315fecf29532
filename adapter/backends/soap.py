"""An information system that speaks SOAP, behind its own WSDL."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

import aiohttp
from lxml import etree

from adapter import xmlsafe
from adapter.attachments import HeldAttachments
from adapter.backends.breaker import Breaker
from adapter.backends.xroad import xroad_headers
from adapter.crypto.content import KEY_OCTETS
from adapter.envelope.bodies import StreamedBody
from adapter.envelope.carried import accepted
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.multipart import MULTIPART, parameter_of, read_related_type
from adapter.envelope.packaging import envelope_type, package
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.soap import build_provider_request, parse_provider_answer
from adapter.envelope.xroad import check_repeated, render_headers
from adapter.errors import (
    AnswerNotRecorded,
    LimitExceeded,
    Overloaded,
    ProviderSystemDown,
    ProviderSystemInvalid,
    ProviderSystemTimeout,
    SchemaInvalid,
)
from adapter.exchange.parts import NO_ATTACHMENTS, AttachmentBounds, RelatedMessage
from adapter.large_messages import worked_on
from adapter.pace import TooSlow, TransferBounds, steadily
from adapter.stages import BackendAnswer, Packaging, RecordedRequest, SoapVersion

# A SOAP answer comes with 200, a fault with 500 (SOAP 1.1, 6.2) or 400 (SOAP 1.2 Part 2, 7.5.2.2).
_ANSWER_STATUS: Final = frozenset({200, 202, 400, 500})
# A one-way request comes back without an envelope (WS-I Basic Profile 1.1, R2714).
_TAKEN_STATUS: Final = frozenset({200, 202, 204})
# What a proxy or an application server says when the system behind it is not there.
_DOWN_STATUS: Final = frozenset({502, 503, 504})
_XML_TYPES: Final = frozenset({"text/xml", "application/soap+xml", "application/xml", MULTIPART})
# Shorter than the 5 s after which common servers close an idle connection: a request is not sent into a closing one.
_KEEPALIVE_S: Final = 4.0
_CHUNK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapBackendConfig:
    """Where the system is and how long it is waited for.

    addresses: of operations that it takes elsewhere, by name.
    timeout_s: for one whole answer, waiting in line included; with attachments, until it begins.
    packaging: how it takes attachments. attachments: of one answer. transfer: how slow one with attachments may come.
    """

    address: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    protocol: Literal["soap", "xroad-4.0"] = "soap"
    timeout_s: float = 20.0
    max_answer_bytes: int = 32 * 1024 * 1024
    pool: int = 16
    breaker_failures: int = 5
    breaker_reset_s: float = 10.0
    packaging: Packaging = Packaging.INLINE
    attachments: AttachmentBounds = NO_ATTACHMENTS
    transfer: TransferBounds = field(default_factory=TransferBounds)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What came back, untrusted. charset: as the Content-Type says, empty without."""

    octets: bytes
    charset: str
    attachments: HeldAttachments | None = None


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
        self._model = schema_model(description) if config.packaging is Packaging.MTOM else None

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        """Post the Body to the system and take the Body of its answer.

        Raises ProviderSystemDown, ProviderSystemTimeout, ProviderSystemInvalid, ProviderSystemFault.
        """
        self._breaker, admitted = self._breaker.admit(self._clock())
        if not admitted:
            raise ProviderSystemDown("the system failed several times in a row and is left in peace for a while")
        asked = self._ask(request)
        try:
            answer = await self._post(request, asked)
        except (ProviderSystemDown, ProviderSystemTimeout):
            self._breaker = self._breaker.failed(self._clock())
            raise
        except ProviderSystemInvalid:
            self._breaker = self._breaker.succeeded()
            raise
        self._breaker = self._breaker.succeeded()
        if answer is None:
            return BackendAnswer(payload=accepted())
        payload = await worked_on(len(answer.octets), lambda: self._parsed(answer, asked))
        return BackendAnswer(payload=payload, size=len(answer.octets), attachments=answer.attachments)

    def _parsed(self, answer: _Answer, asked: _Asked) -> etree._Element:
        return parse_provider_answer(
            answer.octets,
            self._limits,
            charset=answer.charset,
            declared=asked.operation.carried_headers(in_output=True),
            may_be_encoded=asked.operation.is_encoded,
            check_header=asked.check_header,
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

    async def _post(self, request: RecordedRequest, asked: _Asked) -> _Answer | None:
        """The answer; None when a one-way request was taken without a word."""
        data, headers = self._body(request, asked)
        try:
            async with (
                asyncio.timeout(self._config.timeout_s) as deadline,
                self._open_session().post(
                    self._config.addresses.get(asked.operation.name, self._config.address),
                    data=data if isinstance(data, bytes) else self._as_it_leaves(data, deadline),
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                if response.content_type == MULTIPART:
                    _check_response(response)
                    deadline.reschedule(None)  # from here on it is judged by whether it gets on
                    return await self._read_related(response, request)
                may_be_empty = asked.operation.output_element is None and response.status in _TAKEN_STATUS
                octets = await self._read(response) if may_be_empty else b""
                if may_be_empty and not octets:
                    return None
                _check_response(response)
                return _Answer(octets=octets or await self._read(response), charset=response.charset or "")
        except TooSlow as slow:
            raise ProviderSystemTimeout(f"the answer does not get on: {slow}") from None
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

    def _body(self, request: RecordedRequest, asked: _Asked) -> tuple[bytes | StreamedBody, dict[str, str]]:
        """The request as the system takes it, with its headers."""
        operation = asked.operation
        headers = _headers(operation)
        version = operation.soap_version
        if not request.attachments.held and self._model is None:
            return build_provider_request(request.payload, version, asked.header), headers
        body = package(
            request.payload,
            request.attachments,
            lambda: build_provider_request(request.payload, version, asked.header),
            packaging=self._config.packaging,
            version=version,
            soap_action=operation.soap_action,
            error=SchemaInvalid,
            model=self._model,
        )
        return body, headers | {"Content-Type": body.content_type, "Content-Length": str(body.size)}

    async def _as_it_leaves(self, body: StreamedBody, deadline: asyncio.Timeout) -> AsyncIterator[bytes]:
        """The body; the system has the time for its answer anew whenever it has taken a piece."""
        loop = asyncio.get_running_loop()
        async for octets in body.stream():
            deadline.reschedule(loop.time() + self._config.timeout_s)
            yield octets
        deadline.reschedule(loop.time() + self._config.timeout_s)

    async def _read_related(self, response: aiohttp.ClientResponse, request: RecordedRequest) -> _Answer:
        """An answer with attachments, encrypted as they come.

        Raises ProviderSystemInvalid, AnswerNotRecorded, TooSlow.
        """
        holding = request.proven.message.received.holding
        if holding is None:
            raise ProviderSystemInvalid("an answer with attachments, for which there is no place")
        related = read_related_type(response.headers["Content-Type"], ProviderSystemInvalid)
        chunks = steadily(aiter(response.content.iter_any()), self._config.transfer)
        message = RelatedMessage(chunks, related, self._config.attachments, ProviderSystemInvalid)
        try:
            root = await message.root(self._config.max_answer_bytes)
            attachments = await message.seal(holding, os.urandom(KEY_OCTETS))
        except LimitExceeded as cause:
            raise ProviderSystemInvalid(f"the answer is past a limit: {cause.reason}") from None
        except Overloaded as cause:
            raise AnswerNotRecorded(cause.reason) from None
        _, content_type = envelope_type(related, root.head, ProviderSystemInvalid)
        charset = parameter_of(content_type, "charset", ProviderSystemInvalid)
        return _Answer(octets=root.octets, charset=charset, attachments=attachments)

    def _open_session(self) -> aiohttp.ClientSession:
        """The session, opened with the first request because it belongs to the loop that runs then."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._config.pool, keepalive_timeout=_KEEPALIVE_S),
                timeout=aiohttp.ClientTimeout(total=None),
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

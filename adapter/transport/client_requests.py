"""What every way of calling has in common: one HTTP request of a client system, read, answered, refused."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from aiohttp import web

from adapter.attachments import HeldAttachments, Holding
from adapter.crypto.content import KEY_OCTETS
from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.envelope.multipart import media_type_of, read_related_type
from adapter.envelope.packaging import envelope_type
from adapter.errors import AdapterError, AttachmentsInvalid, ClientNotAllowed, InternalError
from adapter.exchange.consumer import Consumer
from adapter.exchange.delivery import CallProgress, refuse_call
from adapter.exchange.incidents import new_incident, where
from adapter.exchange.parts import RelatedMessage
from adapter.identifiers import ServiceId
from adapter.policy.clients import find_client
from adapter.stages import Packaging, ReceivedCall
from adapter.transport.http_protocol import REFUSED, SERVER_HEADER
from adapter.transport.http_server import (
    HttpBounds,
    hold_octets,
    is_multipart,
    its_turn,
    peer_of,
    read_body,
    read_chunks,
)
from adapter.transport.intake import AttachmentIntake
from adapter.transport.transfer import send_streamed
from adapter.xmlsafe import LARGE_BYTES

log = structlog.get_logger(__name__)

# What can stand in an address that a client system is given: a name, an address, a port.
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")

_SENT_UNASKED = frozenset(("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"))

Answering = Callable[[ReceivedCall], Awaitable[ClientAnswer]]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A request of which only the head is known, the service that it is for, and where attachments may be kept."""

    request: web.BaseRequest
    service: ServiceId
    holding: Holding


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSide:
    """What a listener for client systems answers with."""

    site: Consumer
    bounds: HttpBounds
    intake: AttachmentIntake

    async def respond(
        self,
        request: web.BaseRequest,
        service: ServiceId,
        form: AnswerForm,
        answering: Answering,
        *,
        takes_attachments: bool = True,
    ) -> web.StreamResponse:
        """Answer the request, with attachments or without. They are held until the last octet is sent."""
        with closing(self.intake.holding()) as holding:
            arrival = _Arrival(request, service, holding)
            answer = await self._answer(arrival, form, answering, takes_attachments=takes_attachments)
            if answer.streamed is not None:
                return await send_streamed(
                    request,
                    answer.streamed,
                    status=answer.status,
                    headers={**answer.headers, **SERVER_HEADER},
                    bounds=self.bounds.transfer,
                )
        return response_of(answer)

    async def _answer(
        self, arrival: _Arrival, form: AnswerForm, answering: Answering, *, takes_attachments: bool
    ) -> ClientAnswer:
        """Read the request and have it answered. Never raises: what goes wrong is recorded and answered in the form."""
        call: ReceivedCall | None = None
        try:
            _refuse_other_sites(arrival.request)
            call = await self._received(arrival, takes_attachments=takes_attachments)
            return await answering(call)
        except AdapterError as refused:
            await its_turn(arrival.request)  # many bodies may end at the same instant
            progress = CallProgress(received=call or self._unread(arrival), form=form)
            return await refuse_call(refused, progress, self.site)
        # The last door of what is not an exchange; `consume` has one of its own.
        except Exception as error:  # noqa: BLE001
            incident = new_incident()
            log.error("unexpected", incident=incident, error=type(error).__name__, where=where(error))
            refusal = InternalError(f"unexpected {type(error).__name__}")
            progress = CallProgress(received=call or self._unread(arrival), form=form)
            return await refuse_call(refusal, progress, self.site, incident=incident)

    def _unread(self, arrival: _Arrival) -> ReceivedCall:
        """What is known of a call before its body is read."""
        return received_call(arrival.request, arrival.service, b"", self.site, holding=arrival.holding)

    async def _received(self, arrival: _Arrival, *, takes_attachments: bool) -> ReceivedCall:
        """The call in the request. Raises what `_with_attachments` raises.

        Nothing large is read of whom nobody knows; a little is, so that the entry names what was refused.
        """
        if takes_attachments and is_multipart(arrival.request):
            return await self._with_attachments(arrival.request, self._unread(arrival))
        announced = arrival.request.content_length
        if announced is None or announced >= LARGE_BYTES:
            find_client(self._unread(arrival), self.site.clients)
        octets = await read_body(arrival.request, self.bounds)
        return received_call(arrival.request, arrival.service, octets, self.site, holding=arrival.holding)

    async def _with_attachments(self, request: web.BaseRequest, call: ReceivedCall) -> ReceivedCall:
        """The call with its attachments, encrypted as they come. Who calls is asked before anything is kept.

        Raises ClientNotIdentified; AttachmentsInvalid, LimitExceeded, RequestIncomplete, Overloaded.
        """
        find_client(call, self.site.clients)
        if call.holding is None:
            raise AttachmentsInvalid("there is no place for attachments")
        related = read_related_type(call.content_type, AttachmentsInvalid)
        chunks = read_chunks(request, self.bounds.transfer)
        message = RelatedMessage(chunks, related, self.intake.bounds, AttachmentsInvalid, may_greet=True)
        root = await message.root(self.bounds.max_message_bytes)
        hold_octets(request, len(root.octets))
        packaging, content_type = envelope_type(related, root.head, AttachmentsInvalid)
        attachments = await message.seal(call.holding, os.urandom(KEY_OCTETS))
        return received_call(
            request,
            call.service,
            root.octets,
            self.site,
            holding=call.holding,
            content_type=content_type,
            packaging=packaging,
            attachments=attachments,
        )


def _refuse_other_sites(request: web.BaseRequest) -> None:
    """Keep out what a page of any site can make a browser post unasked (Fetch Standard, 2.2.2: without a preflight).

    It would come from an address, or with a certificate, that we know. A browser then says where the page is from.
    Raises ClientNotAllowed.
    """
    if "Origin" in request.headers and media_type_of(request.headers.get("Content-Type", "")) in _SENT_UNASKED:
        raise ClientNotAllowed("a page in a browser sent this, as a media type that it may send unasked")


def readdressed(request: web.BaseRequest, call: ReceivedCall, service: ServiceId, site: Consumer) -> ReceivedCall:
    """The same call to the service that its message names."""
    return received_call(
        request,
        service,
        call.octets,
        site,
        holding=call.holding,
        content_type=call.content_type,
        packaging=call.packaging,
        attachments=call.attachments,
    )


def names_host(request: web.BaseRequest) -> bool:
    """Whether the Host header can stand in an address that is handed out."""
    return _HOST.fullmatch(request.host) is not None


def received_call(
    request: web.BaseRequest,
    service: ServiceId,
    octets: bytes,
    site: Consumer,
    *,
    holding: Holding | None = None,
    content_type: str | None = None,
    packaging: Packaging = Packaging.INLINE,
    attachments: HeldAttachments | None = None,
) -> ReceivedCall:
    """One HTTP request as a stage; credentials are taken from the Authorization header (RFC 7617, RFC 6750)."""
    token, user, password = _credentials(request.headers.get("Authorization", ""))
    return ReceivedCall(
        octets=octets,
        received_at=site.clock(),
        peer=peer_of(request),
        content_type=request.headers.get("Content-Type", "") if content_type is None else content_type,
        soap_action=request.headers.get("SOAPAction", "").strip('"'),
        service=service,
        bearer_token=token,
        basic_user=user,
        basic_password=password,
        packaging=packaging,
        attachments=attachments,
        holding=holding,
    )


def _credentials(authorization: str) -> tuple[str | None, str | None, str | None]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip(), None, None
    if scheme.lower() == "basic" and value:
        try:
            user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:  # not base64, not ASCII, not UTF-8
            return None, "", None
        return None, user, password if colon else None
    return None, None, None


def response_of(answer: ClientAnswer) -> web.Response:
    """An answer as HTTP has it."""
    response = web.Response(
        body=answer.octets,
        status=answer.status,
        headers={**answer.headers, **SERVER_HEADER, "Content-Type": answer.content_type},
    )
    if answer.refused is not None:
        response[REFUSED] = answer.refused
    return response


def plain(status: HTTPStatus, text: str) -> web.Response:
    """A sentence for a person who looks with a browser."""
    return web.Response(status=status, text=text + "\n", headers=SERVER_HEADER)

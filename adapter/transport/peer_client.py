"""The way to other adapters: one pool of mutual TLS 1.3 connections for each peer, pinned to its certificates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from adapter.audit.past import MAX_ANSWER_OCTETS
from adapter.directory.model import AdapterEntry, Directory
from adapter.envelope.bodies import StreamedBody
from adapter.envelope.multipart import MULTIPART, read_related_type
from adapter.errors import (
    AnswerNotHeld,
    EnvelopeRefused,
    LimitExceeded,
    Overloaded,
    PeerAnswerInvalid,
    PeerTimeout,
    PeerUnreachable,
)
from adapter.exchange.parts import NO_ATTACHMENTS, AttachmentBounds, RelatedMessage
from adapter.identifiers import MemberId
from adapter.pace import TooSlow, TransferBounds, steadily
from adapter.ports import Clock
from adapter.stages import Peer, ReceivedMessage, RecordedCall
from adapter.transport.destinations import DestinationRefused, PeerDestinations
from adapter.transport.peer_listener import CONTENT_TYPE, PATH, RECORD_PATH, peer_body
from adapter.transport.tls import TlsKey, peer_client_context

_RETIRE_EVERY_S = 5.0


@dataclass(slots=True)
class _Pool:
    """Connections to one peer, valid for exactly this address and these certificates, ours (shown) among them.

    in_use: calls on their way.
    """

    entry: AdapterEntry
    shown: TlsKey
    session: aiohttp.ClientSession
    peer: Peer
    in_use: int = 0


class PeerClient:
    """Posts recorded calls to the adapter of the member that provides the service."""

    def __init__(
        self,
        *,
        tls: TlsKey,
        directory: Callable[[], Directory],
        clock: Clock,
        timeout_s: float,
        max_message_bytes: int,
        attachments: AttachmentBounds = NO_ATTACHMENTS,
        transfer: TransferBounds | None = None,
        connections_per_peer: int = 64,
        destinations: PeerDestinations | None = None,
    ) -> None:
        self._tls = tls
        self._directory = directory
        self._clock = clock
        self._timeout_s = timeout_s
        self._attachments = attachments
        self._transfer = transfer or TransferBounds()
        self._max_message_bytes = max_message_bytes
        self._connections_per_peer = connections_per_peer
        self._destinations = destinations or PeerDestinations()
        self._pools: dict[MemberId, _Pool] = {}
        self._retired: list[_Pool] = []

    def show(self, tls: TlsKey) -> None:
        """Show this certificate to peers from now on: the next call opens new connections, what is on its way ends."""
        self._tls = tls

    async def send(self, call: RecordedCall) -> ReceivedMessage:
        """Post the sealed call; see ports.PeerTransport.

        A connection that breaks before an answer came is tried once more with the same signed message: the provider
        answers it at most once (promise 3).
        """
        pool = self._pool(call.sealed.header.service.subsystem.member)
        pool.in_use += 1
        try:
            try:
                return await self._post(pool, call)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                return await self._post(pool, call)
        except (TimeoutError, TooSlow):
            raise PeerTimeout("no answer in time") from None
        except aiohttp.ClientConnectorError as cause:
            if isinstance(cause.os_error, DestinationRefused):
                raise PeerUnreachable(f"the directory names a forbidden address: {cause.os_error}") from None
            raise PeerUnreachable(f"{type(cause).__name__} on the way to the provider's adapter") from None
        except aiohttp.InvalidURL:
            raise PeerUnreachable("the directory names an address that is none") from None
        except (aiohttp.ClientError, OSError) as cause:  # the request may have arrived
            raise PeerTimeout(f"{type(cause).__name__} while the provider's adapter was asked") from None
        finally:
            pool.in_use -= 1

    async def ask_about_record(self, member: MemberId, question: bytes) -> bytes:
        """Ask a member's adapter about its record (audit.past); gives its answer, untrusted.

        Raises UnknownMember, PeerUnreachable, PeerTimeout, PeerAnswerInvalid.
        """
        pool = self._pool(member)
        pool.in_use += 1
        url = pool.entry.address.rstrip("/") + RECORD_PATH
        headers = {"Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                pool.session.post(url, data=question, headers=headers, allow_redirects=False) as response,
            ):
                if response.status != HTTPStatus.OK:
                    raise PeerAnswerInvalid(f"asked about its record, the adapter answers with {response.status}")
                octets = await response.content.read(MAX_ANSWER_OCTETS + 1)
                while not response.content.at_eof() and len(octets) <= MAX_ANSWER_OCTETS:
                    octets += await response.content.read(MAX_ANSWER_OCTETS + 1 - len(octets))
        except TimeoutError:
            raise PeerTimeout("no answer about the record in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as cause:
            raise PeerUnreachable(f"{type(cause).__name__} on the way to ask about the record") from None
        finally:
            pool.in_use -= 1
        if len(octets) > MAX_ANSWER_OCTETS:
            raise PeerAnswerInvalid(f"the answer about the record has more than {MAX_ANSWER_OCTETS} octets")
        return octets

    async def retire_idle(self) -> None:
        """Close the connections to addresses and certificates that are no more, as soon as nothing is on its way there.

        Goes on until cancelled.
        """
        while True:
            await asyncio.sleep(_RETIRE_EVERY_S)
            await self.close_retired()

    async def close_retired(self) -> None:
        """Close the pools that were replaced and that nothing uses."""
        idle = [pool for pool in self._retired if not pool.in_use]
        self._retired = [pool for pool in self._retired if pool.in_use]
        await asyncio.gather(*(pool.session.close() for pool in idle))

    async def _post(self, pool: _Pool, call: RecordedCall) -> ReceivedMessage:
        sealed = call.sealed
        data: bytes | AsyncIterator[bytes] = sealed.octets
        headers = {"Content-Type": f"{CONTENT_TYPE}; charset=utf-8"}
        async with asyncio.timeout(self._timeout_s) as deadline:
            if sealed.attachments is not None:
                body = peer_body(sealed.octets, sealed.attachments)
                headers = {"Content-Type": body.content_type, "Content-Length": str(body.size)}
                data = self._as_it_leaves(body, deadline, call)
            async with pool.session.post(
                pool.entry.address.rstrip("/") + PATH, data=data, headers=headers, allow_redirects=False
            ) as response:
                if response.content_type == MULTIPART:
                    deadline.reschedule(None)  # from here on it is judged by whether it gets on
                    return await self._read_related(response, pool, call)
                return ReceivedMessage(octets=await self._read(response), received_at=self._clock(), peer=pool.peer)

    async def _as_it_leaves(
        self, body: StreamedBody, deadline: asyncio.Timeout, call: RecordedCall
    ) -> AsyncIterator[bytes]:
        """The body; the time starts anew with each piece that is taken, and with the last one the wait for the answer.

        How long that is, the provider reads in the message itself.
        """
        loop = asyncio.get_running_loop()
        whole_by = loop.time() + self._transfer.allowed_s(body.size)
        async for octets in body.stream():
            deadline.reschedule(min(loop.time() + self._transfer.stall_s, whole_by))
            yield octets
        left_s = (call.sealed.header.reply_by - self._clock()).total_seconds()
        deadline.reschedule(loop.time() + max(left_s, self._timeout_s))

    async def _read_related(self, response: aiohttp.ClientResponse, pool: _Pool, call: RecordedCall) -> ReceivedMessage:
        """A reply with attachments. Raises PeerAnswerInvalid, AnswerNotHeld, TooSlow."""
        holding = call.authorized.valid.parsed.identified.received.holding
        if holding is None:
            raise PeerAnswerInvalid("a reply with attachments, which nobody asked for")
        related = read_related_type(response.headers["Content-Type"], PeerAnswerInvalid)
        chunks = steadily(aiter(response.content.iter_any()), self._transfer)
        try:
            message = RelatedMessage(chunks, related, self._attachments, PeerAnswerInvalid)
            root = await message.root(self._max_message_bytes)
            received_at = self._clock()
            parts = await message.keep(holding)
        except (LimitExceeded, Overloaded) as cause:
            raise AnswerNotHeld(cause.reason) from None
        except EnvelopeRefused as cause:
            raise PeerAnswerInvalid(cause.reason) from None
        return ReceivedMessage(
            octets=root.octets, received_at=received_at, peer=pool.peer, parts=parts, holding=holding
        )

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        total = 0
        async for chunk in response.content.iter_any():
            total += len(chunk)
            if total > self._max_message_bytes:
                raise LimitExceeded("the provider's adapter answered with more than is accepted")
            chunks.append(chunk)
        return b"".join(chunks)

    def _pool(self, member: MemberId) -> _Pool:
        entry = self._directory().member(member).adapter
        pool = self._pools.get(member)
        if pool is not None and pool.entry == entry and pool.shown == self._tls:
            return pool
        if not entry.address.startswith("https://"):
            raise PeerUnreachable("the directory names an address that is not https")
        if not entry.tls_certificates:
            raise PeerUnreachable(f"the directory names no TLS certificate of {member} any more")
        if pool is not None:
            self._retired.append(pool)  # what is in flight on it may finish
        context = peer_client_context(self._tls, [known.certificate for known in entry.tls_certificates])
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=context,
                limit=self._connections_per_peer,
                keepalive_timeout=60,
                ttl_dns_cache=60,
                socket_factory=self._destinations.open_socket,
            ),
            timeout=aiohttp.ClientTimeout(total=None, connect=min(self._timeout_s, 10)),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept"),
        )
        # The handshake admits only these certificates; one stands for whichever of them was shown: if there is one,
        # that was named before too, since an exchange that began under the directory before knows no others.
        known = frozenset(one.sha256 for one in pool.entry.tls_certificates) if pool is not None else frozenset[bytes]()
        named = [one.sha256 for one in entry.tls_certificates]
        stands = next((one for one in named if one in known), named[0])
        peer = Peer(certificate_sha256=stands, address=entry.address)
        self._pools[member] = _Pool(entry=entry, shown=self._tls, session=session, peer=peer)
        return self._pools[member]

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(pool.session.close() for pool in (*self._pools.values(), *self._retired)))
        self._pools.clear()
        self._retired.clear()

"""The statuses of one worker: its own certificates' fetched ahead to send along, others' fetched when they are needed.

Whatever a message needs is looked up in the book; this fills it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from cryptography import x509

from adapter.app.rounds import look_every
from adapter.crypto.certificates import Purpose, sha256
from adapter.crypto.keys import AGREEMENT_PURPOSES
from adapter.crypto.status import NONCE_OCTETS, CertificateStatus, encode_ocsp_request
from adapter.crypto.suites import suite
from adapter.directory.model import Directory, Member
from adapter.directory.status import StatusBook, StatusQuestion
from adapter.directory.trust import ChainCache, question_about
from adapter.errors import AdapterError, StatusUnavailable
from adapter.identifiers import MemberId
from adapter.ports import Clock
from adapter.store.status_copies import StatusCopies
from adapter.transport.status_client import StatusClient

log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 1.0
_AGAIN_AFTER: Final = timedelta(seconds=10)
"""After a failure, and at least between two questions about one certificate."""
_LIST_KEPT: Final = timedelta(seconds=30)
"""A list that was just fetched answers for every certificate of its authority."""
_MAX_AT_ONCE: Final = 16


class StatusKeeper:
    """Keeps a StatusBook fresh. One question at a time for each certificate, sixteen at most."""

    def __init__(
        self,
        *,
        own: MemberId,
        book: StatusBook,
        client: StatusClient,
        copies: StatusCopies,
        directory: Callable[[], Directory],
        chains: ChainCache,
        clock: Clock,
    ) -> None:
        self.book = book
        self._own = own
        self._client = client
        self._copies = copies
        self._directory = directory
        self.chains = chains
        self._clock = clock
        self._asking: dict[bytes, asyncio.Task[CertificateStatus]] = {}
        self._not_before: dict[bytes, datetime] = {}
        self._lists: dict[str, tuple[datetime, bytes]] = {}
        self._version = 0
        self._few = asyncio.Semaphore(_MAX_AT_ONCE)

    def staple(self, certificate: x509.Certificate) -> bytes | None:
        """The OCSP response to send along with what this certificate signs; None when there is none that is fresh."""
        status = self.book.known(sha256(certificate))
        if status is None or status.is_list or status.usable_until <= self._clock():
            return None
        return status.octets

    async def learn(self, question: StatusQuestion) -> None:
        """Ask now, or wait for the answer that is being asked for. Raises StatusUnavailable.

        After a failure nobody asks again for ten seconds: a responder that is down makes no message wait twice.
        """
        key = question.sha256
        task = self._asking.get(key)
        if task is None:
            if self._clock() < self._not_before.get(key, datetime.min.replace(tzinfo=self._clock().tzinfo)):
                raise StatusUnavailable("the status of the certificate was asked for in vain a moment ago")
            task = self._asking[key] = asyncio.create_task(self._ask(question))
            task.add_done_callback(lambda _done: self._asking.pop(key, None))
        await asyncio.shield(task)

    async def keep_fresh(self) -> None:
        """Ask for ever for our own statuses and for those that messages needed, once half of their time is over."""
        await look_every(_LOOK_EVERY_S, self._look, failed="statuses not looked at")

    async def _look(self) -> None:
        now = self._clock()
        due = [one for one in self._questions(now) if self._is_due(one, now)]
        found = await asyncio.gather(*(self.learn(one) for one in due), return_exceptions=True)
        for question, failure in zip(due, found, strict=True):
            if isinstance(failure, AdapterError):
                log.warning(
                    "status not learnt", certificate=question.sha256.hex(), code=failure.code, because=failure.reason
                )

    def _questions(self, now: datetime) -> list[StatusQuestion]:
        try:
            directory = self._directory()
            own = directory.member(self._own)
        except AdapterError:
            return []
        certificates = [(one.certificate, Purpose.SIGNING) for one in own.signing]
        certificates += [
            one
            for member in {own.id, *frozenset(self.book.partners)}
            if member in directory.members
            for one in _of_partner(directory.members[member])
        ]
        if directory.version != self._version:
            self.book.wanted.clear()  # what is registered no more is asked about no more; messages ask for the rest
            self._version = directory.version
        questions = dict(self.book.wanted)
        for certificate, purpose in certificates:
            try:
                question = question_about(certificate, directory, now, self.chains, purpose)
            except AdapterError:
                continue  # not valid now: whoever signs with it says so
            if question is not None:
                questions[question.sha256] = question
        return list(questions.values())

    def _is_due(self, question: StatusQuestion, now: datetime) -> bool:
        if now < self._not_before.get(question.sha256, now):
            return False
        status = self.book.known(question.sha256)
        return status is None or now >= status.this_update + (status.usable_until - status.this_update) / 2

    async def _ask(self, question: StatusQuestion) -> CertificateStatus:
        self._not_before[question.sha256] = self._clock() + _AGAIN_AFTER
        failures: list[str] = []
        async with self._few:
            for address in question.authority.ocsp_addresses:
                try:
                    return await self._adopt(await self._ask_responder(address, question))
                except AdapterError as failure:
                    failures.append(f"{address}: {failure.reason}")
            for address in question.authority.crl_addresses:
                try:
                    return await self._adopt(await self._look_up(address, question))
                except AdapterError as failure:
                    failures.append(f"{address}: {failure.reason}")
        raise StatusUnavailable("; ".join(failures) or "the directory names nobody to ask")

    async def _ask_responder(self, address: str, question: StatusQuestion) -> CertificateStatus:
        nonce = os.urandom(NONCE_OCTETS)
        encoded = encode_ocsp_request(question.certificate, question.authority.certificate, nonce)
        return question.read_response(await self._client.ask(address, encoded), self._clock(), nonce)

    async def _look_up(self, address: str, question: StatusQuestion) -> CertificateStatus:
        fetched_at, octets = self._lists.get(address, (None, b""))
        if fetched_at is None or self._clock() - fetched_at > _LIST_KEPT:
            octets = await self._client.list(address)
            self._lists[address] = (self._clock(), octets)
        return await asyncio.to_thread(question.read_list, octets, self._clock())

    async def _adopt(self, status: CertificateStatus) -> CertificateStatus:
        self.book.learn(status)
        if status.revoked_at is not None:
            log.warning("certificate revoked", certificate=status.certificate_sha256.hex(), since=status.revoked_at)
        if not status.is_list:
            await asyncio.to_thread(self._copies.keep, status.certificate_sha256, status.octets)
        return status

    def load_copies(self) -> None:
        """Begin with what was known before a restart; each is judged again. Before the first message is signed."""
        now = self._clock()
        for question in self._questions(now):
            octets = self._copies.load(question.sha256)
            if octets is not None:
                try:
                    self.book.learn(question.read_response(octets, now))
                except AdapterError as refused:
                    log.info("a stored status is not used", code=refused.code, because=refused.reason)


def _of_partner(member: Member) -> list[tuple[x509.Certificate, Purpose]]:
    """What a member is encrypted to and recognised by."""
    usage = AGREEMENT_PURPOSES[suite(member.suite).agreement_usage]
    agreement = [(one.certificate, usage) for one in member.agreement if one.suite == member.suite]
    return [*agreement, *((one.certificate, Purpose.TLS) for one in member.adapter.tls_certificates)]

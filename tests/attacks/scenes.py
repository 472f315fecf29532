"""One exchange between two adapters in memory, with an attacker between them: what came of it, in every respect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from cryptography import x509
from lxml import etree

from adapter.audit.entry import REPLY_RECEIVED, REPLY_SENT, REQUEST_RECEIVED
from adapter.crypto.open import decrypt
from adapter.crypto.suites import suite as suite_row
from adapter.directory.model import Directory
from adapter.envelope import names
from adapter.envelope.faults import read_fault
from adapter.envelope.gate import gate, parse_message
from adapter.errors import catalogue
from adapter.exchange.provider import PeerAnswer
from adapter.policy.rules import AccessRule
from adapter.ports import Entry
from adapter.stages import MessageKind, Peer, ReceivedMessage
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.attacks.draft import Direction, Draft, Hand, Signing, in_the_clear, known_plaintexts, prefix_lists, same
from tests.attacks.watch import Canary
from tests.pki import Federation, FederationMember, registered
from tests.two_sides import TwoSides, fault_code, opener_of, sealed_request, two_sides

ANSWERED = "answered"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one message.

    code: of the entry in the victim's record; for a reply that was not believed, the reason within PeerAnswerInvalid.
    public: the code that the other side sees. said: the octets that it gets. asked: how often the information system
    was asked. entries: those that this message brought about. touched: files and connections.
    """

    code: str
    public: str
    said: bytes
    asked: int
    entries: int
    touched: tuple[str, ...]
    used: etree._Element | None


@dataclass(kw_only=True)
class Scene:
    """One suite, one direction; the attacker stands on the wire."""

    suite: str
    direction: Direction
    federation: Federation
    canary: Canary
    captured: bytes = b""
    sent: bytes = b""
    _other: tuple[bytes, bytes] | None = None
    _version: int = 2
    _content_key: bytes = b""

    @cached_property
    def sides(self) -> TwoSides:
        """The two adapters, made anew for no message but emptied before each."""
        return two_sides(self.federation)

    @property
    def kind(self) -> MessageKind:
        """Which profile the victim's gate applies."""
        return MessageKind.REQUEST if self.direction is Direction.REQUEST else MessageKind.REPLY

    @property
    def victim(self) -> FederationMember:
        """Who receives the changed message."""
        return self.federation.population if self.direction is Direction.REQUEST else self.federation.social

    @property
    def signer(self) -> FederationMember:
        """Who signed it."""
        return self.federation.social if self.direction is Direction.REQUEST else self.federation.population

    def draft(self, captured: bytes, hand: Hand) -> Draft:
        """A captured message in this attacker's hands."""
        content_key = self._content_key
        if self._other is None:
            self._other = (captured, content_key)
        other, other_key = self._other
        clear, plaintexts = in_the_clear(captured, content_key)
        opened = etree.fromstring(clear)
        root = etree.fromstring(captured if hand is Hand.OUTSIDER else clear)
        return Draft(
            hand=hand,
            direction=self.direction,
            federation=self.federation,
            victim=self.victim,
            third=self.federation.cadastre,
            canary=self.canary,
            root=root,
            captured=captured,
            other=other,
            other_key=other_key,
            opened=known_plaintexts(opened, plaintexts),
            signing=Signing(signer=self.signer, algorithm=suite_row(self.suite).signature_algorithm),
            register=self._register,
            captured_key=content_key,
            prefix_lists=prefix_lists(next(opened.iter(names.SIGNATURE))),
        )

    async def run(self, attack: Callable[[bytes], bytes]) -> Outcome:
        """One exchange in which the attacker changes the message of this direction. Raises what the attack raises."""
        self.forget()
        failures: list[Exception] = []

        def on_the_way(octets: bytes) -> bytes:
            self.captured = octets
            if self.direction is not Direction.REQUEST:
                self._content_key = self.sides.provider_record.log[-1].kept[-1].content_key
            try:
                with self.canary.looking_away():
                    self.sent = attack(octets)
            except Exception as failure:  # noqa: BLE001 - it must not look like a failure of the adapter
                failures.append(failure)
            return self.sent

        run = self._run_request if self.direction is Direction.REQUEST else self._run_reply
        outcome = await run(on_the_way)
        if failures:
            raise failures[0]
        return outcome

    async def again(self) -> Outcome:
        """The captured request of the run before, unchanged, to a victim who remembers that run."""
        before = len(self.sides.provider_record.log)
        with self.canary.watching() as touched:
            answer = await self.sides.wire.post(self.captured)
        entries = [write.entry for write in self.sides.provider_record.log[before:]]
        return self._outcome(entries, self._public(answer), answer.octets, touched)

    async def _run_request(self, on_the_way: Callable[[bytes], bytes]) -> Outcome:
        sealed = sealed_request(self.sides)
        self._content_key = sealed.content_key
        octets = on_the_way(sealed.octets)
        with self.canary.watching() as touched:
            answer = await self.sides.wire.post(octets)
        entries = [write.entry for write in self.sides.provider_record.log]
        return self._outcome(entries, self._public(answer), answer.octets, touched)

    def _public(self, answer: PeerAnswer) -> str:
        """What the sender of a request learns: of a signed answer what stands in it."""
        if b"EncryptedData" not in answer.octets:
            return fault_code(answer)
        received = ReceivedMessage(
            octets=answer.octets, received_at=self.sides.clock(), peer=Peer(certificate_sha256=None, address="")
        )
        gated = gate(parse_message(received, DEFAULT_LIMITS), MessageKind.REPLY)
        body = decrypt(gated, opener_of(self.federation.social).keys).body
        return read_fault(body[0]).code if body[0].tag == names.SOAP12_FAULT else ANSWERED

    async def _run_reply(self, on_the_way: Callable[[bytes], bytes]) -> Outcome:
        sides = self.sides
        sides.wire.change_reply = on_the_way
        with self.canary.watching() as touched:
            answer = await sides.call()
        entries = [write.entry for write in sides.consumer_record.log[1:]]
        return self._outcome(entries, fault_code(answer), answer.octets, touched)

    def _outcome(self, entries: list[Entry], public: str, said: bytes, touched: list[str]) -> Outcome:
        """The entry of a message that was taken, and what was sent for it, count as one."""
        asked = self.sides.register.asked
        return Outcome(
            code=_code_of(entries[0]) if entries else "no entry",
            public=public,
            said=said,
            asked=len(asked) if self.direction is Direction.REQUEST else 0,
            entries=len([entry for entry in entries if entry.kind != REPLY_SENT]),
            touched=tuple(touched),
            used=asked[-1].payload if asked else None,
        )

    def _register(self, certificate: x509.Certificate) -> None:
        """A directory in which this is the signer's one signing certificate, for this run."""
        draft = self.federation.draft()
        member = draft.members[self.signer.id]
        changed = replace(member, signing=(registered(certificate, self.suite),))
        self.sides.directory = self.federation.directory(
            replace(draft, version=self._version, members={**draft.members, self.signer.id: changed})
        )
        self._version += 1

    @cached_property
    def _rules(self) -> tuple[AccessRule, ...]:
        return two_sides(self.federation).rules

    @cached_property
    def _directory(self) -> Directory:
        return self.federation.directory()

    def forget(self) -> None:
        """Both sides as they were before any message."""
        sides = self.sides
        sides.rules = () if self.direction is Direction.FAULT else self._rules
        sides.wire.change_reply = same
        sides.directory = self._directory
        for record in (sides.provider_record, sides.consumer_record):
            record.log.clear()
            record.known.clear()
        sides.register.asked.clear()
        sides.wire.sent.clear()
        sides.wire.answers.clear()


def _code_of(entry: Entry) -> str:
    """What an entry says became of a message. Of a reply that is not believed the reason within is told apart."""
    if entry.kind in (REQUEST_RECEIVED, REPLY_RECEIVED):
        return ANSWERED
    if entry.outcome == "PeerAnswerInvalid":
        within = str(entry.body["reason"]).partition(":")[0]
        return within if within in _CODES else str(entry.outcome)
    return str(entry.outcome)


_CODES = frozenset(error.code for error in catalogue())

"""findUsage between two adapters: a person is told of themselves only, in pages that fit together, proved."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapter.app.usage_desk import RecordDesk
from adapter.audit.secrecy import Covered, order_details
from adapter.audit.subjects import subject_tag
from adapter.backends.usage import ABOUT_THE_SUBJECT, UsageBackend, UsageBackendConfig, usage_description
from adapter.crypto.open import decrypt, verify
from adapter.directory.content import SecrecyKind
from adapter.directory.model import DirectoryService
from adapter.envelope.faults import read_fault
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.names import USAGE
from adapter.errors import SettingsInvalid
from adapter.exchange.provider import PeerAnswer, ProvidedService
from adapter.identifiers import ServiceId, SubjectId
from adapter.policy.rules import AccessRule
from adapter.ports import Entry
from adapter.stages import MessageKind, Peer, PersonalData, ReceivedMessage, RepresentedParty
from adapter.store.appending import append_entries
from adapter.store.secrecy_orders import SecrecyOrders
from adapter.store.usage_reader import UsageReader
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.get_person import GOOD_PERSONAL_DATA, OTHER_PINFL, PINFL, description
from tests.pki import NOW
from tests.proof_check import opened_checkpoint, root_of
from tests.records import RecordHome
from tests.two_sides import TwoSides, opener_of, request_header, sealed_request

KEY = b"k" * 32
LAW = {"kind": "law", "reference": "ZRU-395", "article": "12"}
U = f"{{{USAGE}}}"


def entry(kind: str, minute: int, message: str, *, pinfl: str = PINFL, **said: Any) -> Entry:
    at = NOW + timedelta(minutes=minute)
    body = {
        "v": 1,
        "kind": kind,
        "message_id": message,
        "consumer": "UZ/GOV/200000003/benefits",
        "service": "UZ/GOV/200000001/population/GetPerson/v1",
        "operation": "GetPerson",
        "official": "A-1234",
    }
    if kind != "reply-sent":
        body |= {"subjects": [subject_tag(KEY, "pinfl", pinfl)], "purpose": "benefit", "legal_basis": LAW}
    return Entry(body=body | said, kind=kind, at=at, message_id=message, outcome="released")


@dataclass
class Desk:
    """A register with a record of its own, which a portal asks."""

    sides: TwoSides
    home: RecordHome
    service: ServiceId
    backend: UsageBackend

    def release(self, minute: int, *, pinfl: str = PINFL, **said: Any) -> None:
        """One exchange, in a batch of its own."""
        message, number = f"m{minute}", self.home.reader.end_size()
        request = entry("request-received", minute, message, pinfl=pinfl, **said)
        fields = ["R/Person/Pinfl", "R/Person/Surname"]
        reply = entry("reply-sent", minute, message, request_entry=number, fields=fields)
        append_entries(self.home.database, self.home.log, [request, reply])

    async def ask(self, asked: str = "", *, body: str = PINFL, personal_data: PersonalData = GOOD_PERSONAL_DATA) -> Any:
        """The answer's element, or the code of the fault."""
        payload = f'<findUsage xmlns="{USAGE}"><Subject kind="pinfl">{body}</Subject>{asked}</findUsage>'
        header = replace(request_header(self.sides), service=self.service, operation="findUsage")
        request = sealed_request(self.sides, header=header, payload=payload, personal_data=personal_data)
        return self.read(await self.sides.wire.post(request.octets))

    def read(self, answer: PeerAnswer) -> Any:
        received = ReceivedMessage(
            octets=answer.octets, received_at=self.sides.clock(), peer=Peer(certificate_sha256=None, address="")
        )
        gated = gate(parse_message(received, DEFAULT_LIMITS), MessageKind.REPLY)
        payload = verify(decrypt(gated, opener_of(self.sides.federation.social).keys)).payload
        if payload.tag == f"{U}findUsageResponse":
            return payload
        fault = read_fault(payload)
        return (fault.code, *(problem.text for problem in fault.problems))


def offered(sides: TwoSides, home: RecordHome, service: ServiceId) -> UsageBackend:
    """The register offers the service, and one rule lets the portal ask."""
    desk = RecordDesk(
        reader=UsageReader(home.database),
        subject_key=KEY,
        directory=lambda: sides.directory,
        clock=sides.clock,
        officials=False,
    )
    backend = UsageBackend(UsageBackendConfig(), usage_description(), desk)
    provided = ProvidedService(description=usage_description(), backend=backend, subject_rule=ABOUT_THE_SUBJECT)
    sides.provider = sides.wire.provider = replace(sides.provider, services={service: provided})
    listed = DirectoryService(service=service, titles={"en": "x"}, personal_data=True, description_sha256="0" * 64)
    sides.directory = replace(sides.directory, services={**sides.directory.services, service: listed})
    sides.rules = (AccessRule(id="portal", consumer=str(sides.federation.social.subsystem), service=service),)
    return backend


@pytest.fixture
def desk(sides: TwoSides, tmp_path: Path) -> Iterator[Desk]:
    home, service = RecordHome.make(tmp_path), ServiceId(sides.federation.population.subsystem, "findUsage", "v1")
    made = Desk(sides, home, service, offered(sides, home, service))
    for minute in range(5):
        made.release(minute, pinfl=OTHER_PINFL if minute == 2 else PINFL)
    yield made
    made.backend._threads.shutdown()


def numbers(page: etree._Element) -> list[int]:
    return [int(one.get("number", "")) for one in page.iter(f"{U}Request")]


async def test_a_person_is_told_who_got_what_on_which_ground(desk: Desk) -> None:
    page = await desk.ask()
    assert [page.findtext(U + name) for name in ("Total", "Withheld", "Refused", "Offset", "RecordSize")] == [
        "4",
        "0",
        "0",
        "0",
        "10",
    ]
    newest = page.find(f"{U}Usage")
    assert newest.findtext(f"{U}LogTime") == (NOW + timedelta(minutes=4)).isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    assert newest.findtext(f"{U}Action") == "GetPerson"
    assert newest.findtext(f"{U}System") == "UZ/GOV/200000001/population"
    receiver, basis = newest.find(f"{U}Receiver"), newest.find(f"{U}LegalBasis")
    assert receiver.get("code") == "UZ/GOV/200000003/benefits"
    assert "Social Protection Agency (synthetic)" in [one.text for one in receiver]
    assert (newest.find(f"{U}Purpose").get("code"), basis.get("kind")) == ("benefit", "law")
    assert (basis.findtext(f"{U}Reference"), basis.findtext(f"{U}Named")) == ("ZRU-395", "12")
    assert [one.text for one in newest.find(f"{U}Given")] == ["R/Person/Pinfl", "R/Person/Surname"]
    assert newest.find(f"{U}Official") is None
    assert newest.find(f"{U}Emergency") is None
    assert PINFL not in etree.tostring(page).decode()


async def test_an_emergency_is_told_as_one(desk: Desk) -> None:
    desk.release(7, emergency={"reason": "made up"})
    page = await desk.ask("<Limit>2</Limit>")
    assert [one.find(f"{U}Emergency") is not None for one in page.iter(f"{U}Usage")] == [True, False]
    assert "made up" not in etree.tostring(page).decode()


async def test_every_entry_is_proved_to_whoever_has_the_records_key(desk: Desk) -> None:
    page = await desk.ask()
    size, root = opened_checkpoint(b64decode(page.findtext(f"{U}Checkpoint")), desk.home.signer.vkey)
    proved = [*page.iter(f"{U}Request"), *page.iter(f"{U}Answer")]
    assert (size, len(proved)) == (10, 8)
    for one in proved:
        index, leaf, *path = int(one.get("number", "")), *(b64decode(hash_.text) for hash_ in one)
        assert leaf == desk.home.reader.show(index).leaf_hash
        assert root_of(leaf, index, size, path) == root
        assert root_of(bytes(32), index, size, path) != root


async def test_pages_fit_together_while_new_entries_come_in(desk: Desk) -> None:
    first = await desk.ask("<Limit>2</Limit>")
    desk.release(9)
    size = first.findtext(f"{U}RecordSize")
    second = await desk.ask(f"<Offset>2</Offset><Limit>2</Limit><RecordSize>{size}</RecordSize>")
    assert (numbers(first), numbers(second)) == ([8, 6], [2, 0])
    assert first.findtext(f"{U}Checkpoint") == second.findtext(f"{U}Checkpoint")
    assert second.findtext(f"{U}Total") == "4"
    assert numbers(await desk.ask("<Limit>2</Limit>")) == [10, 8]
    assert await desk.ask("<RecordSize>3</RecordSize>") == (
        "ProviderSystemFault",
        "There is no page of that RecordSize: begin again with the first page.",
    )


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(desk: Desk) -> None:
    since, until = instant(NOW + timedelta(minutes=1)), instant(NOW + timedelta(minutes=4))
    page = await desk.ask(f"<From>{since}</From><Until>{until}</Until>")
    assert (numbers(page), page.findtext(f"{U}Total")) == ([6, 2], "2")


def about(*pinfls: str, party: RepresentedParty | None = None) -> PersonalData:
    subjects = tuple(SubjectId("pinfl", pinfl) for pinfl in pinfls)
    return replace(GOOD_PERSONAL_DATA, subjects=subjects, represented_party=party)


@pytest.mark.parametrize(
    ("body", "personal_data", "fault"),
    [
        (OTHER_PINFL, about(PINFL), ()),
        (PINFL, about(OTHER_PINFL), ()),
        (PINFL, about(PINFL, OTHER_PINFL), ("A request to this service is about one person.",)),
        (
            PINFL,
            about(PINFL, party=RepresentedParty(party_class=None, code=OTHER_PINFL)),
            ("The answer of this service is for the subject of the request.",),
        ),
        (PINFL, replace(about(), subjects=(SubjectId("stir", "200000003"),)), ()),
    ],
)
async def test_nobody_is_told_of_somebody_else(
    desk: Desk, body: str, personal_data: PersonalData, fault: tuple[str, ...]
) -> None:
    assert await desk.ask(body=body, personal_data=personal_data) == ("SubjectMismatch", *fault)
    assert desk.sides.provider_record.kinds == ["refused"]


async def test_the_person_may_be_the_party_who_is_spoken_for(desk: Desk) -> None:
    party = RepresentedParty(party_class="person", code=PINFL)
    assert len(numbers(await desk.ask(personal_data=about(PINFL, party=party)))) == 4


async def test_the_ordinary_decision_of_access_comes_first(desk: Desk) -> None:
    desk.sides.rules = ()
    assert (await desk.ask())[0] == "AccessDenied"


@pytest.mark.parametrize(
    "asked",
    [
        "<Limit>101</Limit>",
        "<Limit>0</Limit>",
        "<Offset>-1</Offset>",
        "<RecordSize>0</RecordSize>",
        "<From>2026-03-02</From>",
        "<From>2026-03-02T09:00:00+05:00</From>",
        "<From>2026-03-02T24:00:00Z</From>",
    ],
)
async def test_a_page_has_bounds(desk: Desk, asked: str) -> None:
    assert (await desk.ask(asked))[0] == "SchemaInvalid"


async def test_what_an_order_covers_is_counted_and_told_when_the_order_is_lifted(desk: Desk) -> None:
    kind = SecrecyKind(code="inquiry", titles={"en": "An inquiry"}, maximum=timedelta(days=9))
    desk.release(6, purpose="inquiry")
    details = order_details(kind, "17-2026", Covered(purpose="inquiry"), until=NOW.date(), now=NOW)
    orders, log = SecrecyOrders(desk.home.database), desk.home.log
    number = orders.place(details, officer="officer-7", log=log, now=NOW)
    page = await desk.ask()
    assert (page.findtext(f"{U}Withheld"), numbers(page)) == ("1", [8, 6, 2, 0])
    assert "inquiry" not in etree.tostring(page).decode()
    orders.lift(number, "closed", officer="officer-7", log=log, now=NOW, more={})
    page = await desk.ask()
    assert (page.findtext(f"{U}Withheld"), numbers(page)) == ("0", [10, 8, 6, 2, 0])


async def test_a_record_that_cannot_be_read_is_a_fault_to_ask_again_after(desk: Desk) -> None:
    desk.home.change("UPDATE entries SET document = 'x' WHERE number = 8")
    assert (await desk.ask())[0] == "ProviderSystemDown"


def test_the_backend_answers_no_other_contract(desk: Desk) -> None:
    with pytest.raises(SettingsInvalid, match="--built-in usage"):
        UsageBackend(UsageBackendConfig(), description(), desk.backend._desk)

"""Records for the pages about them: the register's own, the same written anew, and what another member holds of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.held import HeldCheckpoints
from adapter.audit.peer_checkpoints import Fork, ShownState, shown_checkpoint
from adapter.audit.reviews import ReviewFinding
from adapter.audit.subjects import subject_key, subject_tag
from adapter.cli.own_record import own_log, record_signer
from adapter.crypto.note import NoteSigner
from adapter.envelope.instants import write_instant
from adapter.identifiers import MemberId
from adapter.ports import Entry
from adapter.settings import Settings, load_settings
from adapter.store.alarms import FORKED
from adapter.store.appending import append_entries
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from adapter.store.migrate import prepare
from adapter.store.peer_checkpoints import PeerCheckpoints, keep_shown
from adapter.store.reviews import EmergencyReviews

PERSON = "pinfl:" + "30101850000008"
SOCIAL = MemberId.parse("UZ/GOV/200000003")
CADASTRE = MemberId.parse("UZ/GOV/200000002")
SHOWN = ((40, 1), (52, 2), (52, 3))
"""What the cadastre showed with the first entries: size, and the octet that its root is made of."""
_TASHKENT = timezone(timedelta(hours=5))
_MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=_TASHKENT)
_KEY = subject_key(bytes(range(32)))


def settings_of(home: Path) -> Settings:
    return load_settings(home / "adapter.toml")


def an_asking(
    at: datetime, number: int, *, official: str | None = "A-1234", subject: str = PERSON, **said: Any
) -> Entry:
    """A request that was let in, or what `said` makes of it."""
    body = {
        "v": 1,
        "kind": "request-received",
        "at": write_instant(at),
        "message_id": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        "consumer": "UZ/GOV/200000003/benefits",
        "service": "UZ/GOV/200000001/population/GetPerson/v1",
        "operation": "GetPerson",
        "official": official,
        "purpose": "benefit",
        "rule": "rule-0001",
        "legal_basis": {"kind": "law", "reference": "ZRU-395, article 12"},
        "subjects": [subject_tag(_KEY, *subject.split(":"))],
        "outcome": "released",
        **said,
    }
    return Entry(
        body={name: value for name, value in body.items() if value is not None},
        kind=body["kind"],
        at=at,
        message_id=body["message_id"],
        consumer=body["consumer"],
        service=body["service"],
        outcome=body["outcome"],
        incident=body.get("incident"),
    )


def _answer(asking: Entry, number: int) -> Entry:
    kept = ("v", "at", "message_id", "consumer", "service", "operation", "official")
    body = {name: asking.body[name] for name in kept} | {
        "kind": "reply-sent",
        "request_entry": number,
        "in_reply_to": asking.message_id,
    }
    return replace(asking, body=body | {"outcome": "answered"}, kind="reply-sent", outcome="answered")


def day_of_work() -> list[Entry]:
    """Three exchanges, of two consumers, and a refusal."""
    made: list[Entry] = []
    for number, (official, subject) in enumerate((("A-1234", PERSON), ("A-77", PERSON), ("A-1234", "stir:200000001"))):
        asking = an_asking(_MONDAY + timedelta(minutes=5 * number), number, official=official, subject=subject)
        made += [asking, _answer(asking, len(made))]
    refused: dict[str, Any] = {"kind": "refused", "outcome": "AccessDenied", "incident": "5e6c2f1a90d7", "rule": None}
    last = an_asking(_MONDAY + timedelta(hours=26), 9, purpose="pension", reason="no rule allows this", **refused)
    shown = [
        replace(one, body={**one.body, "peer_checkpoint": {"size": size, "root": bytes([root]).hex() * 32}})
        for one, (size, root) in zip(made, SHOWN, strict=False)
    ]
    return [*shown, *made[len(shown) :], last]


def build(place: Path) -> Path:
    """register/: a record. rewritten/: its operator wrote it anew, without the second exchange.

    held/: what Social holds. And in the register's database what the cadastre showed, with an alarm about it.
    """
    settings = settings_of(place / "register")
    shutil.copytree(place / "register", place / "rewritten")
    held = []
    for first, last in ((0, 2), (2, 4), (4, 7)):
        _append(settings, day_of_work()[first:last])
        newest = LogReader(open_database(settings.database_url)).latest_checkpoint()
        assert newest is not None
        held.append((day_of_work()[last - 1].at, newest.note))
    _append(settings_of(place / "rewritten"), [*day_of_work()[:2], *day_of_work()[4:]])
    (place / "held").mkdir()
    text = HeldCheckpoints.made(settings.member, SOCIAL, held).text
    (place / "held" / "social.json").write_text(text)
    (place / "register.vkey").write_text(record_signer(settings).vkey + "\n")
    (place / "person").write_text(f"{PERSON}\n")
    _witness(settings)
    return place


def _append(settings: Settings, entries: Iterable[Entry]) -> None:
    append_entries(open_database(settings.database_url), own_log(settings), entries)


def _witness(settings: Settings) -> None:
    """The cadastre showed two checkpoints of one size."""
    database = open_database(settings.database_url)
    signer = NoteSigner(str(CADASTRE), Ed25519PrivateKey.from_private_bytes(bytes(32)))
    notes = [
        sign_checkpoint(Checkpoint(origin=str(CADASTRE), size=size, root=bytes([root]) * 32), signer)
        for size, root in SHOWN
    ]
    connection = database.connect()
    connection.execute("BEGIN")
    for note, entry in zip(notes, day_of_work(), strict=False):
        keep_shown(connection.cursor(), (shown_checkpoint(note.encode(), CADASTRE), entry.at))
    connection.execute("COMMIT")
    connection.close()
    kept = PeerCheckpoints(database)
    doubtful = kept.of(CADASTRE, ShownState.PENDING, limit=-1)[-1]
    fork = Fork(kept=notes[2], newer=notes[1], past=None)
    kept.raise_alarm(own_log(settings), FORKED, doubtful, fork=fork, now=_MONDAY + timedelta(hours=27))


# --- for the report --------------------------------------------------------------------------------------------------


def three_weeks() -> Iterator[Entry]:
    """A busy day of three officials who work as usual, but for one thing of each; refusals of a fourth; emergencies."""
    source = random.Random(395)
    askings: list[tuple[datetime, dict[str, Any]]] = []
    working = [_MONDAY + timedelta(days=day) for day in range(19) if (_MONDAY + timedelta(days=day)).weekday() < 5]
    for at in working:
        for _ in range(55 if at.day == 18 else 14):
            official = source.choice(("A-1234", "A-77", "A-301"))
            when = at + timedelta(minutes=source.randrange(420))
            askings.append((when, {"official": official, "subject": f"case:{source.randrange(150)}"}))
    for night in range(4):
        at_night = _MONDAY.replace(hour=2) + timedelta(days=3 * night)
        askings.append((at_night, {"official": "A-301", "subject": f"night:{night}"}))
    again = {"official": "A-77", "subject": "case:neighbour"}
    askings.extend((at + timedelta(hours=1), again) for at in working[:7])
    for one in range(60):
        alone = {"official": "A-1234", "subject": f"alone:{one}", "purpose": "pension"}
        askings.append((working[one % 15] + timedelta(hours=one // 15), alone))
    refused = {"kind": "refused", "outcome": "AccessDenied", "rule": None, "purpose": "registration"}
    for one, at in enumerate(working[:6]):
        told = {"official": "A-5", "subject": f"case:{one}", "consumer": "UZ/GOV/200000002/parcels"}
        askings.append((at, refused | told))
    duty = {"official": "duty-3", "emergency": {"reason": "0" * 64}, "rule": "night-duty"}
    for one, at in enumerate((_MONDAY.replace(hour=23), _MONDAY.replace(day=5), _MONDAY.replace(day=12))):
        askings.append((at, duty | {"subject": f"child:{one}"}))
    refused_duty = refused | {"official": "A-77", "emergency": {"reason": "1" * 64}, "purpose": "benefit"}
    askings.append((_MONDAY.replace(day=6), refused_duty | {"subject": "child:9"}))
    claimed = {"consumer": None, "official": None, "subjects": None, "purpose": None, "outcome": "SecurityFailed"}
    askings.append((_MONDAY, refused | claimed))
    for number, (at, said) in enumerate(sorted(askings, key=lambda asking: asking[0])):
        yield an_asking(at, number, **said)


def prepare_report(place: Path) -> Path:
    """register/ with three weeks of askings. Of three emergencies one was found justified, after the period."""
    settings = settings_of(place / "register")
    prepare(settings.database_url)
    _append(settings, three_weeks())
    reviews = EmergencyReviews(open_database(settings.database_url))
    first = reviews.open(limit=1)[0].number
    later = _MONDAY + timedelta(days=40)
    reviews.close(first, ReviewFinding.JUSTIFIED, "duty log 3", officer="r.officer", log=own_log(settings), now=later)
    return place

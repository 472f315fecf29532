"""Statements that were tampered with, how long an issuer's word counts, and which fields go out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.crypto.consent import MAX_STATEMENT_BYTES, open_consent
from adapter.errors import ConsentUnavailable, PeerUnreachable, SecurityFailed
from adapter.policy.consents import ConsentStatus, IssuedConsent, VerifiedConsent, verify_consent
from adapter.policy.rules import AccessRule
from adapter.released_fields import ReleasedFields, Replacement
from tests.consent_issuer import BORN, CACHE, NAMESPACES, SURNAME, Case, desk_of, entry_of

# --- statements that were tampered with ------------------------------------------------------------------------------


def altered(case: Case) -> bytes:
    return case.issue().replace(b"<con:Purpose>benefit<", b"<con:Purpose>anything<")


def wrapped(case: Case) -> bytes:
    """The signed consent goes elsewhere, another stands at its place."""
    good = case.issue()
    start, end = good.index(b"<con:Consent "), good.index(b"</con:Consent>") + len(b"</con:Consent>")
    said = good[start:end]
    other = said.replace(b'wsu:Id="consent"', b'wsu:Id="other"').replace(b"benefit", b"registration")
    return good[:start] + other + good[end:].replace(b"</con:ConsentStatement>", said + b"</con:ConsentStatement>")


def wrapped_inside(case: Case) -> bytes:
    good = case.issue()
    start, end = good.index(b"<con:Consent "), good.index(b"</con:Consent>") + len(b"</con:Consent>")
    said = good[start:end]
    other = said.replace(b'wsu:Id="consent"', b'wsu:Id="other"').replace(b"</con:Consent>", said + b"</con:Consent>")
    return good[:start] + other + good[end:]


TAMPERED: dict[str, Callable[[Case], bytes]] = {
    "altered": altered,
    "wrapped beside": wrapped,
    "wrapped inside": wrapped_inside,
    "twice the same id": lambda c: c.issue().replace(b'wsu:Id="token"', b'wsu:Id="consent"'),
    "a comment": lambda c: c.issue().replace(b"<con:Id>", b"<con:Id><!-- -->"),
    "an instruction after it": lambda c: c.issue() + b"<?x y?>",
    "a document type": lambda c: b"<!DOCTYPE x>" + c.issue(),
    "an element more": lambda c: c.issue().replace(b"</con:Consent>", b"<con:More/></con:Consent>"),
    "no namespace": lambda c: c.issue().replace(b"<con:Id>K-17</con:Id>", b"<Id>K-17</Id>"),
    "a field without its prefix": lambda c: c.issue().replace(b"</con:Data>", b"<con:Field>p:A</con:Field></con:Data>"),
    "a transform more": lambda c: c.issue().replace(
        b"<ds:Transforms>",
        b'<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>',
    ),
    "a weak algorithm": lambda c: c.issue().replace(b"#ecdsa-sha256", b"#ecdsa-sha1"),
    "no signature": lambda c: c.issue().partition(b"<ds:Signature")[0] + b"</con:ConsentStatement>",
    "only the token signed": lambda c: c.issue().replace(b'URI="#consent"', b'URI="#token2"'),
    "too large": lambda c: c.issue().replace(b"</con:ConsentStatement>", b" " * MAX_STATEMENT_BYTES),
    "too deep": lambda c: b"<a>" * 50 + b"</a>" * 50,
    "nothing": lambda _: b"",
    "cut off": lambda c: c.issue()[:-30],
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_a_statement_that_was_tampered_with_has_one_public_text(case: Case, how: str) -> None:
    case.issuer.statement = TAMPERED[how](case)
    with pytest.raises(SecurityFailed):
        open_consent(case.issuer.statement)
    assert await case.call() == "ConsentInvalid"
    assert not case.sides.register.asked


async def test_any_flipped_bit_of_what_is_said_is_noticed(case: Case) -> None:
    good = case.issue()
    start, end = good.index(b"<con:Id>"), good.index(b"</con:Consent>")
    for at in range(start, end, 7):
        with pytest.raises(SecurityFailed):
            open_consent(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :])


# --- how long a status counts ----------------------------------------------------------------------------------------


async def test_the_issuer_is_asked_once_within_the_limit_and_again_after_it(case: Case) -> None:
    for _ in range(3):
        assert await case.call() == "answered"
    assert len(case.issuer.asked) == 1
    case.issuer.status = ConsentStatus.REVOKED
    case.sides.clock.now += CACHE - timedelta(seconds=1)
    assert await case.call() == "answered"
    case.sides.clock.now += timedelta(seconds=1)
    assert await case.call() == "ConsentRevoked"
    assert len(case.issuer.asked) == 2


@pytest.mark.parametrize("failure", [ConsentUnavailable("down"), PeerUnreachable("down")])
async def test_with_the_issuer_down_it_goes_on_within_the_limit_and_is_refused_after(
    case: Case, failure: Exception
) -> None:
    assert await case.call() == "answered"
    case.issuer.fail = failure
    case.sides.clock.now += CACHE - timedelta(seconds=1)
    assert await case.call() == "answered"
    case.sides.clock.now += timedelta(seconds=1)
    assert await case.call() == "ConsentUnavailable"
    assert case.last_entry["consent"].endswith("/K-17")
    case.issuer.fail = None
    assert await case.call() == "answered"


async def test_an_answer_that_takes_too_long_serves_the_next_request(case: Case) -> None:
    case.issuer.waits = asyncio.Event()
    desk_of(case).wait_s = 0.05
    assert await case.call() == "ConsentUnavailable"
    case.issuer.waits.set()
    await asyncio.sleep(0.05)
    assert await case.call() == "answered"
    assert len(case.issuer.asked) == 1


async def test_a_directory_with_a_shorter_limit_counts_at_once(case: Case) -> None:
    assert await case.call() == "answered"
    known = case.sides.directory.consent_issuers[case.issuer.member.subsystem]
    shorter = replace(known, cache_limit=timedelta(seconds=1))
    case.sides.directory = replace(case.sides.directory, consent_issuers={known.subsystem: shorter})
    case.sides.clock.now += timedelta(seconds=1)
    case.issuer.status = ConsentStatus.REVOKED
    assert await case.call() == "ConsentRevoked"


async def test_nobody_is_asked_for_what_no_rule_allows(case: Case) -> None:
    case.sides.rules = ()
    assert await case.call() == "AccessDenied"
    assert not case.issuer.asked


async def test_what_is_kept_has_a_bound_and_made_up_ids_take_no_place(case: Case) -> None:
    desk = desk_of(case)
    desk.max_kept = 1
    for number in (17, 18):
        case.issue(id=f"K-{number}")
        assert await case.call(f"{case.issuer.member.subsystem}/K-{number}") == "answered"
    case.issuer.status = ConsentStatus.UNKNOWN
    assert await case.call(f"{case.issuer.member.subsystem}/K-19") == "ConsentUnknown"
    assert [str(known) for known in desk._known] == [f"{case.issuer.member.subsystem}/K-18"]


# --- which fields ----------------------------------------------------------------------------------------------------


def rule(case: Case, fields: ReleasedFields | None) -> AccessRule:
    federation = case.sides.federation
    return AccessRule(
        id="r1", consumer=str(federation.social.subsystem), service=federation.population.service, fields=fields
    )


def fields(*released: str, **replaced: Replacement) -> ReleasedFields:
    return ReleasedFields(
        namespaces=NAMESPACES,
        released=released,
        replaced=tuple((f"p:GetPersonResponse/p:{name}", way) for name, way in replaced.items()),
    )


BOTH = fields(SURNAME, BORN)
EVERY = fields("p:GetPersonResponse/**")
FIELDS: dict[str, tuple[ReleasedFields | None, ReleasedFields | None, str, list[str] | None]] = {
    "all and all": (None, None, "answered", None),
    "the rule alone": (BOTH, None, "answered", [BORN, SURNAME]),
    "the consent alone": (None, BOTH, "answered", [BORN, SURNAME]),
    "the consent has more": (BOTH, EVERY, "answered", [BORN, SURNAME]),
    "the rule has more": (EVERY, BOTH, "answered", None),
    "masked what is outside": (fields(SURNAME, Born=Replacement.YEAR), BOTH, "answered", [SURNAME]),
    "outside, and the schema needs it": (BOTH, fields(BORN), "AnswerNotReleasable", None),
    "outside, and replaced by nothing": (fields(BORN, Surname=Replacement.MASK), fields(BORN), "answered", [BORN]),
    "outside, and its initial would say something": (
        fields(BORN, Surname=Replacement.INITIAL),
        fields(BORN),
        "AnswerNotReleasable",
        None,
    ),
    "nothing in common": (fields(SURNAME), fields(BORN), "ConsentForOtherData", None),
}


@pytest.mark.parametrize("name", FIELDS)
async def test_no_field_goes_out_that_the_person_did_not_agree_to(case: Case, name: str) -> None:
    ruled, agreed, outcome, released = FIELDS[name]
    case.sides.rules = (rule(case, ruled),)
    case.issue(data=((case.sides.federation.population.service, agreed),))
    assert await case.call() == outcome
    if released is not None:
        assert entry_of(case, "reply-sent")["fields"] == released


async def test_authorizing_without_the_verified_consent_is_refused(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lax(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr("adapter.exchange.provide.verified_consent", lax)
    assert await case.call() == "ConsentUnavailable"


async def test_a_consent_that_was_verified_for_another_request_is_refused(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await case.call() == "answered"
    (wish,) = case.issuer.asked
    issued = IssuedConsent(statement=case.issuer.statement, status=ConsentStatus.ACTIVE, as_of=case.sides.clock())
    good = verify_consent(issued, wish, directory=case.sides.directory, now=case.sides.clock())
    given = [good, replace(good, wish=replace(wish, consumer=wish.service.subsystem))]

    async def of_another(*_: object, **__: object) -> VerifiedConsent:
        return given.pop(0)

    monkeypatch.setattr("adapter.exchange.provide.verified_consent", of_another)
    assert [await case.call(), await case.call()] == ["answered", "ConsentUnavailable"]

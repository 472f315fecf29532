"""What an integrator would write into a field of this name: a guess from the words of the name, tried first."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from adapter.samples.names import Both
from adapter.samples.people import Person

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_FIRST_DAY: Final = date(2025, 1, 1)
_DAYS: Final = 360

Guess = Callable[[Person, random.Random], tuple[str, ...]]


def words_of(name: str) -> frozenset[str]:
    """The words of a name, in small letters, and the whole name: `birthDate` gives birth, date, birthdate."""
    found = {word.lower() for word in _WORD.findall(name)}
    return frozenset(found | {re.sub(r"[^a-z0-9]", "", name.lower())})


def script_of(name: str) -> bool | None:
    """Whether a name asks for Latin script (true) or Cyrillic (false), for itself and what is below it."""
    words = words_of(name)
    return True if words & _LATIN else False if words & _CYRILLIC else None


def guesses(name: str, person: Person, draw: random.Random) -> tuple[str, ...]:
    """Texts for a field of this name, the most likely first; none for a name that says nothing."""
    words = words_of(name)
    for known, guess in _GUESSES:
        if words & known:
            found = guess(person, draw)
            if len(found) != 2 or found[1].isascii():
                return found
            own = script_of(name)
            return found if (person.is_latin if own is None else own) else found[::-1]
    return ()


def guess_date(name: str, person: Person, draw: random.Random) -> date:
    """A day for a field of this name: of birth, of issue, of expiry, or some day of the past year."""
    words = words_of(name)
    if words & _BIRTH:
        return person.born
    if words & _EXPIRY:
        return person.passport_issued + timedelta(days=3652)
    if words & {"issued", "issue", "berilgan"}:
        return person.passport_issued
    return _FIRST_DAY + timedelta(days=draw.randrange(_DAYS))


def _both(pick: Callable[[Person], Both]) -> Guess:
    return lambda person, _draw: pick(person)


def _one(pick: Callable[[Person], str]) -> Guess:
    return lambda person, _draw: (pick(person),)


def _full_name(person: Person) -> Both:
    latin, cyrillic = (" ".join((person.surname[at], person.given_name[at], person.patronymic[at])) for at in (0, 1))
    return latin, cyrillic


def _address(person: Person) -> str:
    return f"{person.district}, {person.street}, {person.house}-uy, {person.flat}-xonadon"


def _sex(person: Person, _draw: random.Random) -> tuple[str, ...]:
    is_woman = person.sex == "female"
    return (person.sex, "F" if is_woman else "M", "2" if is_woman else "1")


def _uuid(_person: Person, draw: random.Random) -> tuple[str, ...]:
    return (str(uuid.UUID(int=draw.getrandbits(128), version=4)),)


def _number(_person: Person, draw: random.Random) -> tuple[str, ...]:
    digits = str(draw.randint(10_000_000, 99_999_999))
    return (f"{digits[:4]}-{digits[4:]}", digits, digits[:4], digits[:2], digits[:1])


_BIRTH: Final = frozenset("birth born birthdate dateofbirth dob tugilgan".split())  # noqa: SIM905  reads as a list
_EXPIRY: Final = frozenset("expires expiry expiration until valid validto".split())  # noqa: SIM905
_LATIN: Final = frozenset("latin lat en eng english lotin".split())  # noqa: SIM905
_CYRILLIC: Final = frozenset("cyrillic cyr ru kiril".split())  # noqa: SIM905

_GUESSES: Final[tuple[tuple[frozenset[str], Guess], ...]] = tuple(
    (frozenset(known.split()), guess)
    for known, guess in (
        ("pinfl pnfl jshshir jshshr pin personalnumber personalcode", _one(lambda person: person.pinfl)),
        ("stir inn tin taxnumber taxpayer", _one(lambda person: person.stir)),
        ("surname lastname familyname family familiya secondname", _both(lambda person: person.surname)),
        ("patronymic middlename middle otchestvo sharif", _both(lambda person: person.patronymic)),
        ("given firstname givenname forename ism", _both(lambda person: person.given_name)),
        ("passport document documentnumber", _one(lambda person: person.passport)),
        ("sex gender jins", _sex),
        ("soato region regioncode", _one(lambda person: person.soato)),
        ("email mail e-mail", lambda _person, draw: (f"user{draw.randint(1, 99)}@example.uz",)),
        ("phone telephone mobile fax tel telefon", _one(lambda person: person.phone)),
        ("postcode zip zipcode postal postalcode", lambda _person, draw: (str(draw.randint(100_000, 230_000)),)),
        ("country countrycode nationality citizenship", lambda _person, _draw: ("UZ", "UZB", "860")),
        ("currency currencycode", lambda _person, _draw: ("UZS", "860")),
        ("lang language locale", lambda _person, _draw: ("uz", "ru", "en")),
        ("house building", _one(lambda person: person.house)),
        ("flat apartment room", _one(lambda person: person.flat)),
        ("street", _one(lambda person: person.street)),
        ("district city town locality", _one(lambda person: person.district)),
        ("province state oblast viloyat", _one(lambda person: person.region)),
        ("address addressline manzil", _one(_address)),
        ("url uri link href location endpoint", lambda _person, draw: (f"https://example.uz/{draw.randint(1, 999)}",)),
        ("uuid guid", _uuid),
        ("mime mimetype contenttype", lambda _person, _draw: ("application/pdf", "text/plain")),
        ("filename file", lambda _person, draw: (f"hujjat-{draw.randint(1, 99)}.pdf",)),
        ("organisation organization org agency company department", lambda _person, _draw: (
            "Pensiya jamg‘armasi", "Пенсия жамғармаси")),
        ("position profession job lavozim", lambda _person, _draw: ("bosh mutaxassis", "бош мутахассис")),
        ("fullname fio person applicant owner citizen recipient sender author user", _both(_full_name)),
        ("name title", _both(_full_name)),
        ("version", lambda _person, _draw: ("1.0", "1")),
        ("status state", lambda _person, _draw: ("active", "1")),
        ("description comment note remark message text reason subject izoh", lambda _person, _draw: (
            "Namuna uchun matn", "Намуна учун матн")),
        ("id identifier number no code key ref reference nr", _number),
    )
)  # fmt: skip

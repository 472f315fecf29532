"""A synthetic person with all that a form may ask for; the same draw gives the same person. Nobody in particular."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adapter.errors import InvalidIdentifier
from adapter.identifiers import check_pinfl, pinfl_check_digit
from adapter.samples.names import DISTRICTS, MEN, STREETS, SURNAMES, WOMEN, Both

_FIRST_BIRTH: Final = date(1950, 1, 1)
_BIRTH_DAYS: Final = 55 * 365
_TODAY: Final = date(2026, 1, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Names are pairs of Latin and Cyrillic script; sex is `male` or `female`.

    is_latin: the script in which the person is written down here.
    """

    pinfl: str
    stir: str
    surname: Both
    given_name: Both
    patronymic: Both
    sex: str
    born: date
    passport: str
    passport_issued: date
    soato: str
    region: str
    district: str
    street: str
    house: str
    flat: str
    phone: str
    is_latin: bool


def draw_person(draw: random.Random, *, is_latin: bool = True, pinfl: str = "") -> Person:
    """Someone whose numbers, names and dates fit together; the PINFL has its right check digit.

    pinfl: of somebody who is asked about; what it says of sex and birth is kept. One that is none says nothing.
    """
    is_woman = draw.random() < 0.5
    born = _FIRST_BIRTH + timedelta(days=draw.randrange(_BIRTH_DAYS))
    said = _born(pinfl)
    if said is not None:
        is_woman, born = int(pinfl[0]) % 2 == 0, said
    _, region, districts = draw.choice(DISTRICTS)
    soato, district = draw.choice(districts)
    surname, father = draw.choice(SURNAMES), draw.choice(MEN)
    # Sex and century, date of birth, district, serial number, check digit.
    century = {18: 1, 19: 3, 20: 5}[born.year // 100]
    thirteen = f"{century + is_woman}{born:%d%m%y}{soato[4:7]}{draw.randint(1, 999):03d}"
    return Person(
        pinfl=pinfl if said is not None else f"{thirteen}{pinfl_check_digit(thirteen)}",
        stir=f"{draw.randint(200_000_000, 699_999_999)}",
        surname=_ending(surname, "a", "а") if is_woman else surname,
        given_name=draw.choice(WOMEN if is_woman else MEN),
        patronymic=_ending(father, " qizi", " қизи") if is_woman else _ending(father, " o‘g‘li", " ўғли"),
        sex="female" if is_woman else "male",
        born=born,
        passport=f"A{draw.choice('ABCDE')}{draw.randint(1_000_000, 9_999_999)}",
        passport_issued=_TODAY - timedelta(days=draw.randint(1, 3600)),
        soato=soato,
        region=region,
        district=district,
        street=f"{draw.choice(STREETS)} ko‘chasi",
        house=str(draw.randint(1, 180)),
        flat=str(draw.randint(1, 120)),
        phone=f"+99890{draw.randint(1_000_000, 9_999_999)}",
        is_latin=is_latin,
    )


def _born(pinfl: str) -> date | None:
    """The date of birth in a PINFL; None if it is not one, or names no day."""
    try:
        check_pinfl(pinfl)
        return date(
            {1: 1800, 3: 1900, 5: 2000}[int(pinfl[0]) - 1 | 1] + int(pinfl[5:7]), int(pinfl[3:5]), int(pinfl[1:3])
        )
    except (InvalidIdentifier, KeyError, ValueError):
        return None


def _ending(name: Both, latin: str, cyrillic: str) -> Both:
    return name[0] + latin, name[1] + cyrillic

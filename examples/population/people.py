"""Synthetic households, made from a seed: the same seed gives the same people. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adapter.identifiers import pinfl_check_digit
from adapter.samples.names import DISTRICTS, MEN, STREETS, SURNAMES, WOMEN, Both

TODAY: Final = date(2025, 1, 1)
"""The day on which the register stands still, so that the data does not depend on when it is made."""

_ADULT_DAYS: Final = 16 * 365


@dataclass(frozen=True, slots=True)
class Person:
    """One person. Names are pairs of Latin and Cyrillic script; sex is `male` or `female`."""

    pinfl: str
    household: int
    surname: Both
    given_name: Both
    patronymic: Both
    sex: str
    birth_date: date
    death_date: date | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a household is registered."""

    household: int
    soato: str
    region: str
    district: str
    street: str
    house: str
    flat: int | None
    registered_since: date


@dataclass(frozen=True, slots=True)
class Passport:
    """An adult's valid document."""

    pinfl: str
    number: str
    issued: date
    expires: date
    issued_by: str


@dataclass(frozen=True, slots=True)
class Household:
    """A family under one roof. family: (pinfl, relation, relative) in both directions."""

    address: Address
    people: tuple[Person, ...]
    passports: tuple[Passport, ...]
    family: tuple[tuple[str, str, str], ...]


def households(people: int, seed: int) -> Iterator[Household]:
    """Households with this many people together."""
    maker = _Maker(random.Random(seed))
    made = 0
    number = 0
    while made < people:
        number += 1
        household = maker.household(number, at_most=people - made)
        made += len(household.people)
        yield household


class _Maker:
    """Draws from one stream of random numbers and remembers which numbers are taken."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._taken: set[str] = set()
        self._passports = 0

    def household(self, number: int, *, at_most: int) -> Household:
        draw = self._draw
        address = self._address(number)
        surname = draw.choice(SURNAMES)
        father = self._person(address, surname, "male", self._birth(1950, 1998), draw.choice(MEN))
        people = [father]
        family: list[tuple[str, str, str]] = []
        if at_most > 1:
            mother = self._person(
                address,
                draw.choice(SURNAMES) if draw.random() < 0.3 else surname,
                "female",
                father.birth_date + timedelta(days=draw.randint(-3 * 365, 6 * 365)),
                draw.choice(MEN),
            )
            people.append(mother)
            family += [(father.pinfl, "spouse", mother.pinfl), (mother.pinfl, "spouse", father.pinfl)]
            for child in self._children(address, father, mother, at_most=at_most - 2):
                people.append(child)
                family += [(child.pinfl, "father", father.pinfl), (child.pinfl, "mother", mother.pinfl)]
                family += [(father.pinfl, "child", child.pinfl), (mother.pinfl, "child", child.pinfl)]
        adults = (person for person in people if (TODAY - person.birth_date).days >= _ADULT_DAYS)
        passports = tuple(self._passport(person, address) for person in adults if person.death_date is None)
        return Household(address, tuple(people), passports, tuple(family))

    def _children(self, address: Address, father: Person, mother: Person, *, at_most: int) -> Iterator[Person]:
        born = mother.birth_date + timedelta(days=self._draw.randint(20 * 365, 30 * 365))
        for _ in range(min(at_most, self._draw.choice((0, 1, 1, 2, 2, 2, 3, 3, 4)))):
            if born >= TODAY:
                return
            sex = self._draw.choice(("male", "female"))
            yield self._person(address, father.surname, sex, born, father.given_name)
            born += timedelta(days=self._draw.randint(400, 1500))

    def _person(self, address: Address, surname: Both, sex: str, born: date, father: Both) -> Person:
        is_woman = sex == "female"
        dies = self._draw.random() < 0.03 and born.year < 1965
        return Person(
            pinfl=self._pinfl(sex, born, address.soato),
            household=address.household,
            surname=_ending(surname, "a", "а") if is_woman and surname[0].endswith("v") else surname,
            given_name=self._draw.choice(WOMEN if is_woman else MEN),
            patronymic=_ending(father, " qizi", " қизи") if is_woman else _ending(father, " o‘g‘li", " ўғли"),
            sex=sex,
            birth_date=born,
            death_date=TODAY - timedelta(days=self._draw.randint(1, 3000)) if dies else None,
        )

    def _pinfl(self, sex: str, born: date, soato: str) -> str:
        """Sex and century, date of birth, district, serial number, check digit; never the same twice."""
        first = {19: 3, 20: 5}[born.year // 100] + (sex == "female")
        beginning = f"{first}{born:%d%m%y}{soato[4:7]}"
        while True:
            thirteen = f"{beginning}{self._draw.randint(1, 999):03d}"
            if thirteen not in self._taken:
                self._taken.add(thirteen)
                return f"{thirteen}{pinfl_check_digit(thirteen)}"

    def _passport(self, person: Person, address: Address) -> Passport:
        self._passports += 1
        issued = TODAY - timedelta(days=self._draw.randint(1, 3600))
        number = f"A{chr(ord('A') + self._passports % 5)}{1_000_000 + self._passports:07d}"
        return Passport(person.pinfl, number, issued, issued + timedelta(days=3652), f"{address.district} IIB")

    def _address(self, household: int) -> Address:
        _, region, districts = self._draw.choice(DISTRICTS)
        soato, district = self._draw.choice(districts)
        return Address(
            household=household,
            soato=soato,
            region=region,
            district=district,
            street=f"{self._draw.choice(STREETS)} ko‘chasi",
            house=str(self._draw.randint(1, 180)) + self._draw.choice(("", "", "", "A", "B")),
            flat=self._draw.randint(1, 120) if district.endswith("shahri") else None,
            registered_since=TODAY - timedelta(days=self._draw.randint(30, 9000)),
        )

    def _birth(self, first_year: int, last_year: int) -> date:
        return date(first_year, 1, 1) + timedelta(days=self._draw.randrange((last_year - first_year + 1) * 365))


def _ending(name: Both, latin: str, cyrillic: str) -> Both:
    return name[0] + latin, name[1] + cyrillic

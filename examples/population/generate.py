"""Make the population register's database.

    python -m examples.population.generate population.sqlite --people 100000 --seed 1

The first people in the table `person` are a household; `--sample` prints the PINFL of a few.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from examples.population.people import Household, Person, households

_SCHEMA: Final = """
CREATE TABLE person (
    pinfl TEXT PRIMARY KEY, household INTEGER NOT NULL,
    surname_latin TEXT NOT NULL, given_name_latin TEXT NOT NULL, patronymic_latin TEXT,
    surname_cyrillic TEXT NOT NULL, given_name_cyrillic TEXT NOT NULL, patronymic_cyrillic TEXT,
    sex TEXT NOT NULL, birth_date TEXT NOT NULL, death_date TEXT
) WITHOUT ROWID;
CREATE TABLE address (
    household INTEGER PRIMARY KEY, soato TEXT NOT NULL, region TEXT NOT NULL, district TEXT NOT NULL,
    street TEXT NOT NULL, house TEXT NOT NULL, flat INTEGER, registered_since TEXT NOT NULL
);
CREATE TABLE passport (
    pinfl TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, issued TEXT NOT NULL, expires TEXT NOT NULL,
    issued_by TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE family (
    pinfl TEXT NOT NULL, relation TEXT NOT NULL, relative TEXT NOT NULL, PRIMARY KEY (pinfl, relative)
) WITHOUT ROWID;
"""
_BATCH: Final = 2000


def generate(path: Path, *, people: int = 100_000, seed: int = 1) -> None:
    """Write a new database with this many people; one that is there already is replaced."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    # A broken run is simply repeated, so nothing has to be safe on the way.
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
    for batch in _batches(households(people, seed)):
        database.executemany(
            "INSERT INTO address VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (a.household, a.soato, a.region, a.district, a.street, a.house, a.flat, str(a.registered_since))
                for a in (household.address for household in batch)
            ],
        )
        database.executemany(
            "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_person_row(person) for household in batch for person in household.people],
        )
        database.executemany(
            "INSERT INTO passport VALUES (?, ?, ?, ?, ?)",
            [
                (p.pinfl, p.number, str(p.issued), str(p.expires), p.issued_by)
                for household in batch
                for p in household.passports
            ],
        )
        database.executemany(
            "INSERT INTO family VALUES (?, ?, ?)", [link for household in batch for link in household.family]
        )
    database.commit()
    database.close()


def sample(path: Path, count: int = 1) -> list[str]:
    """PINFLs of living people with a passport, a spouse and a child; always the same for the same database."""
    database = sqlite3.connect(path)
    rows = database.execute(
        "SELECT person.pinfl FROM person JOIN passport ON passport.pinfl = person.pinfl"
        " WHERE EXISTS (SELECT 1 FROM family WHERE family.pinfl = person.pinfl AND relation = 'child')"
        " ORDER BY person.household, person.pinfl LIMIT ?",
        (count,),
    ).fetchall()
    database.close()
    return [row[0] for row in rows]


def _person_row(person: Person) -> tuple[object, ...]:
    return (
        person.pinfl,
        person.household,
        person.surname[0],
        person.given_name[0],
        person.patronymic[0],
        person.surname[1],
        person.given_name[1],
        person.patronymic[1],
        person.sex,
        str(person.birth_date),
        str(person.death_date) if person.death_date else None,
    )


def _batches(made: Iterator[Household]) -> Iterator[list[Household]]:
    batch: list[Household] = []
    for household in made:
        batch.append(household)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make a register of synthetic people.")
    parser.add_argument("database", type=Path, help="SQLite file to write")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=3, help="how many PINFLs to print")
    arguments = parser.parse_args()
    generate(arguments.database, people=arguments.people, seed=arguments.seed)
    for pinfl in sample(arguments.database, arguments.sample):
        print(pinfl)


if __name__ == "__main__":
    main()

"""The synthetic population: the same for the same seed, consistent in itself, and valid against its contract."""

import sqlite3
from datetime import date

import pytest
from lxml import etree

from adapter.backends.assembly import build_backend
from adapter.envelope.description import load_description
from adapter.envelope.schema import check_payload
from adapter.errors import NoSuchSubject
from adapter.identifiers import check_pinfl, check_soato
from adapter.settings.service_file import load_service_settings
from examples.population.generate import generate, sample
from examples.population.people import households
from tests.conftest import ROOT
from tests.unit.backends.recorded import recorded
from tests.unit.envelope.descriptions import output_of

FOLDER = ROOT / "examples" / "population"
NS = "urn:example:population-register:1"
PEOPLE = [person for household in households(3000, seed=7) for person in household.people]


def test_exactly_as_many_people_as_asked():
    for count in (1, 2, 3, 500):
        assert sum(len(household.people) for household in households(count, seed=3)) == count


def test_same_seed_same_people():
    assert list(households(500, seed=1)) == list(households(500, seed=1))
    assert list(households(500, seed=1)) != list(households(500, seed=2))


def test_pinfl_is_valid_unique_and_tells_sex_and_birth_date():
    assert len({person.pinfl for person in PEOPLE}) == len(PEOPLE)
    for person in PEOPLE:
        check_pinfl(person.pinfl)
        century = {"3": 1900, "4": 1900, "5": 2000, "6": 2000}[person.pinfl[0]]
        day, month, year = (int(person.pinfl[at : at + 2]) for at in (1, 3, 5))
        assert date(century + year, month, day) == person.birth_date
        assert (int(person.pinfl[0]) % 2 == 1) is (person.sex == "male")


def test_families_are_mutual():
    mirror = {"spouse": {"spouse"}, "child": {"father", "mother"}, "father": {"child"}, "mother": {"child"}}
    for household in households(2000, seed=5):
        links = {(pinfl, relative): relation for pinfl, relation, relative in household.family}
        born = {person.pinfl: person.birth_date for person in household.people}
        for (pinfl, relative), relation in links.items():
            assert links[(relative, pinfl)] in mirror[relation]
            assert relation != "child" or (born[relative] - born[pinfl]).days > 13 * 365


def test_names_are_in_both_scripts_and_fit_the_sex():
    for person in PEOPLE:
        for latin, cyrillic in (person.surname, person.given_name, person.patronymic):
            assert latin.isascii() or "‘" in latin
            assert all("Ѐ" <= letter <= "ӿ" or letter == " " for letter in cyrillic)
        assert person.surname[0].endswith("a") is (person.sex == "female")


def test_addresses_are_classified():
    for household in households(500, seed=5):
        check_soato(household.address.soato)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population")
    generate(folder / "population.sqlite", people=2000, seed=1)
    (folder / "service.toml").write_bytes((FOLDER / "service.toml").read_bytes())
    return folder


async def test_service_answers_every_person_with_a_valid_reply(home):
    description = load_description(FOLDER / "description", "population.wsdl")
    backend = build_backend(load_service_settings(home / "service.toml"), description)
    operation = description.operation("GetPerson")
    pinfls = [row[0] for row in sqlite3.connect(home / "population.sqlite").execute("SELECT pinfl FROM person")]
    assert len(pinfls) == 2000
    for pinfl in pinfls[::20]:
        request = etree.fromstring(f'<GetPerson xmlns="{NS}"><Pinfl>{pinfl}</Pinfl></GetPerson>')
        check_payload(description, request, operation.input_element)
        reply = (await backend.answer(recorded(request))).payload
        check_payload(description, reply, output_of(description, "GetPerson"))
        assert reply.findtext(f"{{{NS}}}Person/{{{NS}}}Pinfl") == pinfl
    with pytest.raises(NoSuchSubject):
        await backend.answer(recorded(f'<GetPerson xmlns="{NS}"><Pinfl>30000000000000</Pinfl></GetPerson>'))
    await backend.close()


def test_sample_has_a_passport_and_a_child_and_does_not_change(home):
    database = sqlite3.connect(home / "population.sqlite")
    samples = sample(home / "population.sqlite", 5)
    assert samples == sample(home / "population.sqlite", 5)
    for pinfl in samples:
        assert database.execute("SELECT count(*) FROM passport WHERE pinfl = ?", (pinfl,)).fetchone() == (1,)
        relations = {row[0] for row in database.execute("SELECT relation FROM family WHERE pinfl = ?", (pinfl,))}
        assert relations >= {"spouse", "child"}


def test_generated_again_it_is_the_same_file(home, tmp_path):
    generate(tmp_path / "again.sqlite", people=2000, seed=1)
    assert (tmp_path / "again.sqlite").read_bytes() == (home / "population.sqlite").read_bytes()

"""The fields that a rule is granted, as they are typed: chosen from the description of a real example service."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapter.cli.access_fields import ServiceFields, chosen_fields, fields_in, taken_out
from adapter.envelope.field_paths import Prefixes, answer_fields
from adapter.errors import CommandRefused
from tests.unit.envelope.descriptions import NS, of_types

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> ServiceFields:
    folder = tmp_path_factory.mktemp("services") / "population.GetPerson.v1"
    shutil.copytree(ROOT / "examples" / "population", folder)
    return fields_in(folder)


def test_all_below_an_element_is_written_out_and_nothing_else_goes_out(person: ServiceFields) -> None:
    root = person.fields[0].path
    chosen = chosen_fields(person, [f"{root}/*"], [])
    assert set(chosen.released) == {found.path for found in person.fields if found.has_content and found.path != root}
    assert taken_out(chosen, person) == []


def test_a_path_without_prefixes_means_the_one_field_that_it_fits(person: ServiceFields) -> None:
    wanted = next(found for found in person.fields if found.path.count("/") >= 1 and found.has_content)
    bare = "/".join(step.rpartition(":")[2] for step in wanted.path.split("/"))
    chosen = chosen_fields(person, [f"{person.fields[0].path}/**", bare], [])
    assert wanted.path in chosen.released


@pytest.mark.parametrize("written", ["Nobody", "Nobody/*", "Nobody/**", ""])
def test_what_is_no_field_is_refused(person: ServiceFields, written: str) -> None:
    with pytest.raises(CommandRefused):
        chosen_fields(person, [written], [])


def test_what_the_schema_needs_has_to_be_named_or_replaced(person: ServiceFields) -> None:
    root = person.fields[0].path
    with pytest.raises(CommandRefused, match="needs"):
        chosen_fields(person, [root], [])


@pytest.mark.parametrize("how", ["nil", "shred", ""])
def test_a_replacement_that_can_never_fit_is_refused(person: ServiceFields, how: str) -> None:
    field = next(found for found in person.fields if found.has_content and not found.nillable)
    with pytest.raises(CommandRefused):
        chosen_fields(person, [], [f"{field.path}={how}"])


@pytest.mark.parametrize(("how", "lost"), [("nil", "@unit, which"), ("empty", "@unit, Name, which")])
def test_a_replacement_that_leaves_out_what_the_schema_needs_is_refused(
    person: ServiceFields, how: str, lost: str
) -> None:
    types = """<xs:element name="Ask" type="xs:string"/><xs:element name="Answer"><xs:complexType><xs:sequence>
      <xs:element name="Who" nillable="true" minOccurs="0"><xs:complexType><xs:sequence>
        <xs:element name="Name" type="xs:string"/></xs:sequence><xs:attribute name="unit" use="required"/>
      </xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>"""
    description = of_types(types)
    prefixes = Prefixes({"t": NS})
    fields = tuple(answer_fields(description, description.operation("Ask"), prefixes))
    known = ServiceFields(settings=person.settings, description=description, prefixes=prefixes, fields=fields)
    with pytest.raises(CommandRefused, match=f"leave out {lost}"):
        chosen_fields(known, [], [f"Answer/Who={how}"])

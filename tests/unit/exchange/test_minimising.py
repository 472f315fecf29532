"""What nobody named never leaves, and what leaves is valid: case by case."""

from __future__ import annotations

import pytest

from adapter.errors import AnswerNotReleasable, CommandRefused
from tests.minimising import PERSON, XSI, minimised, rule, shown

NEEDED = {"Person__Died": "nil", "Person__Pinfl": "mask", "Person__Passport": "empty"}


def test_a_nested_field_goes_out_and_its_neighbours_do_not() -> None:
    answer = minimised(PERSON, rule("Person/Name", "Person/@sex", **NEEDED))
    assert shown(answer) == (
        f'<File><Person sex="f"><Name>Aziza Karimova</Name><Died xmlns:xsi="{XSI}" xsi:nil="true"></Died>'
        "<Pinfl>**************</Pinfl><Passport></Passport></Person></File>"
    )
    assert answer.released == ("f:File/f:Person/@sex", "f:File/f:Person/f:Name")
    assert dict(answer.replaced) == {
        "f:File/f:Person/f:Died": "nil",
        "f:File/f:Person/f:Pinfl": "mask",
        "f:File/f:Person/f:Passport": "empty",
    }


def test_every_one_of_repeated_elements_is_cut_down() -> None:
    other = PERSON.replace("Aziza Karimova", "Bobur Aliyev").replace("1990-05-06", "2001-01-09")
    answer = minimised(PERSON + other, rule("Person/Name", "Person/@sex", Person__Born="year", **NEEDED))
    text = shown(answer)
    assert text.count("<Person ") == 2
    assert "<Born>1990-01-01</Born>" in text
    assert "<Born>2001-01-01</Born>" in text
    assert "05-06" not in text


def test_what_the_schema_needs_and_nothing_stands_for_is_refused() -> None:
    with pytest.raises(AnswerNotReleasable, match="not valid"):
        minimised(PERSON, rule("Person/Name", "Person/@sex"))


def test_a_required_attribute_that_is_not_named_is_refused() -> None:
    with pytest.raises(AnswerNotReleasable, match="not valid"):
        minimised(PERSON, rule("Person/Name", **NEEDED))


def test_an_attribute_is_replaced() -> None:
    answer = minimised(PERSON, rule("Person/Name", **NEEDED | {"Person__@sex": "mask"}))
    assert '<Person sex="***">' in shown(answer)


def test_the_chosen_branch_is_not_released() -> None:
    with pytest.raises(AnswerNotReleasable, match="not valid"):
        minimised(PERSON, rule("Person/Name", "Person/@sex", "Person/Permit", Person__Died="nil", Person__Pinfl="mask"))


def test_nothing_is_named_and_nothing_goes_out() -> None:
    answer = minimised(PERSON, rule())
    assert shown(answer) == "<File></File>"
    assert answer.released == ()


def test_a_list_that_is_replaced_is_empty() -> None:
    answer = minimised(PERSON, rule("Person/Name", "Person/@sex", Person__Children="empty", **NEEDED))
    assert "<Children></Children>" in shown(answer)
    assert "Anvar" not in shown(answer)


def test_simple_content_and_its_attributes_are_named_apart() -> None:
    only_value = shown(minimised(PERSON, rule("Person/@sex", "Person/Name", "Person/Income", **NEEDED)))
    assert "<Income>12345</Income>" in only_value
    zero = shown(minimised(PERSON, rule("Person/@sex", "Person/Name", Person__Income="zero", **NEEDED)))
    assert "<Income>0</Income>" in zero


def test_an_element_that_is_nil_stays_nil() -> None:
    nil = PERSON.replace("<Died>2020-01-02</Died>", '<Died xsi:nil="true"/>')
    needed = {"Person__Pinfl": "mask", "Person__Passport": "empty"}
    answer = minimised(nil, rule("Person/@sex", "Person/Name", "Person/Died", **needed))
    assert 'xsi:nil="true"></Died>' in shown(answer)


def test_mixed_text_goes_out_only_when_its_element_is_named() -> None:
    content = "<Note>secret one<Bold>loud</Bold>secret two</Note>"
    assert shown(minimised(content, rule("Note/Bold"))) == "<File><Note><Bold>loud</Bold></Note></File>"
    assert shown(minimised(content, rule("Note"))) == "<File><Note>secret onesecret two</Note></File>"
    both = shown(minimised(content, rule("Note", "Note/Bold")))
    assert both == "<File><Note>secret one<Bold>loud</Bold>secret two</Note></File>"


def test_comments_instructions_white_space_and_prefixes_carry_nothing_out() -> None:
    content = (
        "<!--40101900000012-->\t \t<?x 40101900000012?>"
        '<p40101900000012:Note xmlns:p40101900000012="urn:test:file" xmlns:x="urn:40101900000012">'
        " \t\t <Bold>lo<!--40101900000012-->ud</Bold>  </p40101900000012:Note>\t"
    )
    assert shown(minimised(content, rule("Note/Bold"))) == "<File><Note><Bold>loud</Bold></Note></File>"


def test_hints_of_a_schema_do_not_go_out() -> None:
    content = '<Note xsi:schemaLocation="urn:40101900000012 x"><Bold>b</Bold></Note>'
    assert "40101900000012" not in shown(minimised(content, rule("Note/Bold")))


def test_content_of_any_kind_goes_out_only_by_name() -> None:
    content = '<Any extra="40101900000012"><Name xmlns="urn:other">40101900000012</Name><Name>n</Name></Any>'
    assert shown(minimised(content, rule("Any"))) == "<File><Any></Any></File>"
    assert shown(minimised(content, rule("Any/Name"))) == "<File><Any><Name>n</Name></Any></File>"
    everything = minimised(content, rule("Any/**"))
    assert "40101900000012</Name>" in shown(everything)
    assert everything.released == ("f:File/f:Any/**",)


def test_below_everything_comments_stay_behind_and_prefixes_of_values_are_kept() -> None:
    content = '<Any xmlns:v="urn:v"><x xmlns="" t="v:1">a<!--c-->b</x><?i i?></Any>'
    octets = shown(minimised(content, rule("Any/**")))
    assert "a<!--" not in octets
    assert "ab</x>" in octets


def test_a_derived_type_brings_out_nothing_that_is_not_named() -> None:
    officer = PERSON.replace("<Person ", '<Person xsi:type="Officer" ').replace(
        "</Person>", "<Rank>major</Rank></Person>"
    )
    text = shown(minimised(officer, rule("Person/Name", "Person/@sex", **NEEDED)))
    assert "major" not in text
    assert "Officer" not in text
    named = rule("Person/Name", "Person/@sex", "Person/Rank", "Person/@xsi:type", **NEEDED)
    assert "<Rank>major</Rank>" in shown(minimised(officer, named))


def test_a_substitute_goes_out_only_by_its_own_name() -> None:
    content = "<Paper>p</Paper><Verdict>guilty</Verdict>"
    assert shown(minimised(content, rule("Paper"))) == "<File><Paper>p</Paper></File>"
    assert "guilty" in shown(minimised(content, rule("Verdict")))


def test_recursion_goes_as_deep_as_it_is_named() -> None:
    content = "<Part><Title>1</Title><Part><Title>2</Title><Part><Title>3</Title></Part></Part></Part>"
    assert shown(minimised(content, rule("Part/Part/Title"))) == (
        "<File><Part><Part><Title>2</Title></Part></Part></File>"
    )
    assert "3" in shown(minimised(content, rule("Part/**")))


def test_a_reference_to_what_is_not_released_is_refused() -> None:
    content = '<Links><Target id="a1"/><Link>a1</Link></Links>'
    assert "a1" in shown(minimised(content, rule("Links/Target/@id", "Links/Link")))
    with pytest.raises(AnswerNotReleasable, match="reference"):
        minimised(content, rule("Links/Link"))


def test_a_value_with_a_prefix_keeps_its_meaning() -> None:
    answer = minimised('<Kind xmlns:k="urn:kinds">k:big</Kind>', rule("Kind"))
    (kind,) = answer.payload
    assert (kind.text, kind.nsmap["k"]) == ("k:big", "urn:kinds")
    (kind,) = minimised("<Kind>big</Kind>", rule("Kind")).payload
    assert kind.nsmap[None] == "urn:test:file"


def test_a_value_that_a_replacement_does_not_fit_is_refused() -> None:
    with pytest.raises(AnswerNotReleasable):
        minimised("<Paper>1990</Paper>", rule(Paper="initial"))
    assert "<Paper>K.</Paper>" in shown(minimised("<Paper>karim</Paper>", rule(Paper="initial")))
    assert "<Paper>1990</Paper>" in shown(minimised("<Paper>1990-02-03</Paper>", rule(Paper="year")))


@pytest.mark.parametrize(
    ("released", "replaced"),
    [
        (("Person/Name", "Person/Name"), {}),
        (("Person/Name",), {"Person": "empty"}),
        (("Person/@sex/Name",), {}),
        (("**/Name",), {}),
        (("q:Name",), {}),
        ((), {"Any/**": "empty"}),
        (("",), {}),
    ],
)
def test_paths_that_do_not_fit_together_are_refused(released: tuple[str, ...], replaced: dict[str, str]) -> None:
    with pytest.raises((CommandRefused, IndexError)):
        rule(*released, **replaced)

"""What of an answer's declarations, references, includes and text goes along with a released field, step by step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from adapter.envelope.minimise import XSI_NIL, Cut, cut_root
from adapter.envelope.names import XOP_INCLUDE
from adapter.envelope.projection import make_projection
from adapter.errors import AnswerNotReleasable
from adapter.exchange.minimising import cut_down
from adapter.released_fields import ReleasedFields
from adapter.stages import ValidAnswer
from tests.minimising import NS, PERSON, description, minimised, rule, shown
from tests.unit.exchange.test_minimising_parts import INCLUDE, held, left

NEEDED = {"Person__Died": "nil", "Person__Pinfl": "mask", "Person__Passport": "empty"}
K = 'xmlns:k="urn:kinds"'


def declared(content: str, fields: ReleasedFields, name: str) -> dict[str | None, str]:
    """The declarations at the released element of this name, but for those of the rule and of xsi."""
    found = minimised(content, fields).payload.iter(f"{{{NS}}}{name}")
    nsmap: dict[str | None, str] = dict(next(found).nsmap)
    return {prefix: uri for prefix, uri in nsmap.items() if prefix not in ("f", "xsi")}


# --- declarations of prefixes that a value may use -------------------------------------------------------------------

OFFICER = PERSON.replace("<Person ", '<Person xsi:type="Officer" ').replace("</Person>", "<Rank>major</Rank></Person>")
DECLARED: dict[str, tuple[str, ReleasedFields, str, dict[str | None, str]]] = {
    "of a text that uses it": (f"<Kind {K}>k:big</Kind>", rule("Kind"), "Kind", {"k": "urn:kinds"}),
    "the default of a name without prefix": ("<Kind>big</Kind>", rule("Kind"), "Kind", {None: NS}),
    "of a text with two colons": (f"<Paper {K}>k:a:b</Paper>", rule("Paper"), "Paper", {"k": "urn:kinds"}),
    "of an attribute that uses it": (
        PERSON.replace('status="wanted"', f'status="k:x" {K}'),
        rule("Person/Name", "Person/@sex", "Person/@status", **NEEDED),
        "Person",
        {"k": "urn:kinds"},
    ),
    "the default of a type without prefix": (
        OFFICER,
        rule("Person/Name", "Person/@sex", "Person/Rank", "Person/@xsi:type", **NEEDED),
        "Person",
        {None: NS},
    ),
    "no default of a type that is not named": (OFFICER, rule("Person/Name", "Person/@sex", **NEEDED), "Person", {}),
    "no default where no type is named": (
        PERSON,
        rule("Person/Name", "Person/@sex", "Person/@xsi:type", **NEEDED),
        "Person",
        {},
    ),
    "none of a text that does not go out": (f"<Note {K}>k:x<Bold>b</Bold></Note>", rule("Note/Bold"), "Note", {}),
    "none of an attribute that does not go out": (
        PERSON.replace('status="wanted"', f'status="k:x" {K}'),
        rule("Person/Name", "Person/@sex", **NEEDED),
        "Person",
        {},
    ),
    "none of a word that is no prefix": ('<Paper xmlns:big="urn:x">big</Paper>', rule("Paper"), "Paper", {}),
    "none of what only looks like a prefix": ("<Paper>at 10:30</Paper>", rule("Paper"), "Paper", {}),
    "none of another prefix": (
        f'<Kind {K} xmlns:z="urn:z">k:big</Kind>',
        rule("Kind"),
        "Kind",
        {"k": "urn:kinds"},
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_declaration_goes_out_when_a_released_value_uses_it(name: str) -> None:
    content, fields, element, expected = DECLARED[name]
    assert declared(content, fields, element) == expected


def test_the_outermost_element_keeps_what_its_own_values_use() -> None:
    payload = etree.fromstring(f'<File xmlns="{NS}" {K} number="k:7"/>')
    answer = ValidAnswer(payload=payload, names_in_values=True)
    cut = cut_down(answer, description(), description().operation("Ask"), rule("@number")).payload
    assert (cut.get("number"), cut.nsmap.get("k")) == ("k:7", "urn:kinds")


def test_a_name_without_prefix_where_there_is_no_default_namespace() -> None:
    payload = etree.fromstring(f'<f:File xmlns:f="{NS}"><f:Kind>big</f:Kind></f:File>')
    answer = ValidAnswer(payload=payload, names_in_values=True)
    cut = cut_down(answer, description(), description().operation("Ask"), rule("Kind")).payload
    assert (cut[0].text, None in cut[0].nsmap) == ("big", False)


@pytest.mark.parametrize("path", ["Any/Name", "Any/**"])
def test_of_a_service_without_names_in_values_no_declaration_goes_out(path: str) -> None:
    payload = etree.fromstring(f'<File xmlns="{NS}" {K}><Any><Name {K} xmlns:z="urn:z">k:n</Name></Any></File>')
    fields = rule(path)
    for keeps_prefixes, prefixes in ((False, {"f"}), (True, {"f", None, "k", "z"} if path == "Any/**" else {"f", "k"})):
        tree = replace(make_projection(description(), fields), keeps_prefixes=keeps_prefixes)
        (name,) = cut_root(payload, tree, Cut()).iter(f"{{{NS}}}Name")
        assert (name.text, set(name.nsmap)) == ("k:n", prefixes)


# --- nil, references, includes, text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("yes", ["true", "1", " true "])
def test_an_element_is_nil_by_either_word(yes: str) -> None:
    (kind,) = minimised(f'<Kind xsi:nil="{yes}"/>', rule("Kind")).payload
    assert (kind.items(), kind.text) == ([(XSI_NIL, "true")], None)


def test_an_identifier_may_be_an_element_and_a_reference_may_be_nil() -> None:
    content = "<Links><Mark>a1</Mark><Link>a1</Link></Links>"
    assert "<Mark>a1</Mark><Link>a1</Link>" in shown(minimised(content, rule("Links/Mark", "Links/Link")))
    with pytest.raises(AnswerNotReleasable, match="reference"):
        minimised(content, rule("Links/Link"))
    assert minimised('<Links><Link xsi:nil="true"/></Links>', rule("Links/Link")).released == ("f:File/f:Links/f:Link",)


def test_an_include_in_an_element_whose_text_does_not_go_out_stays() -> None:
    answer = minimised(f"<Any>{INCLUDE.format('scan@x')}</Any>", rule("Any"), held("scan@x"))
    assert (shown(answer), left(answer)) == ("<File><Any></Any></File>", [])


def test_an_include_of_nothing_is_refused_and_no_accident() -> None:
    payload = etree.fromstring(f'<File xmlns="{NS}"><Scan/></File>')
    etree.SubElement(payload[0], XOP_INCLUDE)
    answer = ValidAnswer(payload=payload, names_in_values=True, attachments=held("scan@x"))
    with pytest.raises(AnswerNotReleasable):
        cut_down(answer, description(), description().operation("Ask"), rule("Scan"))


def test_text_on_both_sides_of_a_comment_goes_out_whole() -> None:
    content = "<Note>a<!--x-->b<Bold>c</Bold>d<!--y-->e<?z?>f</Note>"
    assert shown(minimised(content, rule("Note", "Note/Bold"))) == "<File><Note>ab<Bold>c</Bold>def</Note></File>"


def test_what_is_replaced_by_nothing_is_valid_where_no_text_may_be() -> None:
    content = '<Links><Target id="a1"/></Links>'
    answer = minimised(content, rule(Links__Target="empty"))
    (target,) = answer.payload.iter(f"{{{NS}}}Target")
    assert (target.text, target.items()) == (None, [])

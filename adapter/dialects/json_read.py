"""JSON to XML: a client's value as the text of an element, in the form that its type's plan gives (docs/json.md).

What comes out is text that the one parser of the adapter reads, within its limits, like the octets of any other call.
Each start tag ends on a line of its own, so that what the schema finds wrong is found again in the JSON document.
Only what cannot be written as XML is refused here; whether the element is valid, the schema says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from adapter.dialects.json_plan import ANY, AS_XML, CONTENT, NIL, TYPE, Form, Member, PlanBook, TypePlan
from adapter.dialects.json_text import Json, Number, kind_of, pointer_to
from adapter.dialects.json_unknown import unknown_member, unknown_type
from adapter.dialects.json_values import Unfit, ValuePlan, value_to_text, xml_text
from adapter.envelope.names import XML, XSI
from adapter.envelope.schema_model import ElementDeclaration, local_name, namespace_of
from adapter.envelope.soap import without_comments
from adapter.errors import AdapterError, LimitExceeded, Problem, SchemaInvalid
from adapter.xmlsafe import XmlLimits, escape_attribute, escape_text, parse

MAX_PROBLEMS: Final = 20
_MAX_POINTERS: Final = 10_000
# The name of an attribute that no schema declares: an NCName (XML 1.0, 2.3); `xmlns` is none.
_NAME_START: Final = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff"
    "\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_ATTRIBUTE: Final = re.compile(
    r"@(?!xmlns$)(?:\{(?!http://www\.w3\.org/2000/xmlns/)[^{}<>\"\s]+\})?"
    f"[{_NAME_START}][{_NAME_START}0-9.\xb7\u0300-\u036f\u203f\u2040-]*"
)
# Where the first start tag gets its namespaces, which are known at the end only. Nothing else can hold this character.
_DECLARATIONS: Final = "\x00"


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An element as text, and which JSON Pointer each of its lines belongs to."""

    octets: bytes
    pointers: Mapping[int, str]


def element_from_json(
    value: Json, declared: ElementDeclaration, book: PlanBook, limits: XmlLimits, *, pointer: str, first_line: int = 1
) -> Written:
    """The element of a declaration from a client's value (untrusted).

    pointer: where the value stands in its document. first_line: that the element shall begin on. Raises SchemaInvalid
    with up to MAX_PROBLEMS problems that have pointers, LimitExceeded.
    """
    writer = _Writer(book=book, limits=limits, line=first_line)
    writer.element(value, declared, pointer, 1)
    if writer.problems:
        raise writer.refusal()
    text = "".join(writer.parts).replace(_DECLARATIONS, writer.declarations(), 1)
    return Written(octets=("\n" * (first_line - 1) + text).encode(), pointers=writer.pointers)


@dataclass(kw_only=True, slots=True)
class _Writer:
    """One document being written. line: on which the next character will stand."""

    book: PlanBook
    limits: XmlLimits
    line: int
    parts: list[str] = field(default_factory=list)
    pointers: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=lambda: {XML: "xml", XSI: "xsi"})

    # --- what is written and noted -----------------------------------------------------------------------------------

    def declarations(self) -> str:
        """Every namespace that was used."""
        return "".join(f' xmlns:{prefix}="{escape_attribute(uri)}"' for uri, prefix in self.prefixes.items())

    def prefix_of(self, namespace: str) -> str:
        """A prefix for a namespace, the same everywhere."""
        return self.prefixes.setdefault(namespace, f"n{len(self.prefixes)}")

    def tag(self, name: str) -> str:
        """A name as it is written."""
        namespace = namespace_of(name)
        return f"{self.prefix_of(namespace)}:{local_name(name)}" if namespace else local_name(name)

    def refusal(self) -> SchemaInvalid:
        """What is wrong so far, as an error."""
        return SchemaInvalid(
            f"{len(self.problems)} places of the JSON document do not fit", problems=tuple(self.problems)
        )

    def problem(self, pointer: str, rule: str, text: str) -> None:
        """Note what is wrong. Raises SchemaInvalid when that is enough."""
        self.problems.append(Problem(line=0, column=0, element="", rule=rule, text=text, pointer=pointer))
        if len(self.problems) >= MAX_PROBLEMS:
            raise self.refusal()

    def _point(self, pointer: str) -> None:
        """This line belongs to that place. Beyond some thousand elements the schema names no lines."""
        if len(self.pointers) < _MAX_POINTERS:
            self.pointers[self.line] = pointer

    def _text(self, text: str) -> None:
        self.parts.append(escape_text(text))
        self.line += text.count("\n")

    # --- elements ----------------------------------------------------------------------------------------------------

    def element(self, value: Json, declared: ElementDeclaration, pointer: str, depth: int) -> None:
        """One element with all that it holds."""
        if depth > self.limits.max_depth:
            raise LimitExceeded(f"deeper than {self.limits.max_depth} elements")
        members = value if isinstance(value, dict) else {}
        if AS_XML in members:
            self._fragment(members[AS_XML], pointer_to(pointer, AS_XML), declared.name)
            self._refuse_members(members, {AS_XML}, pointer)
            return
        plan = self._plan(members, declared, pointer)
        if plan is None:
            return
        is_nil = value is None or members.get(NIL) is True
        if is_nil and not declared.nillable:
            text = "null is not allowed here: leave the member out, or give it a value."
            self.problem(pointer, "json.null", text)
            return
        tag = self.tag(declared.name)
        self.parts.append(f"<{tag}{self._attributes(members, plan, pointer, is_nil=is_nil)}")
        if not self.pointers:
            self.parts.append(_DECLARATIONS)
        self.parts.append("\n>")
        self.line += 1
        self._point(pointer)
        if is_nil:
            self._refuse_members(members, {name for name in members if name.startswith("@")}, pointer)
        else:
            self._content(value, members, plan, pointer, depth)
        self.parts.append(f"</{tag}>")

    def _plan(self, members: dict[str, Any], declared: ElementDeclaration, pointer: str) -> TypePlan | None:
        """The plan of the type that counts; None when the problem is noted."""
        said = members.get(TYPE)
        if said is None:
            plan = self.book.plan(declared.type)
            if plan.form is Form.XML and NIL not in members:
                text = (
                    f'The schema leaves open what this is: write it as XML in "{AS_XML}", or name a type in "{TYPE}".'
                )
                self.problem(pointer, "json.any", text)
                return None
            return plan
        name = self.book.type_named(said) if isinstance(said, str) else None
        if name is None or not self.book.may_stand_for(declared.type, name):
            self.problem(pointer_to(pointer, TYPE), "json.type", unknown_type(said, declared.type, self.book))
            return None
        return self.book.plan(name)

    def _attributes(self, members: dict[str, Any], plan: TypePlan, pointer: str, *, is_nil: bool) -> str:
        written = [' xsi:nil="true"'] if is_nil else []
        for name, value in members.items():
            if not name.startswith("@") or name == NIL:
                continue
            known = plan.attribute_by_name.get(name)
            if name == TYPE:
                type_name = self.book.type_named(str(value)) or ""
                written.append(f' xsi:type="{self.tag(type_name)}"')
            elif known is not None:
                text = self._value(value, known.value, pointer_to(pointer, name))
                written.append(f' {self.tag(known.declared.name)}="{escape_attribute(text)}"')
            elif plan.any_attribute and _ATTRIBUTE.fullmatch(name):
                written.append(f' {self.tag(name[1:])}="{escape_attribute(self._any(value, pointer, name))}"')
            else:
                self._unknown(name, plan, pointer)
        return "".join(written)

    # --- content -----------------------------------------------------------------------------------------------------

    def _content(self, value: Json, members: dict[str, Any], plan: TypePlan, pointer: str, depth: int) -> None:
        if plan.form is Form.VALUE and plan.value is not None:
            if plan.is_bare and not {TYPE, NIL} & members.keys():
                self._text(self._value(value, plan.value, pointer))
            elif self._is_object(value, pointer):
                if CONTENT in members:
                    self._text(self._value(members[CONTENT], plan.value, pointer_to(pointer, CONTENT)))
                self._refuse_members(members, {CONTENT}, pointer, plan)
        elif self._is_object(value, pointer):
            if plan.form is Form.SEQUENCE:
                self._refuse_members(members, {CONTENT}, pointer, plan)
                self._sequence(members.get(CONTENT, []), plan, pointer_to(pointer, CONTENT), depth)
            else:
                self._refuse_members(
                    members, {*plan.by_name, *([ANY] if plan.any_place is not None else [])}, pointer, plan
                )
                self._members(members, plan, pointer, depth)

    def _is_object(self, value: Json, pointer: str) -> bool:
        if isinstance(value, dict):
            return True
        self.problem(pointer, "json.kind", f"An object is wanted here, not {kind_of(value)}.")
        return False

    def _members(self, members: dict[str, Any], plan: TypePlan, pointer: str, depth: int) -> None:
        """Each member in its place; in an `xs:all` in the order in which the members stand."""
        order = [plan.by_name[name] for name in members if name in plan.by_name]
        if not plan.is_free:
            order.sort(key=lambda member: member.place)
        any_place = plan.any_place if ANY in members else None
        for member in order:
            if any_place is not None and member.place > any_place:
                self._wildcard(members[ANY], pointer_to(pointer, ANY))
                any_place = None
            self._member(members[member.name], member, pointer_to(pointer, member.name), depth)
        if any_place is not None:
            self._wildcard(members[ANY], pointer_to(pointer, ANY))

    def _member(self, value: Json, member: Member, pointer: str, depth: int) -> None:
        if not member.is_array:
            self.element(value, member.element, pointer, depth + 1)
        elif isinstance(value, list):
            for at, item in enumerate(value):
                self.element(item, member.element, pointer_to(pointer, at), depth + 1)
        else:
            text = f"An array is wanted here, not {kind_of(value)}: this element may be repeated."
            self.problem(pointer, "json.kind", text)

    def _sequence(self, items: Json, plan: TypePlan, pointer: str, depth: int) -> None:
        if not isinstance(items, list):
            self.problem(pointer, "json.kind", f"An array is wanted here, not {kind_of(items)}.")
            return
        for at, item in enumerate(items):
            here = pointer_to(pointer, at)
            if isinstance(item, str) and not isinstance(item, Number) and plan.is_mixed:
                self._text(self._checked(item, here))
            elif not isinstance(item, dict) or len(item) != 1:
                text = "An object with one member is wanted here: the element's name and its value."
                self.problem(here, "json.kind", text)
            else:
                self._item(item, plan, here, depth)

    def _item(self, item: dict[str, Any], plan: TypePlan, pointer: str, depth: int) -> None:
        ((name, value),) = item.items()
        if name == ANY and plan.any_place is not None:
            self._fragment(value, pointer_to(pointer, ANY), None)
        elif name in plan.by_name:
            self.element(value, plan.by_name[name].element, pointer_to(pointer, name), depth + 1)
        else:
            self._unknown(name, plan, pointer)

    # --- values and XML ----------------------------------------------------------------------------------------------

    def _value(self, value: Json, plan: ValuePlan, pointer: str) -> str:
        try:
            return value_to_text(value, plan, self.prefix_of)
        except Unfit as unfit:
            self.problem(pointer, "json.kind", str(unfit))
            return ""

    def _checked(self, text: str, pointer: str) -> str:
        try:
            return xml_text(text)
        except Unfit as unfit:
            self.problem(pointer, "json.kind", str(unfit))
            return ""

    def _any(self, value: Json, pointer: str, name: str) -> str:
        """The value of an attribute that no schema declares."""
        if isinstance(value, str) and not isinstance(value, Number):
            self._checked(name, pointer_to(pointer, name))
            return self._checked(value, pointer_to(pointer, name))
        self.problem(pointer_to(pointer, name), "json.kind", f"A string is wanted here, not {kind_of(value)}.")
        return ""

    def _wildcard(self, items: Json, pointer: str) -> None:
        if not isinstance(items, list):
            self.problem(pointer, "json.kind", f"An array of elements as XML is wanted here, not {kind_of(items)}.")
            return
        for at, item in enumerate(items):
            self._fragment(item, pointer_to(pointer, at), None)

    def _fragment(self, value: Json, pointer: str, name: str | None) -> None:
        """An element that the client wrote as XML: parsed on its own, so that it cannot reach beyond itself."""
        try:
            element = parse(value.encode(), self.limits) if isinstance(value, str) else None
        except (AdapterError, UnicodeEncodeError):
            element = None
        if element is None or name not in (None, element.tag):
            wanted = "an element" if name is None else f"the element {name}"
            self.problem(pointer, "json.xml", f"A string with {wanted} as well-formed XML is wanted here.")
            return
        text = etree.tostring(without_comments(element), encoding="unicode", with_tail=False)
        self.parts.append(text)
        self._point(pointer)
        for _ in range(text.count("\n")):
            self.line += 1
            self._point(pointer)

    # --- names -------------------------------------------------------------------------------------------------------

    def _refuse_members(
        self, members: dict[str, Any], known: set[str], pointer: str, plan: TypePlan | None = None
    ) -> None:
        """Note every member that is not an attribute, which were judged before, and not known."""
        for name in members:
            if name not in known and (plan is None or not name.startswith("@")):
                self._unknown(name, plan, pointer)

    def _unknown(self, name: str, plan: TypePlan | None, pointer: str) -> None:
        self.problem(pointer_to(pointer, name), "json.member", unknown_member(name, plan))

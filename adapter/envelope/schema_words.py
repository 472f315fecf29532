"""libxml2's findings in our own sentences, none of which repeats a value of the document.

Its messages quote what was sent (`'30101...' is not accepted by the pattern ...`). What we say is taken from the kind
of the finding and from that end of the message which quotes the schema; an element is named only by a name that the
schema declares. Rules are named as in XML Schema 1.0, Part 1, appendix C, and Part 2, appendix C.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.errors import Problem

_MAX_QUOTED: Final = 200
_LISTED_BY_LIBXML2: Final = 10

Words = Mapping[str, frozenset[str]]
"""Each local name that the schema declares, with the namespaces (empty: none) of the elements that have it."""
_TAIL: Final = {
    # What libxml2 quotes from the schema stands last, after the value: the greedy start skips whatever the value says.
    "pattern": re.compile(r".* is not accepted by the pattern '(.*)'\.\s*\Z", re.DOTALL),
    "set": re.compile(r".* is not an element of the set \{(.*)\}\.\s*\Z", re.DOTALL),
    "bound": re.compile(r".* (?:value allowed \(|must be (?:less|greater) than )'([^']*)'\)?\.\s*\Z", re.DOTALL),
    "type": re.compile(
        r".* is not a valid value of the (?:local )?(?:atomic|list|union) type(?: '([^']*)')?\.\s*\Z", re.DOTALL
    ),
    "length": re.compile(r".*allowed (?:minimum |maximum )?length of '(\d+)'\.\s*\Z", re.DOTALL),
    "digits": re.compile(r".* digits than are allowed \('?(\d+)'?\)\.\s*\Z", re.DOTALL),
    "expected": re.compile(r"Expected is (?:one of )?\( ([^()]*) \)\.\s*\Z"),
}
_SUBJECT: Final = re.compile(r"Element '(?:\{[^}]*\})?([^'{}]+)'")
_NAMESPACE: Final = re.compile(r"Element '(?:\{([^}]*)\})?")
_ATTRIBUTE: Final = re.compile(r"attribute '(?:\{[^}]*\})?([^'{}]+)'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What libxml2 reports: its message repeats values, so it goes no further than this module."""

    line: int
    path: str
    kind: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A finding and the name of the element that it is about, empty if the schema knows no such name."""

    message: str
    local: str
    words: Words

    def tail(self, what: str) -> str:
        """What the end of the message quotes from the schema; where it is long, its beginning."""
        found = _TAIL[what].search(self.message)
        quoted = (found.group(1) or "") if found else ""
        return quoted if len(quoted) <= _MAX_QUOTED else f"{quoted[:_MAX_QUOTED]} …"

    def attribute(self) -> str:
        """The name of the attribute that the finding is about, if the schema declares one of that name."""
        found = _ATTRIBUTE.search(self.message)
        return found.group(1) if found and found.group(1) in self.words else ""

    def expected(self) -> str:
        """The elements that may stand here, by local name. libxml2 lists the first ten and says nothing of more."""
        listed = self._expected()
        more = " or others" if len(listed) >= _LISTED_BY_LIBXML2 else ""
        return ", ".join(dict.fromkeys(map(_expected_name, listed))) + more

    def missed_namespace(self) -> str | None:
        """The namespace in which an element of this name stands by the schema, if this one stands in another."""
        found = _NAMESPACE.match(self.message)
        stands_in = (found.group(1) or "") if found else ""
        right = self.words.get(self.local, frozenset())
        if not found or not right or stands_in in right:
            return None
        here = {name.rpartition("}")[0].removeprefix("{") for name in self._expected() if _local(name) == self.local}
        return min(here or right)

    def _expected(self) -> list[str]:
        found = _TAIL["expected"].search(self.message)
        return found.group(1).split(", ") if found else []


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _expected_name(written: str) -> str:
    if written.startswith("##") or written.endswith("*"):
        return "any element that the schema's wildcard allows"
    return _local(written)


def _known(element: etree._Element | None, words: Words) -> str:
    if element is None or not isinstance(element.tag, str):
        return ""
    local = etree.QName(element).localname
    return local if local in words else ""


def describe(findings: Iterable[Finding], payload: etree._Element, words: Words, *, limit: int) -> tuple[Problem, ...]:
    """The findings of one validation as problems, at most `limit`, in document order, each place and rule once.

    payload: the element that was validated. words: what the schema declares.
    """
    problems: list[Problem] = []
    for entry in findings:
        local, path = _locate(payload, entry, words)
        finding = _Placed(message=entry.message, local=local, words=words)
        rule, sentence = _RULES.get(entry.kind, ("cvc-valid", _not_valid))
        before = problems[-1] if problems else None
        if (
            before
            and (before.line, before.element) == (entry.line, path)
            and rule == "cvc-datatype-valid"
            and before.rule in _FACETS
        ):
            continue  # libxml2 reports a broken facet twice: as the facet and as a wrong value of the type
        problem = Problem(line=entry.line, column=0, element=path, rule=rule, text=sentence(finding))
        if problem not in problems:
            problems.append(problem)
        if len(problems) >= limit:
            break
    return tuple(problems)


def _locate(payload: etree._Element, finding: Finding, words: Words) -> tuple[str, str]:
    """The name of the element that a finding is about, and the path to it in local names.

    A name that the schema does not declare is shown as `*` and returned empty. Without a path (a large element, judged
    as a stream) there is only what the finding itself says.
    """
    if not finding.path:
        named = _SUBJECT.match(finding.message)
        local = named.group(1) if named and named.group(1) in words else ""
        return local, local or "*"
    element: etree._Element | None = payload
    shown = [_known(element, words) or "*"]
    for step in finding.path.strip("/").split("/")[1:]:
        name, _, index = step.partition("[")
        element = None if element is None else _child(element, name, int(index.rstrip("]") or 1))
        shown.append((_known(element, words) or "*") + _position(element))
    return _known(element, words), "/".join(shown)


def _position(element: etree._Element | None) -> str:
    """`[3]` for the third of several elements of one name."""
    if element is None:
        return ""
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    is_alone = not before and next(element.itersiblings(element.tag), None) is None
    return "" if is_alone else f"[{before + 1}]"


def _child(parent: etree._Element, name: str, position: int) -> etree._Element | None:
    """The child of a path step: `*` counts every element, a name those of the same prefix and local name."""
    prefix, _, local = name.rpartition(":")
    seen = 0
    for child in parent.iterchildren(etree.Element):
        if name == "*" or (etree.QName(child).localname == local and (child.prefix or "") == prefix):
            seen += 1
            if seen == position:
                return child
    return None


# --- the sentences ---------------------------------------------------------------------------------------------------


def _element_name(finding: _Placed) -> str:
    return f"The element {finding.local}" if finding.local else "An element that the schema does not know"


def _content(finding: _Placed) -> str:
    expected = finding.expected()
    if "Missing child element" in finding.message:
        return f"{_element_name(finding)} is not complete; what is missing: {expected or 'a required element'}."
    namespace = finding.missed_namespace()
    if namespace is not None:
        wanted = f"it has to be in {namespace}" if namespace else "it has to be in none, without a prefix or xmlns"
        return f"{_element_name(finding)} is in the wrong namespace; {wanted}."
    instead = f"; expected here: {expected}" if expected else "; no further element is allowed in its parent"
    return f"{_element_name(finding)} must not stand here{instead}. Check its name, its namespace and the order."


def _type(finding: _Placed) -> str:
    wanted = finding.tail("type")
    return f"The value is not of the type {wanted}." if wanted else "The value is not of the declared type."


def _pattern(finding: _Placed) -> str:
    pattern = finding.tail("pattern")
    return f"The value does not match the pattern {pattern}" + ("" if pattern else "of its type") + "."


def _enumeration(finding: _Placed) -> str:
    allowed = finding.tail("set")
    return f"The value is not in the list of allowed values{f': {allowed}' if allowed else ''}."


def _length(word: str, allowed: str) -> Callable[[_Placed], str]:
    def sentence(finding: _Placed) -> str:
        length = finding.tail("length")
        return f"The value is {word}{f'; allowed length: {allowed} {length}' if length else ''}."

    return sentence


def _bound(word: str) -> Callable[[_Placed], str]:
    def sentence(finding: _Placed) -> str:
        bound = finding.tail("bound")
        return f"The value is {word} than allowed{f'; the bound is {bound}' if bound else ''}."

    return sentence


def _digits(word: str) -> Callable[[_Placed], str]:
    def sentence(finding: _Placed) -> str:
        digits = finding.tail("digits")
        return f"The value has too many {word}{f'; allowed: {digits}' if digits else ''}."

    return sentence


def _attribute(what: str) -> Callable[[_Placed], str]:
    def sentence(finding: _Placed) -> str:
        name = finding.attribute()
        return f"{f'The attribute {name}' if name else 'An attribute'} {what}."

    return sentence


def _says(text: str) -> Callable[[_Placed], str]:
    return lambda finding: f"{_element_name(finding)} {text}."


def _undeclared(finding: _Placed) -> str:
    """An element where a strict wildcard stands, or as the root: it has to be declared globally."""
    return f"{_element_name(finding)} must not stand here; only elements that the schema declares at its top may."


def _not_valid(finding: _Placed) -> str:
    return f"{_element_name(finding)} is not valid against its declaration in the schema."


_FACETS: Final = frozenset(
    {
        "cvc-pattern-valid", "cvc-enumeration-valid", "cvc-length-valid", "cvc-minLength-valid", "cvc-maxLength-valid",
        "cvc-minInclusive-valid", "cvc-maxInclusive-valid", "cvc-minExclusive-valid", "cvc-maxExclusive-valid",
        "cvc-totalDigits-valid", "cvc-fractionDigits-valid",
    }
)  # fmt: skip

_RULES: Final[dict[str, tuple[str, Callable[[_Placed], str]]]] = {
    "SCHEMAV_ELEMENT_CONTENT": ("cvc-complex-type.2.4", _content),
    "SCHEMAV_CVC_ELT_1": ("cvc-elt.1", _undeclared),
    "SCHEMAV_CVC_ELT_2": ("cvc-elt.2", _says("is abstract; send one of those that stand for it")),
    "SCHEMAV_CVC_ELT_3_1": ("cvc-elt.3.1", _says("may not be nil")),
    "SCHEMAV_CVC_ELT_3_2_1": ("cvc-elt.3.2.1", _says("is nil and must be empty")),
    "SCHEMAV_CVC_ELT_3_2_2": ("cvc-elt.3.2.2", _says("has a fixed value and may not be nil")),
    "SCHEMAV_CVC_ELT_4_1": ("cvc-elt.4.1", _says("has an xsi:type that is not a qualified name")),
    "SCHEMAV_CVC_ELT_4_2": ("cvc-elt.4.2", _says("has an xsi:type that the schema does not know")),
    "SCHEMAV_CVC_ELT_4_3": ("cvc-elt.4.3", _says("has an xsi:type that is not derived from its declared type")),
    "SCHEMAV_CVC_ELT_5_2_2_1": ("cvc-elt.5.2.2.1", _says("has a fixed value and may hold no element")),
    "SCHEMAV_CVC_ELT_5_2_2_2_1": ("cvc-elt.5.2.2.2", _says("must have the fixed value of its declaration")),
    "SCHEMAV_CVC_ELT_5_2_2_2_2": ("cvc-elt.5.2.2.2", _says("must have the fixed value of its declaration")),
    "SCHEMAV_CVC_TYPE_2": ("cvc-type.2", _says("has an abstract type; name a derived one in xsi:type")),
    "SCHEMAV_CVC_TYPE_3_1_1": ("cvc-type.3.1.1", _attribute("is not allowed on an element of a simple type")),
    "SCHEMAV_CVC_TYPE_3_1_2": ("cvc-type.3.1.2", _says("has a simple type and may hold no element")),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": ("cvc-complex-type.2.1", _says("must be empty")),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": ("cvc-complex-type.2.2", _says("holds a value and may hold no element")),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": ("cvc-complex-type.2.3", _says("may hold elements only, no text between them")),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_4": ("cvc-complex-type.2.4", _content),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_1": (
        "cvc-complex-type.3.1",
        _attribute("must have the fixed value of its declaration"),
    ),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": ("cvc-complex-type.3.2.1", _attribute("is not allowed here")),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": ("cvc-complex-type.3.2.2", _attribute("is not allowed here")),
    "SCHEMAV_CVC_COMPLEX_TYPE_4": ("cvc-complex-type.4", _attribute("is required and missing")),
    "SCHEMAV_CVC_AU": ("cvc-au", _attribute("must have the fixed value of its declaration")),
    "SCHEMAV_CVC_WILDCARD": ("cvc-wildcard", _says("is not among the elements that the schema declares")),
    "SCHEMAV_CVC_IDC": ("cvc-identity-constraint", _says("breaks a key, uniqueness or reference rule of the schema")),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": ("cvc-datatype-valid", _type),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_2": ("cvc-datatype-valid", _type),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": ("cvc-datatype-valid", _type),
    "SCHEMAV_CVC_PATTERN_VALID": ("cvc-pattern-valid", _pattern),
    "SCHEMAV_CVC_ENUMERATION_VALID": ("cvc-enumeration-valid", _enumeration),
    "SCHEMAV_CVC_LENGTH_VALID": ("cvc-length-valid", _length("of the wrong length", "exactly")),
    "SCHEMAV_CVC_MINLENGTH_VALID": ("cvc-minLength-valid", _length("too short", "at least")),
    "SCHEMAV_CVC_MAXLENGTH_VALID": ("cvc-maxLength-valid", _length("too long", "at most")),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": ("cvc-minInclusive-valid", _bound("smaller")),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": ("cvc-maxInclusive-valid", _bound("larger")),
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": ("cvc-minExclusive-valid", _bound("smaller")),
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": ("cvc-maxExclusive-valid", _bound("larger")),
    "SCHEMAV_CVC_TOTALDIGITS_VALID": ("cvc-totalDigits-valid", _digits("digits")),
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": ("cvc-fractionDigits-valid", _digits("fraction digits")),
}

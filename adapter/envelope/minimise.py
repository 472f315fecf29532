"""An answer cut down to the fields that a rule lets out (law on electronic government, article 9: nothing superfluous).

A new element is written with what is named and nothing else: what nobody named is never copied, wherever it stands and
whatever it is. So comments, processing instructions, white space between elements, prefixes, declarations of
namespaces and hints where a schema lies do not go out either, except below a path that ends in `**`, where comments and
processing instructions alone are left behind, and what the rule replaces is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from lxml import etree

from adapter.envelope.names import XOP_INCLUDE, XSI, XSI_TYPE, qname
from adapter.envelope.projection import Instead, Place, Projection
from adapter.errors import AnswerNotReleasable
from adapter.released_fields import Replacement
from adapter.xmlsafe import text_of

XSI_NIL: Final = qname(XSI, "nil")
_HREF: Final = "href"
_TRUE: Final = ("true", "1")


class _Start(Protocol):
    """Makes the element that an element is copied to: its tag, and the declarations that it needs of its own."""

    def __call__(self, tag: str, more: dict[str | None, str]) -> etree._Element: ...


@dataclass(kw_only=True, slots=True)
class Cut:
    """What is left of an answer, and what the record says of it.

    released: those paths of the rule that occurred. replaced: path to what stands there instead. hrefs: of every
    xop:Include that is left.
    """

    released: set[str] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)
    hrefs: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)

    def check_references(self) -> None:
        """What is referred to has to be there (XML Schema 1.0, Part 2, 3.3.9). Raises AnswerNotReleasable."""
        if not self.references <= self.ids:
            raise AnswerNotReleasable("a released reference leads to an element that is not released")


def cut_root(source: etree._Element, tree: Projection, cut: Cut) -> etree._Element:
    """One outermost element of a valid answer, cut down; of one that no path begins with, the bare element.

    source: not changed. cut: gets what was found. Raises AnswerNotReleasable when a replacement does not fit a value.
    """
    place = tree.roots.get(str(source.tag), _NOTHING)
    return _Walk(tree, cut).element(source, place, _root_with(tree.prefixes))


_NOTHING: Final = Place()


class _Walk:
    """One walk over one answer."""

    def __init__(self, tree: Projection, cut: Cut) -> None:
        self._tree = tree
        self._cut = cut

    def element(self, source: etree._Element, place: Place, start: _Start) -> etree._Element:
        """Copy of an element what its place lets out."""
        if place.instead is not None:
            return self._replacement(source, place.instead, start)
        target = start(str(source.tag), self._declarations(source, place))
        for name, value in source.items():
            self._attribute(target, str(name), str(value), place)
        if place.everything is not None:
            self._cut.released.add(place.everything)
            self._everything_in(source, target, place)
            return target
        if place.path:
            self._cut.released.add(place.path)
        self._content(source, target, place)
        return target

    def _content(self, source: etree._Element, target: etree._Element, place: Place) -> None:
        if place.text:
            _add_text(target, None, source.text)
        last: etree._Element | None = None
        for child in source:
            below = place.children.get(child.tag)  # the tag of a comment is a function, and no key
            if below is not None:
                last = self.element(child, below, _under(target))
            elif place.text and child.tag == XOP_INCLUDE:
                last = self._include(child, target)
            if place.text:
                _add_text(target, last, child.tail)
        self._note(place, target.text or "")

    def _attribute(self, target: etree._Element, name: str, value: str, place: Place) -> None:
        if name == XSI_NIL:
            if value.strip() in _TRUE:
                target.set(XSI_NIL, "true")
            return
        below = place.attributes.get(name)
        if below is None:
            if place.everything is not None:
                target.set(name, value)
        elif below.instead is not None:
            target.set(name, self._rewritten(below.instead, value))
        else:
            target.set(name, value)
            self._cut.released.add(below.path)
            self._note(below, value)

    def _note(self, place: Place, value: str) -> None:
        if place.is_id:
            self._cut.ids.update(value.split())
        elif place.is_reference:
            self._cut.references.update(value.split())

    def _replacement(self, source: etree._Element, instead: Instead, start: _Start) -> etree._Element:
        target = start(str(source.tag), {})
        if instead.way is Replacement.NIL:
            target.set(XSI_NIL, "true")
            self._cut.replaced[instead.path] = instead.way.value
            return target
        text = self._rewritten(instead, text_of(source))  # what is nil has none
        if text:
            target.text = text
        return target

    def _rewritten(self, instead: Instead, value: str) -> str:
        self._cut.replaced[instead.path] = instead.way.value
        return instead.rewrite(value)

    def _include(self, source: etree._Element, parent: etree._Element) -> etree._Element:
        target = etree.SubElement(parent, XOP_INCLUDE)
        href = source.get(_HREF, "")
        target.set(_HREF, href)
        self._cut.hrefs.add(href)
        return target

    def _everything_in(self, source: etree._Element, target: etree._Element, place: Place) -> None:
        """Content of any kind, as it is, without comments and processing instructions; what is replaced is replaced."""
        _add_text(target, None, source.text)
        last: etree._Element | None = None
        for child in source:
            if child.tag == XOP_INCLUDE:
                last = self._include(child, target)
            elif _is_element(child):
                last = self._whole(child, place.children.get(child.tag, _NOTHING), _under(target))
            _add_text(target, last, child.tail)

    def _whole(self, source: etree._Element, place: Place, start: _Start) -> etree._Element:
        """An element below a path that ends in `**`. place: what else the rule says of it."""
        if place.instead is not None:
            return self._replacement(source, place.instead, start)
        target = start(str(source.tag), dict(source.nsmap) if self._tree.keeps_prefixes else {})
        for name, value in source.items():
            below = place.attributes.get(str(name), _NOTHING)
            target.set(name, value if below.instead is None else self._rewritten(below.instead, str(value)))
        self._everything_in(source, target, place)
        return target

    def _declarations(self, source: etree._Element, place: Place) -> dict[str | None, str]:
        """The declarations that a released value may need: those of the prefixes that it uses."""
        if not self._tree.keeps_prefixes:
            return {}
        if place.everything is not None:
            return dict(source.nsmap)
        values = [source.text or ""] if place.text else []
        values += [str(value) for name, value in source.items() if name in place.attributes]
        prefixes = {value.strip().partition(":")[0] for value in values if ":" in value}
        needed: dict[str | None, str] = {prefix: source.nsmap[prefix] for prefix in prefixes if prefix in source.nsmap}
        is_bare = place.is_qname and ":" not in (source.text or "")
        is_bare_type = XSI_TYPE in place.attributes and ":" not in source.get(XSI_TYPE, ":")
        if (is_bare or is_bare_type) and None in source.nsmap:  # a name without a prefix means the default namespace
            needed[None] = source.nsmap[None]
        return needed


def _under(parent: etree._Element) -> _Start:
    return lambda tag, more: etree.SubElement(parent, tag, nsmap=cast("dict[str, str]", more))


def _root_with(prefixes: Mapping[str | None, str]) -> _Start:
    return lambda tag, more: etree.Element(tag, nsmap=cast("dict[str, str]", {**prefixes, **more}))


def _is_element(node: etree._Element) -> bool:
    """Not a comment or a processing instruction, whose tag is a function."""
    return isinstance(cast("object", node.tag), str)


def _add_text(parent: etree._Element, last: etree._Element | None, text: str | None) -> None:
    """Text behind the last element that was written, or at the beginning."""
    if not text:
        return
    if last is None:
        parent.text = (parent.text or "") + text
    else:
        last.tail = (last.tail or "") + text

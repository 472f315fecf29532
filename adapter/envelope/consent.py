"""A person's consent as a value, and its element `Consent` (xsd/consent.xsd). Who signed it is another matter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.gate_structure import attribute, check_attributes, children, leaf_text, local_name, refuse
from adapter.envelope.instants import read_instant, write_instant
from adapter.envelope.statements import CODE, matching, read_plain, read_purpose, read_subject, readable
from adapter.errors import CommandRefused, InvalidIdentifier
from adapter.identifiers import Purpose, ServiceId, SubjectId, SubsystemId
from adapter.released_fields import ReleasedFields
from adapter.xmlsafe import escape_attribute, escape_text

CONSENT: Final = names.qname(names.CONSENT, "Consent")
STATEMENT: Final = names.qname(names.CONSENT, "ConsentStatement")
_ID_ONLY: Final = frozenset((names.WSU_ID,))
_SERVICE: Final = frozenset(("service",))
_PREFIX: Final = frozenset(("prefix",))
_STIR: Final = re.compile("[0-9]{9}")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_MAX_CHARS: Final = 1000
# Each child, in this order, with how often it may come.
_CHILDREN: Final = {
    "Id": (1, 1),
    "Issuer": (1, 1),
    "Operator": (1, 1),
    "Subject": (1, 1),
    "Purpose": (1, 32),
    "Data": (1, 64),
    "Issued": (1, 1),
    "From": (1, 1),
    "Until": (1, 1),
    "ThirdParty": (0, 64),
    "CrossBorder": (1, 1),
    "Revocable": (1, 1),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Organisation:
    """Somebody who works with personal data. stir: 9 digits."""

    name: str
    stir: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What a person agreed to. until is exclusive.

    data: service to the fields of its answers; None for the whole document. third_parties: to whom the operator may
    hand the data on.
    """

    id: str
    issuer: SubsystemId
    operator: Organisation
    subject: SubjectId = field(repr=False)
    purposes: frozenset[str]
    data: tuple[tuple[ServiceId, ReleasedFields | None], ...]
    issued: datetime
    valid_from: datetime
    valid_until: datetime
    third_parties: tuple[Organisation, ...] = ()
    cross_border: bool = False
    revocable: bool = True

    @property
    def reference(self) -> ConsentReference:
        """How a request names it."""
        return ConsentReference(issuer=self.issuer, id=self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentReference:
    """ISSUER/ID: the issuer's subsystem and the consent's id there."""

    issuer: SubsystemId
    id: str

    @classmethod
    def parse(cls, text: str) -> ConsentReference:
        """Raises InvalidIdentifier."""
        issuer, _, id_ = text.rpartition("/")
        if not CODE.fullmatch(id_):
            raise InvalidIdentifier("a consent is named ISSUER/ID, where ISSUER is instance/class/code/subsystem")
        return cls(issuer=SubsystemId.parse(issuer), id=id_)

    def __str__(self) -> str:
        return f"{self.issuer}/{self.id}"


def read_consent(element: etree._Element) -> Consent:
    """The element as a value; signed or not, the caller knows. Raises EnvelopeRefused, InvalidIdentifier."""
    if element.tag != CONSENT:
        refuse("not a Consent")
    check_attributes(element, _ID_ONLY)
    found = _by_name(element)
    until, begins = _instant(found["Until"][0]), _instant(found["From"][0])
    if until <= begins:
        refuse("the consent ends before it begins")
    return Consent(
        id=matching(CODE, _leaf(found["Id"][0]), "Id"),
        issuer=SubsystemId.parse(_leaf(found["Issuer"][0])),
        operator=_organisation(found["Operator"][0]),
        subject=read_subject(found["Subject"][0]),
        purposes=frozenset(read_purpose(one) for one in found["Purpose"]),
        data=_all_data(found["Data"]),
        issued=_instant(found["Issued"][0]),
        valid_from=begins,
        valid_until=until,
        third_parties=tuple(_organisation(one) for one in found["ThirdParty"]),
        cross_border=_boolean(found["CrossBorder"][0]),
        revocable=_boolean(found["Revocable"][0]),
    )


def _by_name(element: etree._Element) -> dict[str, list[etree._Element]]:
    found: dict[str, list[etree._Element]] = {name: [] for name in _CHILDREN}
    order, order_of = list(_CHILDREN), {names.qname(names.CONSENT, name): name for name in _CHILDREN}
    at = 0
    for child in children(element):
        name = order_of.get(child.tag, "")
        if name not in order[at:]:
            refuse("Consent has a child that is unknown or out of order")
        at = order.index(name)
        found[name].append(child)
    for name, (least, most) in _CHILDREN.items():
        if not least <= len(found[name]) <= most:
            refuse(f"Consent has {name} too seldom or too often")
    return found


def _leaf(element: etree._Element) -> str:
    check_attributes(element)
    return leaf_text(element, max_chars=_MAX_CHARS)


def _instant(element: etree._Element) -> datetime:
    return read_instant(_leaf(element))


def _boolean(element: etree._Element) -> bool:
    said = _BOOLEANS.get(_leaf(element))
    if said is None:
        refuse(f"{local_name(element)} is neither true nor false")
    return said


def _organisation(element: etree._Element) -> Organisation:
    check_attributes(element)
    name, stir = _named(element, "Name", "Stir")
    return Organisation(name=read_plain(name), stir=matching(_STIR, _leaf(stir), "Stir"))


def _named(element: etree._Element, *wanted: str) -> list[etree._Element]:
    found = children(element)
    if [child.tag for child in found] != [names.qname(names.CONSENT, name) for name in wanted]:
        refuse(f"{local_name(element)} must have exactly: {', '.join(wanted)}")
    return found


def _all_data(elements: list[etree._Element]) -> tuple[tuple[ServiceId, ReleasedFields | None], ...]:
    data = tuple(_data(element) for element in elements)
    if len({service for service, _ in data}) != len(data):
        refuse("Consent names a service twice")
    return data


def _data(element: etree._Element) -> tuple[ServiceId, ReleasedFields | None]:
    check_attributes(element, _SERVICE)
    service = ServiceId.parse(attribute(element, "service"))
    namespaces: list[tuple[str, str]] = []
    paths: list[str] = []
    for child in children(element):
        if child.tag == names.qname(names.CONSENT, "Namespace") and not paths:
            check_attributes(child, _PREFIX)
            namespaces.append((attribute(child, "prefix"), leaf_text(child, max_chars=_MAX_CHARS)))
        elif child.tag == names.qname(names.CONSENT, "Field"):
            paths.append(readable(_leaf(child), "Field"))
        else:
            refuse("Data has something else than Namespace and Field")
    if len(dict(namespaces)) != len(namespaces):
        refuse("Data names a prefix twice")
    try:
        return service, ReleasedFields(namespaces=tuple(namespaces), released=tuple(paths)) if paths else None
    except CommandRefused as cause:
        refuse(f"Data: {cause.reason}")


def render_consent(consent: Consent) -> bytes:
    """The element in exclusive canonical form, with the id `consent`."""
    parts = [
        f'<con:Consent xmlns:con="{names.CONSENT}" xmlns:wsu="{names.WSU}" wsu:Id="consent">',
        _element("Id", consent.id),
        _element("Issuer", str(consent.issuer)),
        _who("Operator", consent.operator),
        f'<con:Subject kind="{consent.subject.kind}">{escape_text(consent.subject.value)}</con:Subject>',
        *(_element("Purpose", Purpose(code)) for code in sorted(consent.purposes)),
    ]
    for service, fields in consent.data:
        parts.append(f'<con:Data service="{escape_attribute(str(service))}">')
        if fields is not None:
            parts += [
                f'<con:Namespace prefix="{escape_attribute(prefix)}">{escape_text(uri)}</con:Namespace>'
                for prefix, uri in fields.namespaces
            ]
            parts += [_element("Field", path) for path in fields.released]
        parts.append("</con:Data>")
    parts += [
        _element("Issued", write_instant(consent.issued)),
        _element("From", write_instant(consent.valid_from)),
        _element("Until", write_instant(consent.valid_until)),
        *(_who("ThirdParty", one) for one in consent.third_parties),
        _element("CrossBorder", str(consent.cross_border).lower()),
        _element("Revocable", str(consent.revocable).lower()),
        "</con:Consent>",
    ]
    return "".join(parts).encode()


def _element(name: str, text: str) -> str:
    return f"<con:{name}>{escape_text(text)}</con:{name}>"


def _who(name: str, who: Organisation) -> str:
    return f"<con:{name}>{_element('Name', who.name)}{_element('Stir', who.stir)}</con:{name}>"

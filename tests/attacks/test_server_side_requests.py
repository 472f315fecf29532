"""Nothing that somebody else wrote makes the adapter connect to where, or open what, it names (SSRF).

Every place of a message, of a service description, of a certificate and of the directory gets the address of a bait
port and of a bait file. Where the directory's own addresses may lead: tests/attacks/test_peer_destinations.py.
"""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID
from lxml import etree

from adapter.directory.document import parse_directory
from adapter.envelope.description import load_bundle, load_description, make_bundle, read_description
from adapter.envelope.names import WSU_ID
from adapter.envelope.wsdl_publish import publish
from adapter.errors import (
    AdapterError,
    DescriptionUnusable,
    DirectoryRefused,
    EnvelopeRefused,
    InvalidIdentifier,
    PeerAnswerInvalid,
    SchemaInvalid,
    SecurityFailed,
)
from tests.attacks.conftest import Scenes
from tests.attacks.draft import Direction, Draft, Hand
from tests.attacks.recipes.certificates import registered
from tests.attacks.recipes.model import TAKEN, Change, Variant
from tests.attacks.scenes import Scene
from tests.attacks.test_recipes import EVERY_CASE, UNTOUCHED, carried_out, wrong_with
from tests.attacks.watch import Canary
from tests.pki import SUITE_NAMES
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, schema, wsdl

pytestmark = pytest.mark.timeout(900 if EVERY_CASE else 120)
SUITES = SUITE_NAMES if EVERY_CASE else ("p256",)

XSI = "http://www.w3.org/2001/XMLSchema-instance"
EVERYWHERE = (
    f"{{{XSI}}}schemaLocation",
    f"{{{XSI}}}noNamespaceSchemaLocation",
    "{http://www.w3.org/XML/1998/namespace}base",
    "{http://www.w3.org/1999/xlink}href",
    "href",
    "src",
    "URI",
    "Location",
)
"""Attributes by which one vocabulary or another names a document."""

OF_EVERY_SCHEMA = EVERYWHERE[:2]
"""Every schema takes these two (XML Schema 1, 2.6.3), and nobody follows them: they are handed on with the payload."""


# --- a message -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """An element of a message by its number in document order, and one of its attributes, or its text."""

    number: int
    attribute: str | None
    name: str

    @property
    def is_own_id(self) -> bool:
        """Whether it is the id by which a Reference finds the element."""
        return self.attribute == WSU_ID

    def holds(self, bait: str) -> Change:
        def change(draft: Draft) -> None:
            element = list(draft.root.iter())[self.number]
            if self.attribute is None:
                element.text = bait
            else:
                element.set(self.attribute, bait)

        return change


def places(root: etree._Element) -> Iterator[Place]:
    """Every attribute and every text of a message."""
    for number, element in enumerate(root.iter()):
        name = etree.QName(element).localname
        for attribute in map(str, element.attrib):
            yield Place(number, attribute, f"{name}/@{attribute}")
        if not len(element):
            yield Place(number, None, name)


async def drafted(scene: Scene, hand: Hand) -> Draft:
    """An untouched message, to look at."""
    seen: list[Draft] = []
    await carried_out(scene, Variant(name="look", change=seen.append, expect=TAKEN), hand)
    return seen[0]


class Zone(Enum):
    """In which part of a message an element stands."""

    OUTER = "outside of what is encrypted"
    KEY = "EncryptedKey"
    SIGNATURE = "Signature"
    CONFIRMATION = "SignatureConfirmation"
    PERSONAL_DATA = "PersonalData"
    PAYLOAD = "payload"


def zone_of(element: etree._Element) -> Zone:
    """By the names of the elements around it; an outsider's draft has nothing decrypted in it."""
    around = [etree.QName(one).localname for one in (element, *element.iterancestors())]
    named = [zone for zone in Zone if zone.value in around]
    in_clear_body = "Body" in around[1:] and "EncryptedData" not in around
    return named[0] if named else Zone.PAYLOAD if in_clear_body else Zone.OUTER


# What each hand makes anew after its change: an address that it put there is not in the message that is sent.
NOT_SENT = {(Hand.INSIDER, Zone.KEY), (Hand.MEMBER, Zone.KEY), (Hand.MEMBER, Zone.SIGNATURE)}
FREE_TEXTS = {"LegalBasis", "Surname"}
"""Texts that may say anything, and so an address too; they are handed on as texts."""


def may_say_anything(zone: Zone, place: Place) -> bool:
    """Whether an address is as good a value as any here."""
    if place.attribute is None:
        return place.name in FREE_TEXTS
    return zone is Zone.PAYLOAD and place.attribute in OF_EVERY_SCHEMA


def expected(hand: Hand, direction: Direction, zone: Zone, place: Place) -> str:
    """The code that an address at this place has in the record."""
    if (hand, zone) in NOT_SENT:
        return TAKEN
    if zone in (Zone.OUTER, Zone.KEY):
        return EnvelopeRefused.code
    if hand is not Hand.MEMBER or zone is Zone.CONFIRMATION or place.is_own_id:
        return SecurityFailed.code
    if may_say_anything(zone, place):
        return TAKEN
    if zone is Zone.PAYLOAD:
        return SchemaInvalid.code if direction is Direction.REQUEST else PeerAnswerInvalid.code
    is_subject = place.name == "Subject/@kind" or (place.name, place.attribute) == ("Subject", None)
    return InvalidIdentifier.code if is_subject else EnvelopeRefused.code


@dataclass
class Tried:
    """What came of the addresses that were tried, and how many there were in each part of the message."""

    scene: Scene
    hand: Hand
    wrong: list[str] = field(default_factory=list)
    zones: Counter[Zone] = field(default_factory=Counter)

    async def at(self, place: Place, element: etree._Element, bait: str) -> None:
        zone = zone_of(element)
        outcome = await carried_out(self.scene, Variant(name="", change=place.holds(bait), expect=""), self.hand)
        found = wrong_with(outcome, expected(self.hand, self.scene.direction, zone, place))
        if zone in (Zone.OUTER, Zone.KEY) and (bait.encode() in self.scene.sent) is ((self.hand, zone) in NOT_SENT):
            found.append("the address was sent, or not sent, otherwise than this test believes")
        self.zones[zone] += 1
        self.wrong += [f"{place.name} ({zone.value}), {place.attribute}: {one}" for one in found]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("direction", [Direction.REQUEST, Direction.REPLY])
@pytest.mark.parametrize("hand", Hand)
async def test_an_address_at_every_place_of_a_message(
    suite: str, direction: Direction, hand: Hand, scenes: Scenes, canary: Canary
) -> None:
    scene = scenes(suite, direction)
    assert wrong_with(await carried_out(scene, UNTOUCHED, hand), TAKEN) == []
    root, tried = (await drafted(scene, hand)).root, Tried(scene, hand)
    elements = list(root.iter())
    for number, place in enumerate(places(root)):
        if not EVERY_CASE and number % 3:
            continue
        for bait in (canary.url, canary.path.as_uri()) if EVERY_CASE else ((canary.url, str(canary.path))[number % 2],):
            await tried.at(place, elements[place.number], bait)
    assert not tried.wrong, "\n".join(tried.wrong)
    assert tried.zones.total() > (80 if EVERY_CASE else 10)
    if EVERY_CASE:
        assert set(tried.zones) == {zone_of(element) for element in elements}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("direction", [Direction.REQUEST, Direction.REPLY])
@pytest.mark.parametrize("hand", Hand)
async def test_attributes_that_name_documents_on_every_element(
    suite: str, direction: Direction, hand: Hand, scenes: Scenes, canary: Canary
) -> None:
    scene = scenes(suite, direction)
    elements, tried = list((await drafted(scene, hand)).root.iter()), Tried(scene, hand)
    for number, element in enumerate(elements):
        for at, attribute in enumerate(EVERYWHERE):
            if not EVERY_CASE and at != number % len(EVERYWHERE):
                continue
            bait = f"urn:x {canary.url}" if attribute.endswith("schemaLocation") else canary.url
            await tried.at(Place(number, attribute, etree.QName(element).localname), element, bait)
    assert not tried.wrong, "\n".join(tried.wrong)


# --- a service description -------------------------------------------------------------------------------------------

LOCATIONS = ("{url}", "{file}", "{path}", "//{host}/x.xsd", "../../../../../../../..{path}", "%2e%2e/%2e%2e{path}")
DESCRIPTIONS: dict[str, Callable[[str], str]] = {
    "wsdl:import": lambda at: wsdl(schema(ASK_AND_ANSWER), extra=f'<w:import namespace="urn:x" location="{at}"/>'),
    "xs:import": lambda at: wsdl(schema(f'<xs:import namespace="urn:x" schemaLocation="{at}"/>{ASK_AND_ANSWER}')),
    "xs:include": lambda at: wsdl(schema(f'<xs:include schemaLocation="{at}"/>{ASK_AND_ANSWER}')),
    "xs:redefine": lambda at: wsdl(schema(f'<xs:redefine schemaLocation="{at}"/>{ASK_AND_ANSWER}')),
    "xs:override": lambda at: wsdl(schema(f'<xs:override schemaLocation="{at}"/>{ASK_AND_ANSWER}')),
    "an annotation": lambda at: wsdl(
        schema(f'<xs:annotation><xs:documentation source="{at}"/></xs:annotation>{ASK_AND_ANSWER}')
    ),
    "xsi:schemaLocation": lambda at: wsdl(schema(ASK_AND_ANSWER)).replace(
        "<w:types>", f'<w:types xmlns:xsi="{XSI}" xsi:schemaLocation="{NS} {at}">'
    ),
    "xml:base": lambda at: wsdl(schema('<xs:include schemaLocation="canary.xml"/>' + ASK_AND_ANSWER)).replace(
        "<w:types>", f'<w:types xml:base="{at}">'
    ),
    "XInclude": lambda at: wsdl(
        schema(ASK_AND_ANSWER), extra=f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{at}"/>'
    ),
    "a stylesheet": lambda at: f'<?xml-stylesheet type="text/xsl" href="{at}"?>' + wsdl(schema(ASK_AND_ANSWER)),
    "an external DTD": lambda at: f'<!DOCTYPE d SYSTEM "{at}">' + wsdl(schema(ASK_AND_ANSWER)),
    "an external entity": lambda at: (
        f'<!DOCTYPE d [<!ENTITY e SYSTEM "{at}">]>'
        + wsdl(schema(ASK_AND_ANSWER), extra="<w:documentation>&e;</w:documentation>")
    ),
    "a parameter entity": lambda at: f'<!DOCTYPE d [<!ENTITY % e SYSTEM "{at}"> %e;]>' + wsdl(schema(ASK_AND_ANSWER)),
    "a policy": lambda at: wsdl(
        schema(ASK_AND_ANSWER),
        extra=f'<p:PolicyReference xmlns:p="http://www.w3.org/ns/ws-policy" URI="{at}"/>',
    ),
    "the system's address": lambda at: wsdl(schema(ASK_AND_ANSWER)).replace("http://provider.example/", at),
    "the SOAPAction": lambda at: wsdl(schema(ASK_AND_ANSWER)).replace("urn:ask", at),
}


def baits(location: str, canary: Canary) -> str:
    host = canary.url.split("/")[2]
    return location.format(url=canary.url, file=canary.path.as_uri(), path=canary.path, host=host)


def read_and_published(files: dict[str, bytes]) -> bool:
    """Whether a description was taken; what is taken is bundled, read again, and published for clients."""
    try:
        description = read_description(files.get, "a.wsdl")
    except DescriptionUnusable:
        return False
    again = load_bundle(make_bundle(description))
    publish(
        again,
        address="http://adapter.example/service/x",
        contracts={},
        context_schema="client.xsd",
        fault_schema="fault.xsd",
    )
    return True


@pytest.mark.parametrize("where", DESCRIPTIONS)
def test_an_address_at_every_place_of_a_description(where: str, canary: Canary) -> None:
    assert read_and_published({"a.wsdl": wsdl(schema(ASK_AND_ANSWER)).encode()})
    for location in LOCATIONS:
        text = DESCRIPTIONS[where](baits(location, canary))
        with canary.watching() as touched:
            read_and_published({"a.wsdl": text.encode()})
        assert touched == [], location


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("kind", ["urls", "relative", "entry"])
def test_an_address_in_the_catalogue(kind: str, location: str, canary: Canary, tmp_path: Path) -> None:
    """A folder as somebody sent it: what its catalogue names outside it is not there."""
    at = baits(location, canary)
    catalogue = {
        "urls": {"urls": {"http://far.example/x.xsd": at}},
        "relative": {"relative": [{"in": "a.wsdl", "written": "http://far.example/x.xsd", "file": at}]},
        "entry": {"entry": at},
    }[kind]
    text = wsdl(schema('<xs:include schemaLocation="http://far.example/x.xsd"/>'))
    (tmp_path / "a.wsdl").write_text(text)
    (tmp_path / "catalog.json").write_text(json.dumps(catalogue))
    with canary.watching() as touched, pytest.raises(DescriptionUnusable):
        load_description(tmp_path, "a.wsdl")
    outside = [one for one in touched if str(tmp_path) not in one]
    assert outside == []


# --- a certificate ---------------------------------------------------------------------------------------------------


def extensions(url: str) -> dict[str, x509.ExtensionType]:
    """Each extension by which a certificate may ask to be looked up somewhere."""
    at = x509.UniformResourceIdentifier(url)
    point = x509.DistributionPoint(full_name=[at], relative_name=None, reasons=None, crl_issuer=None)
    return {
        "OCSP": x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, at)]),
        "CA issuers": x509.AuthorityInformationAccess(
            [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, at)]
        ),
        "CRL": x509.CRLDistributionPoints([point]),
        "delta CRL": x509.FreshestCRL([point]),
        "policy": x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), [url])]),
        "alternative name": x509.SubjectAlternativeName([at]),
        "issuer's name": x509.IssuerAlternativeName([at]),
        "subject information": x509.SubjectInformationAccess(
            [x509.AccessDescription(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.5"), at)]
        ),
    }


@pytest.mark.parametrize("name", extensions("http://x/"))
@pytest.mark.parametrize("scheme", ["url", "file"])
async def test_a_certificate_that_asks_to_be_looked_up(name: str, scheme: str, scenes: Scenes, canary: Canary) -> None:
    """Registered by the authority, so the message is taken; where the certificate points, nobody goes."""
    scene = scenes("p256", Direction.REQUEST)
    extension = extensions(canary.url if scheme == "url" else canary.path.as_uri())[name]
    change = registered(extra=[(extension, False)])
    outcome = await carried_out(scene, Variant(name=name, change=change, expect=TAKEN), Hand.MEMBER)
    assert wrong_with(outcome, TAKEN) == []


# --- the directory ---------------------------------------------------------------------------------------------------


def test_an_address_at_every_place_of_the_directory(canary: Canary, scenes: Scenes) -> None:
    document = scenes("p256", Direction.REQUEST).federation.signed().document
    assert parse_directory(document).members
    taken = set()
    for place in places(etree.fromstring(document)):
        for bait in (canary.url, canary.path.as_uri()):
            root = etree.fromstring(document)
            place.holds(bait)(cast("Draft", _Rooted(root)))
            with canary.watching() as touched, suppress(DirectoryRefused):
                parse_directory(etree.tostring(root))
                taken.add(place.name)
            assert touched == [], place.name
    # Free texts and codes, and no more: an adapter's address has to be https, what is fetched is named by a digest.
    codes = {f"{name}/@code" for name in ("Purpose", "LegalBasisKind", "SecrecyKind", "Group")}
    assert taken <= codes | {"Name", "Title", "Purpose", "LegalBasisKind", "Regulation"}


@dataclass
class _Rooted:
    root: etree._Element


# --- the watch -------------------------------------------------------------------------------------------------------


def test_the_watch_sees_whoever_connects_or_asks_for_a_name(canary: Canary) -> None:
    with canary.watching() as touched, suppress(OSError):
        urllib.request.urlopen(canary.url, timeout=0.2)
    assert "bait port connected to" in touched
    assert any(one.startswith("socket.connect") for one in touched)
    with canary.watching() as touched, suppress(OSError):
        socket.getaddrinfo("nowhere.invalid", 80)
    assert any(re.match(r"socket\.getaddrinfo .*nowhere\.invalid", one) for one in touched)
    parser = etree.XMLParser(load_dtd=True, no_network=False, resolve_entities=True)
    text = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{canary.path}">]><a>&e;</a>'
    with canary.watching() as touched, suppress(etree.XMLSyntaxError, AdapterError):
        etree.fromstring(text, parser)
    assert "bait file opened" in touched

"""Whatever we sign verifies and says the same; whatever is changed anywhere does not, or says the same still.

Payloads and changes are drawn. What stands around a payload (unused prefixes, the order of attributes, white space in
tags) makes no difference to its canonical octets.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapter.envelope.faults import public_fault, render_fault
from adapter.errors import AccessDenied, AdapterError
from adapter.stages import MessageKind, SealedMessage, SoapVersion, VerifiedMessage
from adapter.xmlsafe import canonical, parse
from tests.attacks.test_recipes import EVERY_CASE
from tests.envelopes import PAYLOAD, open_octets, seal_reply, seal_request
from tests.pki import SUITE_NAMES, Federation, FederationMember

pytestmark = pytest.mark.timeout(900 if EVERY_CASE else 120)
MORE = 20 if EVERY_CASE else 1
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\ufffe\uffff"), max_size=20
)
NAME = st.from_regex(r"[a-zA-Zа-яА-Я_][a-zA-Z0-9а-яА-Я._-]{0,8}", fullmatch=True)
PREFIXES = {"": "urn:default", "p": "urn:p", "q": "urn:q", "env": "urn:not-soap"}
Attributes = tuple[tuple[str, str], ...]
Tree = tuple[str, str, Attributes, tuple[object, ...]]
"""Prefix, name, attributes, and what is in it: texts and trees."""

ATTRIBUTES = st.lists(st.tuples(NAME, TEXT), max_size=4, unique_by=lambda pair: pair[0]).map(tuple)
TREES = st.recursive(
    st.tuples(st.sampled_from(list(PREFIXES)), NAME, ATTRIBUTES, st.tuples(TEXT)),
    lambda inner: st.tuples(
        st.sampled_from(list(PREFIXES)), NAME, ATTRIBUTES, st.lists(st.one_of(TEXT, inner), max_size=4).map(tuple)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module", params=SUITE_NAMES)
def federation_of_suite(request: pytest.FixtureRequest) -> Federation:
    """The cadastre, which asks and answers, in the suite."""
    return Federation.build(suites=("p256", request.param, "p256"))


@pytest.fixture(scope="module")
def member(federation_of_suite: Federation) -> FederationMember:
    return federation_of_suite.cadastre


@pytest.fixture(scope="module", params=["request", "reply", "fault"])
def direction(request: pytest.FixtureRequest) -> str:
    return str(request.param)


FAULT = canonical(parse(render_fault(public_fault(AccessDenied(), "incident-1"), SoapVersion.SOAP12)))


def sealed_by(member: FederationMember, federation: Federation, direction: str, payload: bytes) -> SealedMessage:
    """A request of the member to the register, or its answer to a request of the register: signed in its suite."""
    if direction == "request":
        return seal_request(member, federation.population, payload=payload)
    asked = seal_request(federation.population, member)
    return seal_reply(member, federation.population, asked, payload)


def kind_of(direction: str) -> MessageKind:
    return MessageKind.REQUEST if direction == "request" else MessageKind.REPLY


def written(tree: Tree, *, turned: bool = False, space: str = " ", declared: bool = True) -> str:
    """The tree as text. turned: attributes in the other order. space: what stands between attributes."""
    prefix, name, attributes, inside = tree
    tag = f"{prefix}:{name}" if prefix else name
    pairs = [(f"xmlns{':' if key else ''}{key}", uri) for key, uri in PREFIXES.items()] if declared else []
    pairs += [pair for pair in attributes if not pair[0].startswith("xmlns")]
    if turned:
        pairs.reverse()
    start = "".join(f"{space}{key}={quoteattr(value)}" for key, value in pairs)
    content = "".join(
        escape(one) if isinstance(one, str) else written(one, turned=turned, space=space, declared=False)  # type: ignore[arg-type]
        for one in inside
    )
    return f"<{tag}{start}{space.strip(' ')}>{content}</{tag}{space}>"


def said(message: VerifiedMessage) -> tuple[object, ...]:
    """Everything that is handed on of a message."""
    values = (message.header, message.personal_data, message.created, message.expires, message.confirmation)
    return (*values, message.signer, canonical(message.payload))


@settings(max_examples=15 * MORE, deadline=None)
@given(tree=TREES)
def test_what_we_sign_verifies_and_says_the_same(
    member: FederationMember, federation_of_suite: Federation, direction: str, tree: Tree
) -> None:
    payload = FAULT if direction == "fault" else written(tree).encode()
    sealed = sealed_by(member, federation_of_suite, direction, payload)
    opened = open_octets(sealed.octets, federation_of_suite.population, kind_of(direction))
    assert canonical(opened.payload) == canonical(parse(payload))
    assert opened.header == sealed.header


@settings(max_examples=40 * MORE, deadline=None)
@given(data=st.data())
def test_what_is_changed_anywhere_is_refused_or_says_the_same(
    member: FederationMember, federation_of_suite: Federation, direction: str, data: st.DataObject
) -> None:
    """One to three changes of a few octets each: replaced, put in, taken out."""
    population = federation_of_suite.population
    good = sealed_by(member, federation_of_suite, direction, FAULT if direction == "fault" else PAYLOAD)
    octets = bytearray(good.octets)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b" ", b"\n", b"<", b"/>", b"&#x20;", b"<!---->", b"'"]))
        )
    try:
        opened = open_octets(bytes(octets), population, kind_of(direction))
    except AdapterError:
        return
    assert said(opened) == said(open_octets(good.octets, population, kind_of(direction)))


@settings(max_examples=40 * MORE, deadline=None)
@given(tree=TREES, unused=st.lists(NAME, max_size=3, unique=True))
def test_what_stands_around_makes_no_difference(tree: Tree, unused: list[str]) -> None:
    plain = canonical(parse(written(tree).encode()))
    assert canonical(parse(written(tree, turned=True, space="\n\t ").encode())) == plain
    declarations = "".join(
        f' xmlns:{name}="urn:unused:{at}"' for at, name in enumerate(unused) if not name.lower().startswith("xml")
    )
    around = parse(f"<around{declarations}>{written(tree)}</around>".encode())
    assert canonical(around[0]) == plain
    assert etree.fromstring(plain).tag == around[0].tag

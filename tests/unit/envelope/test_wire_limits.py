"""An envelope between adapters has few elements, whatever the settings allow a message."""

from __future__ import annotations

import pytest

from adapter.attachments import MAX_ATTACHMENTS
from adapter.envelope.faults import plain_fault_message, public_fault, reported_fault
from adapter.envelope.wire_limits import MAX_WIRE_ATTRIBUTES, MAX_WIRE_ELEMENTS, ArrivingEnvelope, wire_limits
from adapter.errors import AccessDenied, EnvelopeRefused, LimitExceeded
from adapter.stages import SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits
from tests.envelopes import gate_octets, replacing, seal_request
from tests.pki import Federation
from tests.unit.envelope.test_gate_attachments import attachment_data, with_attachments


@pytest.fixture(scope="module")
def message(federation: Federation) -> bytes:
    return seal_request(federation.social, federation.population).octets


@pytest.mark.parametrize(
    ("inside", "allowed", "refused"),
    [("<a/>", MAX_WIRE_ELEMENTS - 100, MAX_WIRE_ELEMENTS), ('<a b="1" c="2" d="3" e="4"/>', 3_800, 3_999)],
)
def test_an_envelope_between_adapters_has_few_elements_and_attributes(
    message: bytes, inside: str, allowed: int, refused: int
) -> None:
    """Whatever the settings allow a message: what is long in it is encrypted. No tree is built of the rest."""
    many = replacing("<xenc:CipherData>", f"{inside * allowed}<xenc:CipherData>")(message)
    with pytest.raises(EnvelopeRefused):
        gate_octets(many)
    more = replacing("<xenc:CipherData>", f"{inside * refused}<xenc:CipherData>")(message)
    with pytest.raises(LimitExceeded, match="more than"):
        gate_octets(more)


def test_as_many_attachments_as_there_may_be_are_far_from_the_bounds_of_an_envelope(message: bytes) -> None:
    """So those bounds hinder nobody, also when a stack writes twice as much around each."""
    ids = tuple(f"attachment-{at}" for at in range(MAX_ATTACHMENTS))
    most = with_attachments(message, *(attachment_data(at, f"c{at}") for at in range(MAX_ATTACHMENTS)), ids=ids)
    assert len(gate_octets(most).attachments) == MAX_ATTACHMENTS
    assert 6 * (most.count(b"<") - most.count(b"</")) < MAX_WIRE_ELEMENTS
    assert 6 * most.count(b'="') < MAX_WIRE_ATTRIBUTES


def test_the_fault_that_a_peer_answers_with_has_few_elements_too() -> None:
    fault = plain_fault_message(public_fault(AccessDenied(), "ABCDE-FGHJK"), SoapVersion.SOAP12)
    some, too_many = (
        replacing("</soap:Detail>", f"{'<a/>' * count}</soap:Detail>")(fault)
        for count in (MAX_WIRE_ELEMENTS - 100, MAX_WIRE_ELEMENTS)
    )
    assert reported_fault(some, DEFAULT_LIMITS) is not None
    assert reported_fault(too_many, DEFAULT_LIMITS) is None


def test_the_settings_may_allow_an_envelope_less_and_never_more() -> None:
    assert wire_limits(XmlLimits(max_nodes=7, max_attributes_in_all=9)) == XmlLimits(
        max_nodes=7, max_attributes_in_all=9
    )
    assert wire_limits(XmlLimits(max_depth=5)) == XmlLimits(
        max_depth=5, max_nodes=MAX_WIRE_ELEMENTS, max_attributes_in_all=MAX_WIRE_ATTRIBUTES
    )


@pytest.mark.parametrize(("piece", "allowed"), [(b"<", 6), (b'="', 5), (b"='", 5)])
def test_of_what_arrives_as_much_is_taken_as_a_whole_envelope_could_have(piece: bytes, allowed: int) -> None:
    limits = XmlLimits(max_nodes=3, max_attributes_in_all=5)
    arriving = ArrivingEnvelope(limits)
    for _ in range(allowed):
        arriving.look_at(piece)
    with pytest.raises(LimitExceeded, match="elements or attributes"):
        arriving.look_at(piece)
    ArrivingEnvelope(limits).look_at(allowed * piece)
    with pytest.raises(LimitExceeded):
        ArrivingEnvelope(limits).look_at((allowed + 1) * piece)

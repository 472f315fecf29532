"""Masked messages show structure and shape, and no value."""

from lxml import etree

from adapter.envelope.masking import MAX_SHOWN_CHARS, masked, masked_text, shown_envelope
from adapter.envelope.names import CLIENT, ENVELOPE, SOAP12, XENC, XSI
from tests.envelopes import UnsafeEnvelope
from tests.pki import Federation


def test_a_text_keeps_its_shape():
    assert masked_text("Каримов A. 1990-01-01 o‘g‘li №5") == "Ххххххх X. 9999-99-99 x‘x‘xx №9"
    assert masked_text("") == ""


def test_a_long_text_is_cut_and_counted():
    assert masked_text("a" * 500) == "x" * MAX_SHOWN_CHARS + "… (500 characters)"


def test_every_value_is_masked_and_the_original_is_untouched():
    text = (
        f'<p:A xmlns:p="urn:p" xmlns:x="{XSI}" x:type="p:B" secret="Secret1"><p:C>Secret2</p:C>Secret3<!--Secret4-->'
        '<p:D x:nil="true"/>\n</p:A>'
    )
    element = etree.fromstring(text)
    written = etree.tostring(masked(element), encoding="unicode")
    assert "Secret" not in written
    assert 'x:type="p:B"' in written
    assert 'x:nil="true"' in written
    assert written.count("Xxxxxx9") == 3
    assert etree.tostring(element, encoding="unicode").count("Secret") == 4


def test_kind_of_a_subject_is_clear_and_its_number_is_not():
    element = etree.fromstring(f'<c:Subject xmlns:c="{CLIENT}" kind="pinfl">30101900000017</c:Subject>')
    written = etree.tostring(masked(element), encoding="unicode")
    assert 'kind="pinfl">99999999999999<' in written


def test_message_between_adapters_shows_who_asks_whom_and_cuts_what_is_long(federation: Federation):
    octets = UnsafeEnvelope.request(federation.social, federation.population).octets
    shown = shown_envelope(etree.fromstring(octets))
    written = etree.tostring(shown, encoding="unicode")
    assert str(federation.population.service) in written
    values = [value.text or "" for value in shown.iter(f"{{{XENC}}}CipherValue")]
    assert values
    assert all(len(value) < MAX_SHOWN_CHARS for value in values)


def test_what_stands_in_the_clear_in_such_a_message_is_masked():
    text = f'<e:Envelope xmlns:e="{SOAP12}"><e:Body><p xmlns="urn:p" a="Secret1">Secret2</p></e:Body></e:Envelope>'
    assert "Secret" not in etree.tostring(shown_envelope(etree.fromstring(text)), encoding="unicode")


def test_what_should_have_been_encrypted_and_text_beside_elements_are_masked_too():
    text = (
        f'<e:Envelope xmlns:e="{SOAP12}" xmlns:ia="{ENVELOPE}"><e:Header><ia:PersonalData>'
        '<ia:Subject kind="pinfl" more="Secret1">Secret2</ia:Subject></ia:PersonalData>'
        '<ia:Attachments><ia:Attachment id="a" name="Secret3"/></ia:Attachments></e:Header>'
        '<e:Body><p xmlns="urn:p"/>Secret4</e:Body></e:Envelope>'
    )
    assert "Secret" not in etree.tostring(shown_envelope(etree.fromstring(text)), encoding="unicode")

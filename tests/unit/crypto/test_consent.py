"""A signed statement of consent: what is not exactly one, under exactly its own signature, is refused with one text."""

from __future__ import annotations

import pytest

from adapter.crypto.consent import MAX_STATEMENT_BYTES, open_consent, sign_consent
from adapter.crypto.keys import FileSigningKey
from adapter.envelope import names
from adapter.envelope.consent import Consent
from adapter.errors import SecurityFailed
from tests.consent_issuer import good_consent
from tests.pki import NOW, Federation


@pytest.fixture(scope="module")
def consent(federation: Federation) -> Consent:
    return good_consent(federation, NOW)


@pytest.fixture(scope="module")
def statement(federation: Federation, consent: Consent) -> bytes:
    member = federation.cadastre
    return sign_consent(consent, FileSigningKey(member.signing_key, member.signing_certificate, member.suite))


def refused(octets: bytes) -> str:
    with pytest.raises(SecurityFailed) as refusal:
        open_consent(octets)
    assert refusal.value.text == "The security of the message could not be verified."
    return refusal.value.reason


def test_a_statement_is_read_back(federation: Federation, consent: Consent, statement: bytes) -> None:
    opened = open_consent(statement)
    assert (opened.consent, opened.signer) == (consent, federation.cadastre.signing_certificate)


WRONG = {
    "another root": (b"con:ConsentStatement", b"con:Statement", "not a ConsentStatement"),
    "an attribute": (b"<con:ConsentStatement ", b'<con:ConsentStatement x="" ', "has an attribute that is not allowed"),
    "a comment": (b"</con:Consent>", b"<!-- --></con:Consent>", ""),
    "another kind of token": (names.X509_V3.encode(), b"urn:other", "must be one X.509 v3 certificate"),
    "another encoding": (names.BASE64_BINARY.encode(), b"urn:other", "must be one X.509 v3 certificate"),
    "a changed word": (b">benefit<", b">pension<", "the digest of a part is wrong: consent"),
    "an id twice": (b'wsu:Id="consent"', b'wsu:Id="token"', ""),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_exactly_a_statement_is_refused(statement: bytes, wrong: str) -> None:
    there, instead, reason = WRONG[wrong]
    assert there in statement
    assert reason in refused(statement.replace(there, instead))


def test_something_beside_it_or_too_much_of_it(statement: bytes) -> None:
    assert "something beside the statement" in refused(statement + b"<!-- -->")
    assert "something beside the statement" in refused(statement + b"<?beside it?>")
    assert "octets, allowed 65536" in refused(statement + b" " * MAX_STATEMENT_BYTES)

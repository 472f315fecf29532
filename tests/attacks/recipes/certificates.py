"""W68 to W70: certificates that are not in order, not for this use, or too many."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

from cryptography import x509
from lxml import etree

from adapter.crypto import templates
from adapter.envelope import names
from tests.attacks.draft import Draft, Hand
from tests.attacks.recipes.explicit_curve import with_explicit_curve
from tests.attacks.recipes.keys import TOKEN_TYPES, der, signed_anew
from tests.attacks.recipes.model import ENVELOPE, REQUESTS, WIRE, Change, Recipe, Variant
from tests.pki import AGREEMENT_USAGE, NOW, SIGNING_USAGE, TLS_USAGE, Authority, issue


def registered(**wrong: object) -> Change:
    """The signer's key in a certificate with one fault, which the authority has registered all the same."""

    def change(draft: Draft) -> None:
        arguments: dict[str, object] = {
            "public_key": draft.signing.signer.signing_key.public_key(),
            "subject": "signing",
            "usage": SIGNING_USAGE,
            **wrong,
        }
        certificate = issue(draft.federation.issuing_ca, **arguments)  # type: ignore[arg-type]
        draft.register(certificate)
        draft.part("token").text = b64encode(der(certificate)).decode()

    return change


def of_another_authority(draft: Draft) -> None:
    """A registered certificate that no CA of the directory issued."""
    key = draft.third.signing_key
    own = Authority(key=key, name=draft.federation.issuing_ca.name)
    public = draft.signing.signer.signing_key.public_key()
    certificate = issue(own, public_key=public, subject="signing", usage=SIGNING_USAGE)
    draft.register(certificate)
    draft.part("token").text = b64encode(der(certificate)).decode()


def taken_out(draft: Draft) -> None:
    """Revocation: the directory of today has another certificate for the same key, the message shows the old one."""
    key = draft.signing.signer.signing_key.public_key()
    draft.register(issue(draft.federation.issuing_ca, public_key=key, subject="signing", usage=SIGNING_USAGE))


def explicit_curve(draft: Draft) -> None:
    """A registered certificate whose key writes its curve out."""
    certificate = with_explicit_curve(draft.signing.signer.signing_certificate, draft.federation.issuing_ca)
    draft.register(certificate)
    draft.part("token").text = b64encode(der(certificate)).decode()


def with_key_of(use: str, *, registered_anew: bool) -> Change:
    """Signed with the key of another use; under its own certificate, or under a new one that is registered as ours."""

    def change(draft: Draft) -> None:
        signer, federation = draft.signing.signer, draft.federation
        key, certificate = signer.agreement_key, signer.agreement_certificate
        ca, usage = federation.issuing_ca, AGREEMENT_USAGE[signer.suite]
        if use == "tls":
            key, certificate = signer.tls_key, signer.tls_certificate
            ca, usage = federation.tls_ca, TLS_USAGE
        draft.signing.signer = replace(signer, signing_key=key)  # type: ignore[arg-type]
        if registered_anew:
            certificate = issue(ca, public_key=key.public_key(), subject=use, usage=usage)
            draft.register(certificate)
        draft.part("token").text = b64encode(der(certificate)).decode()

    return change


def value_type(text: str) -> Change:
    """The token says that it is something else than one X.509 certificate."""

    def change(draft: Draft) -> None:
        draft.part("token").set("ValueType", text)

    return change


def many_tokens(draft: Draft) -> None:
    """A thousand certificates."""
    token = draft.part("token")
    for number in range(1000):
        more = etree.fromstring(templates.render_token(der(draft.third.signing_certificate)))
        more.set(names.WSU_ID, f"token{number}")
        token.addnext(more)


def chain_in_token(draft: Draft) -> None:
    """Two certificates, one behind the other, in one token."""
    octets = der(draft.signing.signer.signing_certificate) + der(draft.federation.issuing_ca.certificate)
    draft.part("token").text = b64encode(octets).decode()


_FAULTS: dict[str, dict[str, object]] = {
    "expired": {"valid_until": NOW + timedelta(minutes=30)},
    "not yet valid": {"valid_from": NOW + timedelta(hours=2)},
    "no digitalSignature": {"usage": ("key_encipherment",)},
    "no usage at all": {"usage": None},
    "a CA": {"is_ca": True, "usage": ("digital_signature", "key_cert_sign")},
    "a name constraint, critical, in what is no CA": {
        "extra": [
            (x509.NameConstraints(permitted_subtrees=[x509.DNSName("other.example")], excluded_subtrees=None), True)
        ]
    },
    "an unknown critical extension": {
        "extra": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]
    },
}

CERTIFICATES = (
    Recipe(
        id="W68",
        done="a registered certificate with one fault",
        variants=(
            *(signed_anew(name, registered(**wrong)) for name, wrong in _FAULTS.items()),
            signed_anew("of another authority", of_another_authority),
            signed_anew("taken out of the directory", taken_out, directions=REQUESTS),
            signed_anew("the curve written out (W62)", explicit_curve, suites=("p256",)),
        ),
    ),
    Recipe(
        id="W69",
        done="a key of one use for another",
        variants=(
            *(
                signed_anew(
                    f"{use}{', registered' if anew else ''}", with_key_of(use, registered_anew=anew), suites=suites
                )
                for use, suites in (("tls", ("p256",)), ("agreement", ("p256", "rsa")))
                for anew in (False, True)
            ),
        ),
    ),
    Recipe(
        id="W70",
        done="chains of certificates in the message (loops of CAs: tests/unit/directory/test_trust_chains.py)",
        variants=(
            *(
                Variant(
                    name=text, change=value_type(f"{TOKEN_TYPES}{text}"), expect=ENVELOPE, hands=(Hand.MEMBER, *WIRE)
                )
                for text in ("#X509PKIPathv1", "#PKCS7", "#X509v1", "")
            ),
            Variant(name="1,000 tokens", change=many_tokens, expect=ENVELOPE, hands=WIRE),
            signed_anew("two in one token", chain_in_token),
        ),
    ),
)

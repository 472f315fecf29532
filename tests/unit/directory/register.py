"""A directory with everything that a directory can hold, for the tests of its content."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.crypto.cosignature import Cosigner
from adapter.directory.content import (
    BasisName,
    CertificationAuthority,
    ConsentIssuer,
    EService,
    IdentifierType,
    LegalBasisKind,
    Regulation,
    SecrecyKind,
    TimeStampAuthority,
    Witness,
    WitnessRule,
)
from adapter.directory.draft import DirectoryDraft
from adapter.directory.identifier_pattern import IdentifierPattern
from tests.pki import AGREEMENT_USAGE, NOW, Federation
from tests.unit.directory.messages import new_certificate

WITNESSES = {
    f"w-{one}": Cosigner(f"w-{one}.example", Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32)).vkey
    for one in (1, 2, 3)
}


def benefit(federation: Federation) -> EService:
    """An e-service of social protection that needs a person's data from the population register."""
    return EService(
        code="ES-1",
        titles={"en": "Assigning a benefit", "ru": "Назначение пособия"},
        agency=federation.social.id,
        working_days=5,
        regulation=Regulation(
            id="REG-1",
            titles={"en": "Regulation of benefits"},
            approved=date(2025, 11, 3),
            documents={federation.population.service: frozenset({"Person/FullName", "Person/BirthDate"})},
            participants=frozenset({federation.cadastre.id}),
        ),
    )


def stamping(federation: Federation, name: str) -> TimeStampAuthority:
    """A time-stamp authority."""
    certificates = (federation.tls_ca.certificate,)
    return TimeStampAuthority(name=name, address=f"https://{name}.example/tsa", certificates=certificates)


def full_draft(federation: Federation) -> DirectoryDraft:
    """Every kind of content at least once."""
    draft = federation.draft()
    statements, _ = new_certificate(federation, usage=AGREEMENT_USAGE["p256"])
    root, issuing = draft.signing_authorities
    service = draft.services[federation.population.service]
    return replace(
        draft,
        grace=timedelta(days=3),
        signing_authorities=(
            replace(root, crl_addresses=("http://ca.example/root.crl",), status_window=timedelta(days=30)),
            CertificationAuthority(
                certificate=issuing.certificate,
                ocsp_addresses=("http://ocsp-1.example/", "http://ocsp-2.example/"),
                crl_addresses=("http://ca.example/issuing.crl",),
                status_window=timedelta(hours=36),
            ),
        ),
        time_stamp_authorities={name: stamping(federation, name) for name in ("second", "first")},
        time_stamp_limit=timedelta(minutes=90),
        suite_ends={"rsa": NOW + timedelta(days=400)},
        identifier_types={
            "passport": IdentifierType(
                code="passport", pattern=IdentifierPattern("[A-Z]{2}[0-9]{7}"), titles={"en": "Passport number"}
            )
        },
        legal_basis_kinds={
            **draft.legal_basis_kinds,
            "secrecy": LegalBasisKind(
                code="secrecy",
                titles={"en": "A secrecy order"},
                must_name=frozenset({BasisName.UNTIL, BasisName.COURT}),
                withheld=True,
            ),
        },
        secrecy_kinds={"inquiry": SecrecyKind(code="inquiry", titles={"en": "An inquiry"}, maximum=timedelta(days=90))},
        consent_issuers={
            federation.population.subsystem: ConsentIssuer(
                subsystem=federation.population.subsystem,
                kinds=frozenset({"consent"}),
                cache_limit=timedelta(seconds=90),
                certificates=(statements,),
            )
        },
        witnesses={
            name: Witness(name=name, vkey=vkey, address=f"https://{name}.example/") for name, vkey in WITNESSES.items()
        },
        witness_rule=WitnessRule(threshold=2, limit=timedelta(hours=6)),
        e_services={"ES-1": benefit(federation)},
        services={**draft.services, service.service: replace(service, regulations=frozenset({"REG-1"}))},
    )

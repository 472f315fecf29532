"""A consent issuer in memory between the two sides of an exchange, and requests that rely on its consents."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from adapter.app.consents import ConsentDesk
from adapter.crypto.consent import sign_consent
from adapter.crypto.keys import FileSigningKey
from adapter.directory.content import ConsentIssuer
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS
from adapter.envelope.consent import Consent, Organisation
from adapter.identifiers import SubjectId
from adapter.policy.consents import ConsentStatus, IssuedConsent, Wish
from adapter.stages import LegalBasis
from tests.get_person import GOOD_PERSONAL_DATA, PERSON, PINFL, context, get_person, soap
from tests.pki import Federation, FederationMember
from tests.two_sides import TwoSides, fault_code, peer_outcome, signing_key_of

NAMESPACES = (("p", PERSON),)
SURNAME = "p:GetPersonResponse/p:Surname"
BORN = "p:GetPersonResponse/p:Born"
CACHE = timedelta(minutes=5)


@dataclass
class Issuer:
    """What a consent issuer answers; the cadastre's subsystem plays it."""

    sides: TwoSides
    member: FederationMember
    statement: bytes = b""
    status: ConsentStatus = ConsentStatus.ACTIVE
    asked: list[Wish] = field(default_factory=list)
    fail: Exception | None = None
    waits: asyncio.Event | None = None

    async def __call__(self, wish: Wish) -> IssuedConsent:
        as_of = self.sides.clock()
        self.asked.append(wish)
        if self.waits is not None:
            await self.waits.wait()
        await asyncio.sleep(0)
        if self.fail is not None:
            raise self.fail
        return IssuedConsent(statement=self.statement, status=self.status, as_of=as_of)


def good_consent(federation: Federation, now: datetime, **changes: Any) -> Consent:
    """Of a person to what the good call asks for, with changes; the cadastre's subsystem issued it."""
    said: dict[str, Any] = {
        "id": "K-17",
        "issuer": federation.cadastre.subsystem,
        "operator": Organisation(name="Social protection", stir=federation.social.id.code),
        "subject": SubjectId("pinfl", PINFL),
        "purposes": frozenset({"benefit"}),
        "data": ((federation.population.service, None),),
        "issued": now - timedelta(minutes=10),
        "valid_from": now - timedelta(minutes=10),
        "valid_until": now + timedelta(days=30),
    }
    return Consent(**{**said, **changes})


@dataclass
class Case:
    sides: TwoSides
    issuer: Issuer

    def issue(self, key: FileSigningKey | None = None, **changes: Any) -> bytes:
        """Let the issuer hold this consent."""
        self.issuer.statement = sign_consent(
            good_consent(self.sides.federation, self.sides.clock(), **changes),
            key or signing_key_of(self.issuer.member),
        )
        return self.issuer.statement

    @property
    def reference(self) -> str:
        """Of the good consent."""
        return f"{self.issuer.member.subsystem}/K-17"

    async def call(self, reference: str | None = None) -> str:
        """What the client gets, end to end: `answered`, or the code."""
        reference = reference or self.reference
        said = context(basis='<c:LegalBasis kind="consent">Consent of the person</c:LegalBasis>')
        said = said.replace("</c:RequestContext>", f"<c:Consent>{reference}</c:Consent></c:RequestContext>")
        return fault_code(await self.sides.call(soap(said, get_person())))

    async def peer_call(self, **changes: Any) -> str:
        """What a peer gets whose adapter did not look. changes: of the personal data that rely on the good consent."""
        basis = LegalBasis(kind="consent", reference="x")
        data = replace(GOOD_PERSONAL_DATA, **{"legal_basis": basis, "consent": self.reference, **changes})
        return await peer_outcome(self.sides, data)

    @property
    def last_entry(self) -> dict[str, Any]:
        return self.sides.provider_record.log[-1].entry.body


def desk_of(case: Case) -> ConsentDesk:
    """What remembers the issuer's word."""
    desk = case.sides.provider.consents
    assert isinstance(desk, ConsentDesk)
    return desk


def case_of(sides: TwoSides) -> Case:
    """A provider that asks this issuer, which holds the good consent."""
    issuer = Issuer(sides=sides, member=sides.federation.cadastre)
    named = ConsentIssuer(subsystem=issuer.member.subsystem, kinds=frozenset({"consent"}), cache_limit=CACHE)
    sides.directory = replace(
        sides.directory,
        legal_basis_kinds=DEFAULT_LEGAL_BASIS_KINDS,
        consent_issuers={named.subsystem: named},
    )
    sides.provider = sides.wire.provider = replace(sides.provider, consents=ConsentDesk(ask=issuer))
    made = Case(sides=sides, issuer=issuer)
    made.issue()
    return made


def entry_of(case: Case, kind: str) -> dict[str, Any]:
    return next(write.entry.body for write in case.sides.provider_record.log if write.entry.kind == kind)

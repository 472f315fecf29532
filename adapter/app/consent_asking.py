"""Asking a consent's issuer whether it holds: an exchange over the adapters, in which this adapter is the consumer.

It goes the whole path of a client system's call (exchange.consume): sealed for the issuer, recorded before it leaves
and before its answer is used, believed only as the issuer's signed reply to this very request.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from adapter.dialects.model import ClientAnswer
from adapter.dialects.soap import SoapDialect
from adapter.envelope.consent_service import read_get_consent_response, render_get_consent, service_of
from adapter.envelope.faults import read_fault
from adapter.envelope.names import SOAP12_FAULT
from adapter.envelope.soap import content_type_of, read_envelope
from adapter.errors import ConsentUnavailable
from adapter.exchange.consume import consume
from adapter.exchange.consumer import Consumer
from adapter.policy.clients import Client, ContextRule, IdentifyBy
from adapter.policy.consents import ConsentStatus, IssuedConsent, Wish, relies_on_consent
from adapter.settings import ConsentsSettings
from adapter.stages import Peer, ReceivedCall, SoapVersion

NAME: Final = "[consents]"
"""How the record names who called. No client system of the settings can have this name."""
_CONTENT_TYPE: Final = content_type_of(SoapVersion.SOAP12)
_HERE: Final = Peer(certificate_sha256=None, address="127.0.0.1")


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerAsking:
    """consumer: whose only client is this adapter itself, known by a token that is in this process alone."""

    consumer: Consumer
    basis_kind: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, settings: ConsentsSettings, consumer: Callable[[Client], Consumer]) -> IssuerAsking:
        """Asking as the settings say. consumer: our consumer's side, for this client alone."""
        token = secrets.token_urlsafe(32)
        client = Client(
            name=NAME,
            subsystem=settings.subsystem,
            identify_by=IdentifyBy.TOKEN,
            secret_sha256=sha256(token.encode()).digest(),
            services=("*",),
            context=ContextRule(
                purpose=settings.purpose,
                legal_basis_kind=settings.legal_basis_kind,
                legal_basis_reference=settings.legal_basis_reference,
                legal_basis_names=tuple(sorted(settings.legal_basis_names.items())),
                official=settings.official,
                regulation=settings.regulation,
            ),
        )
        return cls(consumer=consumer(client), basis_kind=settings.legal_basis_kind, token=token)

    async def __call__(self, wish: Wish) -> IssuedConsent:
        """What the issuer says now of the consent that a request relies on. The statement is not opened yet.

        Raises ConsentUnavailable, with the code of what went wrong; EnvelopeRefused for an answer of another form.
        """
        issuer = wish.reference.issuer
        if relies_on_consent(self.basis_kind, self.consumer.directory()):
            raise ConsentUnavailable(f"{NAME} legal_basis_kind {self.basis_kind} is a consent itself")
        as_of = self.consumer.clock()
        call = ReceivedCall(
            octets=render_get_consent(wish.reference, wish.personal_data.subjects),
            received_at=as_of,
            peer=_HERE,
            content_type=_CONTENT_TYPE,
            soap_action="",
            service=service_of(wish.reference),
            bearer_token=self.token,
        )
        answer = await consume(call, SoapDialect(content_type=_CONTENT_TYPE), self.consumer)
        status, statement = self._read(answer, issuer=str(issuer))
        return IssuedConsent(statement=statement, status=status, as_of=as_of)

    def _read(self, answer: ClientAnswer, *, issuer: str) -> tuple[ConsentStatus, bytes]:
        payload = read_envelope(answer.octets, answer.content_type, self.consumer.opener.limits).payload
        if payload.tag == SOAP12_FAULT:
            raise ConsentUnavailable(f"{issuer}: {read_fault(payload).code}")
        said, statement = read_get_consent_response(payload)
        try:
            return ConsentStatus(said), statement
        except ValueError:
            raise ConsentUnavailable(f"{issuer} says a status that is none") from None

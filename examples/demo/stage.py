"""What the steps of the demonstration act on: the running federation, and what a play needs from it again and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapter.identifiers import ServiceId
from examples.demo.information_systems import CadastreSystem
from examples.demo.members import CADASTRE, OUTSIDER, POPULATION, SOCIAL
from examples.demo.peer_messages import PeerResponse, TlsIdentity, post_to_peer, read_verdict
from examples.demo.soap_calls import SoapAnswer, post_soap, soap_envelope
from examples.demo.steps import ANSWERED, CameBack
from examples.federation.federation import Federation
from examples.federation.home import Home
from examples.federation.record_view import RecordedEntry


@dataclass(frozen=True, kw_only=True)
class CapturedExchange:
    """An exchange as its octets went over the wire between two adapters."""

    request: bytes
    reply: bytes


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The federation that the scenario is played on. pinfl, other_pinfl: two people of the population register."""

    federation: Federation
    cadastre_system: CadastreSystem
    pinfl: str
    other_pinfl: str
    _sizes: dict[str, int] = field(default_factory=dict)

    # --- who is there ------------------------------------------------------------------------------------------------

    @property
    def population(self) -> Home:
        """The provider with the SQL backend."""
        return self.federation.homes[POPULATION]

    @property
    def cadastre(self) -> Home:
        """The provider with the SOAP backend."""
        return self.federation.homes[CADASTRE]

    @property
    def social(self) -> Home:
        """The consumer."""
        return self.federation.homes[SOCIAL]

    @property
    def outsider(self) -> Home:
        """Has keys and certificates, and is in no directory."""
        return self.federation.homes[OUTSIDER]

    # --- what a client system does -----------------------------------------------------------------------------------

    def call(self, service: ServiceId, payload: str, *, header: str = "", token: str | None = None) -> SoapAnswer:
        """One SOAP call through the consumer's adapter."""
        return post_soap(self.social.service_url(service), soap_envelope(payload, header=header), token=token)

    # --- what an attacker does ---------------------------------------------------------------------------------------

    def captured(self, service: ServiceId) -> CapturedExchange:
        """The newest answered call of a service, from the consumer's sealed archive: the octets as they went out."""
        record, key = self.social.record, self.social.keyring.archive_key
        received = record.latest(kind="reply-received", service=str(service), outcome=ANSWERED)
        sent = record.about(received.message_id or "", kind="request-sent")
        return CapturedExchange(
            request=record.kept(sent.number, "request", key).octets,
            reply=record.kept(received.number, "reply", key).octets,
        )

    def attack(self, target: Home, octets: bytes, *, over: Home) -> PeerResponse:
        """Send octets to a peer listener over another member's TLS identity."""
        keys = over.folder / "keys"
        return post_to_peer(
            target.peer_address, octets, TlsIdentity(certificate=keys / "tls.pem", key=keys / "tls.key")
        )

    def verdict(self, response: PeerResponse) -> CameBack:
        """What the answer says; the consumer's keys open it when it was sealed for the consumer."""
        read = read_verdict(response.octets, self.social.keyring.decryption)
        return CameBack(code=read.code, remark="signed answer" if read.is_signed else "unsigned report")

    # --- what was recorded meanwhile ---------------------------------------------------------------------------------

    def new_entries(self) -> Mapping[str, tuple[RecordedEntry, ...]]:
        """The entries of every adapter since the last time this was asked."""
        found = {}
        for home in self._recording():
            entries = home.record.since(self._sizes.get(home.plan.folder, 0))
            self._sizes[home.plan.folder] = self._sizes.get(home.plan.folder, 0) + len(entries)
            found[home.plan.folder] = entries
        return found

    def _recording(self) -> Iterable[Home]:
        return (self.social, self.population, self.cadastre)

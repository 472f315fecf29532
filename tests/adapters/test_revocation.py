"""Revocation over real processes: two adapters, a directory that names a responder, and `openssl ocsp` behind it.

In the order of an officer's bad day: the directory begins to want statuses, the responder goes down, it is down for too
long, it comes back, a certificate is revoked, a member is taken out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapter.directory.authoring import put_authorities
from adapter.directory.content import CertificationAuthority
from adapter.directory.draft import DirectoryDraft
from examples.federation.federation import Federation
from tests.adapters.publishing import publish_draft
from tests.adapters.small_federation import ask, fresh_pinfl, member_plan, running
from tests.adapters.stub_system import StubSystem
from tests.adapters.waiting import wait_until
from tests.pki import Authority
from tests.real_pki.making import make_responder
from tests.real_pki.ocsp import OcspResponder
from tests.real_pki.serving import Fault

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(300)]
WINDOW_S = 20


@dataclass(kw_only=True)
class Scene:
    federation: Federation
    responder: OcspResponder
    authority: Authority

    def ask(self) -> str:
        """The outcome of one call: `answered`, or the code of the fault that the client system sees."""
        homes = self.federation.homes
        return ask(homes["consumer"], homes["provider"], fresh_pinfl()).code

    def wait_for(self, code: str) -> float:
        """Seconds until calls end like this."""
        began = time.monotonic()
        wait_until(self.ask, wanted=code)
        return time.monotonic() - began

    def publish(self, draft: DirectoryDraft) -> None:
        publish_draft(self.federation, draft)

    def demand_statuses(self) -> None:
        draft = self.federation.authority.draft()
        ours = self.authority.certificate
        self.publish(
            put_authorities(
                draft,
                signing=[
                    CertificationAuthority(
                        certificate=ours,
                        ocsp_addresses=(self.responder.address,),
                        status_window=timedelta(seconds=WINDOW_S),
                    )
                    if one.certificate == ours
                    else one
                    for one in draft.signing_authorities
                ],
            )
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("revocation") / "federation"
    with StubSystem() as system:
        members = (
            member_plan(1, "provider", suite="p256", system=system),
            member_plan(3, "consumer", suite="p256", system=system),
        )
        with running(folder, *members) as federation:
            authority = issuing_authority(folder / "certificates")
            known = [
                x509.load_pem_x509_certificate(path.read_bytes())
                for path in (folder / "certificates" / "issued").glob("*.pem")
            ]
            responder = make_responder(authority, folder / "ocsp", known=known, now=datetime.now(UTC))
            with responder:
                yield Scene(federation=federation, responder=responder, authority=authority)


def issuing_authority(folder: Path) -> Authority:
    """The federation's own CA for signing and agreement certificates."""
    key = load_pem_private_key((folder / "issuing-ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate((folder / "issuing-ca.pem").read_bytes())
    return Authority(key=key, name=certificate.subject, own_certificate=certificate)


def test_a_bad_day(scene: Scene) -> None:
    assert scene.ask() == "answered"
    assert scene.responder.asked == 0  # the directory wants no statuses yet

    scene.demand_statuses()
    wait_until(lambda: scene.responder.asked >= 2)  # each adapter asks for its own, ahead of any message
    scene.wait_for("answered")

    scene.responder.play(Fault.DOWN)
    assert scene.ask() == "answered"  # within the window
    assert scene.wait_for("PeerUnreachable") <= WINDOW_S + 10
    assert "StatusUnavailable" in last_refusal(scene)

    scene.responder.play(Fault.NONE)
    scene.wait_for("answered")

    consumer = scene.federation.homes["consumer"].keyring.signing[0].certificate
    scene.responder.revoke(consumer)
    # Its own adapter learns it too, and signs with that key no more. What a peer says of such a message is tried
    # without processes, in tests/attacks/test_statuses.py.
    assert scene.wait_for("KeyUnusable") <= WINDOW_S + 10

    draft = scene.federation.authority.draft()
    gone = scene.federation.homes["consumer"].settings.member
    scene.publish(replace(draft, members={key: one for key, one in draft.members.items() if key != gone}, groups={}))
    wait_until(lambda: "UnknownMember" in last_refusal(scene) or scene.ask() == "UnknownMember")


def last_refusal(scene: Scene) -> str:
    """Outcome and reason of the newest entry of the provider's record."""
    record = scene.federation.homes["provider"].record
    newest = record.since(record.size() - 1)[-1]
    return f"{newest.outcome}: {newest.reason}"

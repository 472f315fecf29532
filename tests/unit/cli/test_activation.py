"""Which certificate is not activated: one that peers may not know yet, one that its CA has revoked, as was learnt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.app.kept_statuses import status_copies
from adapter.cli.doctor_rehearsal import chosen_signing_key
from adapter.crypto.certificates import sha256
from adapter.crypto.note import NoteSigner
from adapter.crypto.status import encode_ocsp_request
from adapter.directory.content import CertificationAuthority
from adapter.store.keyfiles import KeyPurpose, load_private_key, save_private_key
from tests.pki import SIGNING_USAGE, issue, registered
from tests.real_pki.making import make_responder
from tests.real_pki.ocsp import OcspResponder
from tests.unit.cli.office import write_rule
from tests.unit.cli.trust_scene import Scene

pytestmark = pytest.mark.sockets
ROTATE = ("keys", "rotate", "signing", "--name", "2027", "--organisation", "Register")


@pytest.fixture
def new(scene: Scene) -> x509.Certificate:
    """Of signing-2027, which is certified beside signing."""
    scene.put("keys", "spread_s = 0")
    assert scene.run(*ROTATE, "--settings", scene.home).code == 0
    key = load_private_key(scene.keys / "signing-2027.key", KeyPurpose.SIGNING).public_key()
    subject = f"{scene.federation.population.id} signing"
    made = issue(
        scene.federation.issuing_ca, public_key=key, subject=subject, usage=SIGNING_USAGE, now=datetime.now(UTC)
    )
    (scene.place / "issued.pem").write_bytes(made.public_bytes(Encoding.PEM))
    assert scene.run("keys", "import", scene.place / "issued.pem", "--settings", scene.home).code == 0
    return made


@pytest.fixture
def responder(scene: Scene, new: x509.Certificate) -> Iterator[OcspResponder]:
    """The directory names both signing certificates, and the responder that knows them."""
    own, ca = scene.federation.population, scene.federation.issuing_ca
    known = [own.signing_certificate, own.agreement_certificate, new]
    with make_responder(ca, scene.place / "ocsp", known=known, now=scene.now) as responder:
        issuing = CertificationAuthority(
            certificate=ca.certificate, ocsp_addresses=(responder.address,), status_window=timedelta(hours=12)
        )
        draft = scene.draft
        member = replace(scene.member, signing=(*scene.member.signing, registered(new, "p256")))
        root = CertificationAuthority(certificate=scene.federation.root_ca.certificate)
        scene.publish(
            replace(draft, members={**draft.members, own.id: member}, signing_authorities=(root, issuing)), keep=True
        )
        scene.put("directory", 'loopback_peers = "always"')
        scene.put("directory", "status_timeout_s = 60")
        yield responder


def learn(scene: Scene, responder: OcspResponder, certificate: x509.Certificate) -> None:
    """As a running adapter does."""
    ca = scene.federation.issuing_ca.certificate
    octets = responder.answer(encode_ocsp_request(certificate, ca, None))
    status_copies(scene.settings).keep(sha256(certificate), octets)


def test_a_certificate_that_peers_may_not_know_yet_is_not_activated(
    scene: Scene, new: x509.Certificate, responder: OcspResponder
) -> None:
    learn(scene, responder, new)
    scene.put("keys", "spread_s = 300")
    refused = scene.run("keys", "activate", "signing-2027", "--settings", scene.home)
    assert refused.code == 2, refused
    assert "peers may not know it yet" in refused.err


@pytest.mark.parametrize("command", [("keys", "activate", "signing-2027"), ROTATE], ids=["activate", "rotate"])
def test_a_certificate_that_its_ca_has_revoked_is_not_activated(
    scene: Scene, new: x509.Certificate, responder: OcspResponder, command: tuple[str, ...]
) -> None:
    responder.revoke(new)
    learn(scene, responder, new)
    refused = scene.run(*command, "--settings", scene.home)
    assert refused.code == 3, refused
    assert "the CA revoked the certificate of signing-2027 on" in refused.err
    assert "adapter keys revoke signing-2027" in refused.err


def test_doctor_signs_with_the_key_that_a_running_adapter_would_choose(
    scene: Scene, new: x509.Certificate, responder: OcspResponder
) -> None:
    learn(scene, responder, new)
    done = scene.run("keys", "activate", "signing-2027", "--settings", scene.home)
    assert done.code == 0, done
    found = scene.published.look(scene.federation.anchor, now=datetime.now(UTC))
    assert found is not None

    def chosen() -> x509.Certificate:
        return chosen_signing_key(scene.settings, found.directory, datetime.now(UTC)).certificate

    assert chosen() == new
    responder.revoke(new)
    learn(scene, responder, new)
    assert chosen() == scene.federation.population.signing_certificate, "which is retiring, and believed"
    scene.doctor()
    rows = {(one["what"], one["health"]) for one in scene.found}
    assert ("status signing", "fail") in rows
    assert {("signature", "ok"), ("exchange", "ok")} <= rows


@pytest.mark.parametrize("command", [("keys", "activate", "signing-2027"), ROTATE], ids=["activate", "rotate"])
def test_a_key_is_activated_by_two_officers(
    scene: Scene, new: x509.Certificate, responder: OcspResponder, command: tuple[str, ...]
) -> None:
    learn(scene, responder, new)
    vkeys = []
    for name in ("dilnoza", "bek"):
        private = Ed25519PrivateKey.generate()
        save_private_key(scene.place / f"{name}.key", private, KeyPurpose.OFFICER)
        vkeys.append(NoteSigner(name, private).vkey)
    write_rule(scene.place, ("key-activate",), vkeys)

    def typed(*words: object, code: int = 0) -> str:
        done = scene.run(*words, "--settings", scene.home)
        assert done.code == code, done
        return done.out + done.err

    asked = typed(*command, "--officer-key", scene.place / "dilnoza.key", code=8)
    (id_,) = {word.strip(":.`") for word in asked.split() if word.startswith("a-")}
    states = {one["key"]: one["state"] for one in json.loads(scene.run("keys", "list", "--json", "-s", scene.home).out)}
    assert states["signing-2027"] == "registered"
    typed("approvals", "approve", id_, "--key", scene.place / "bek.key")
    assert "Activated signing-2027" in typed(*command)

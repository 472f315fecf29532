"""Faults of trust, each put into a working installation: doctor is green before, and names exactly that one after.

A case says what is not good in the report afterwards, row by row: kind, place and gravity. Anything else that is not
good is a failure of the test, and so is a kind that no case shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from adapter.app.renewal_failure import RenewalFailure, keep_failure
from adapter.crypto.note import NoteSigner
from adapter.errors import CertificateNotIssued
from tests.pki import Authority, authorities, make_ca, private_pem
from tests.repository import Repository
from tests.unit.cli.trust_scene import DAY, WAIT, WAITS, Act, Case, Scene, fails, judge, warns

# --- keys and their certificates -------------------------------------------------------------------------------------


def registered_anew(purpose: str, **more: Any) -> Act:
    """Certified anew, and registered so."""
    return lambda scene: scene.register(purpose, scene.certify(purpose, **_dated(scene, more)))


def _dated(scene: Scene, more: dict[str, Any]) -> dict[str, Any]:
    return {name: scene.now + value if isinstance(value, timedelta) else value for name, value in more.items()}


def key_instead(octets: Callable[[Scene], bytes]) -> Act:
    return lambda scene: (scene.keys / "signing.key").write_bytes(octets(scene))


def agreement_key_for_signing(scene: Scene) -> bytes:
    return b"Purpose: agreement\n" + (scene.keys / "agreement.key").read_bytes()


def by(authority: Callable[[Scene], Authority], purpose: str = "signing") -> Act:
    """Certified by another CA, and registered all the same."""
    return lambda scene: scene.register(purpose, scene.certify(purpose, issuer=authority(scene)))


def impostor(scene: Scene) -> Authority:
    return replace(scene.federation.issuing_ca, key=ec.generate_private_key(ec.SECP256R1()))


def revoke(key: str) -> Act:
    def type_it(scene: Scene) -> None:
        assert scene.run("keys", "revoke", key, "--reason", "key-compromise", "-s", scene.home).code == 0

    return type_it


def renew_by_acme(scene: Scene) -> None:
    scene.put("acme", "terms_agreed = true")
    scene.put("acme", 'ca_file = "../fed/tls-ca.pem"')
    scene.put("acme", 'url = "https://ca.example/acme/directory"')


def fail_to_renew(scene: Scene) -> None:
    keep_failure(scene.settings, RenewalFailure.of(CertificateNotIssued("the CA refuses: badCSR"), scene.now))


def another_ca(scene: Scene, **more: timedelta) -> Authority:
    return make_ca("Another CA", now=scene.now, **{name: scene.now + at for name, at in more.items()})  # type: ignore[arg-type]


def name_another_ca(**more: timedelta) -> Act:
    """A second CA for TLS in the directory, with these dates."""

    def publish(scene: Scene) -> None:
        draft = scene.draft
        added = authorities(another_ca(scene, **more).certificate)
        scene.publish(replace(draft, tls_authorities=(*draft.tls_authorities, *added)))

    return publish


def drop_the_issuing_ca(scene: Scene) -> None:
    scene.publish(replace(scene.draft, signing_authorities=authorities(scene.federation.root_ca.certificate)))


def forget_us(scene: Scene) -> None:
    draft, own = scene.draft, scene.federation.population.id
    members = {key: one for key, one in draft.members.items() if key != own}
    services = {key: one for key, one in draft.services.items() if key.subsystem.member != own}
    scene.publish(replace(draft, members=members, services=services))


def name_another_record_key(scene: Scene) -> None:
    scene.publish_member(record_vkey=NoteSigner("UZ/GOV/200000001", ed25519.Ed25519PrivateKey.generate()).vkey)


KEYS = {
    "own signing certificate expired": Case(
        registered_anew("signing", valid_from=-60 * DAY, valid_until=timedelta(hours=-1)),
        (fails("key signing", "certificate-expired"), *WAIT),
        ("signing.key", "has expired on", "keys rotate signing"),
    ),
    "own TLS certificate expires within 14 days": Case(
        registered_anew("tls", valid_from=-100 * DAY, valid_until=10 * DAY),
        (warns("key tls", "certificate-ends-soon"),),
        ("tls.key", "within 14 day(s)", "keys rotate tls"),
    ),
    "clock an hour behind the certificate's beginning": Case(
        registered_anew("signing", valid_from=timedelta(hours=1)),
        (fails("key signing", "certificate-not-yet-valid"), *WAIT),
        ("signing.key", "not valid yet", "clock"),
    ),
    "certificate does not fit its key": Case(
        lambda scene: (scene.keys / "signing.pem").write_bytes(
            (scene.place / "fed/members/200000002/signing.pem").read_bytes()
        ),
        (fails("key signing", "certificate-of-other-key"), *WAIT),
        ("signing.pem is for another key", "right file"),
    ),
    "key file readable by others": Case(
        lambda scene: (scene.keys / "tls.key").chmod(0o640),
        (fails("key tls", "key-open-to-others"),),
        ("tls.key can be read by others", "600"),
    ),
    "agreement key in the place of the signing key": Case(
        key_instead(agreement_key_for_signing),
        (fails("key signing", "key-of-other-use"), *WAIT),
        ("signing.key holds a key for agreement, not for signing", "right file"),
    ),
    "TLS certificate for another use": Case(
        lambda scene: scene.certify("tls", usage=("key_agreement",)),
        (fails("key tls", "key-of-other-use"),),
        ("tls.pem: the certificate is not for tls", "right file"),
    ),
    "weak key": Case(
        key_instead(lambda _: private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))),
        (fails("key signing", "key-weak"), *WAIT),
        ("signing.key", "RSA of 2048 bits", "keys create"),
    ),
    "garbage in a key file": Case(
        key_instead(lambda _: b"garbage"),
        (fails("key signing", "key-unreadable"), *WAIT),
        ("signing.key is not a private key", "backup"),
    ),
    "key missing": Case(
        lambda scene: (scene.keys / "agreement.key").unlink(),
        (fails("key agreement", "key-missing"), *WAITS),
        ("there is none in", "keys create --purpose agreement"),
    ),
    "certificate missing": Case(
        lambda scene: (scene.keys / "tls.pem").unlink(),
        (fails("key tls", "certificate-missing"),),
        ("tls.key has no certificate", "keys csr tls"),
    ),
    "key revoked here, and the directory names it still": Case(
        revoke("signing"),
        (fails("registered signing", "revoked-key-registered"), fails("key signing", "key-over"), *WAIT),
        ("still names signing.key", "revoked here", "at once"),
    ),
    "TLS certificate not renewed": Case(
        fail_to_renew,
        (warns("renewal", "renewal-failed"),),
        ("not renewed on", "the CA refuses: badCSR", "keys renew"),
        prepare=renew_by_acme,
    ),
    "no TLS key left": Case(
        revoke("tls"),
        (fails("key tls", "key-over"), fails("registered tls", "revoked-key-registered")),
        ("tls.key was revoked on", "there is no other", "keys create --purpose tls"),
    ),
    "another certificate registered": Case(
        lambda scene: scene.certify("signing"),
        (fails("registered signing", "certificate-not-registered"), *WAIT),
        ("ours is signing.pem (", "there it is", "adapter registration"),
    ),
    "member not in the directory": Case(
        forget_us,
        (fails("registered", "member-unknown"),),
        ("version 2 does not name UZ/GOV/200000001", "adapter registration"),
    ),
    "record key is not the registered one": Case(
        name_another_record_key,
        (fails("registered record", "record-key-not-registered"),),
        ("record.key is", "backup"),
    ),
    "certificate of a CA that nobody names": Case(
        by(another_ca),
        (fails("path signing", "ca-not-in-directory"), *WAITS),
        ("signing.pem was issued by CN=Another CA", "does not name", "keys csr"),
    ),
    "CA removed from the directory": Case(
        drop_the_issuing_ca,
        (fails("path signing", "ca-not-in-directory"), fails("path agreement", "ca-not-in-directory"), *WAITS),
        ("CN=Test issuing CA", "or no longer", "ask the authority"),
    ),
    "TLS certificate of the signing CA": Case(
        by(lambda scene: scene.federation.issuing_ca, "tls"),
        (fails("path tls", "ca-for-other-use"),),
        ("tls.pem was issued by CN=Test issuing CA", "signing and agreement certificates only", "keys csr"),
    ),
    "CA's name with another key": Case(
        by(impostor),
        (fails("path signing", "certificate-path-refused"), *WAITS),
        ("signing.pem: the signature of a certificate is wrong", "Ask the CA"),
    ),
    "suite ended by the directory": Case(
        lambda scene: scene.publish(replace(scene.draft, suite_ends={"p256": scene.now - DAY})),
        (fails("ends", "suite-ended"), *WAITS),
        ("suite p256 ended on", "another suite"),
    ),
    "CA of the directory expired": Case(
        name_another_ca(valid_from=-90 * DAY, valid_until=-DAY),
        (fails("ends", "ended"),),
        ("TLS CA CN=Another CA", "ended on", "Ask the authority"),
    ),
    "CA of the directory expires in 20 days": Case(
        name_another_ca(valid_from=-90 * DAY, valid_until=20 * DAY),
        (warns("ends", "ends-soon"),),
        ("TLS CA CN=Another CA", "within 30 day(s)", "Ask the authority"),
    ),
}


# --- the directory ---------------------------------------------------------------------------------------------------


def expired(*, grace: timedelta) -> Act:
    """Issued 31 days ago for 30 days, and read while it was fresh."""

    def publish(scene: Scene) -> None:
        past = replace(scene.federation, now=scene.now - 31 * DAY)
        scene.publish(replace(past.draft(version=2), grace=grace))
        scene.keep(scene.published, looked=past.now + DAY)

    return publish


def roll_back(scene: Scene) -> None:
    first = scene.published
    scene.publish(scene.draft, keep=True)
    first.write(scene.place / "fed")


def another_authority(scene: Scene) -> None:
    other = replace(scene.federation, repository=Repository.make(scene.now))
    other.repository.publish(other.signed()).write(scene.place / "fed")


def two_mirrors(scene: Scene) -> None:
    scene.published.write(scene.place / "mirror")
    scene.put("directory", 'url = ["../fed", "../mirror"]')


def unsigned_mirror(scene: Scene) -> None:
    fed = scene.place / "fed"
    fed.rename(scene.place / "aside")
    scene.publish(scene.draft, by=1)
    fed.rename(scene.place / "unsigned")
    (scene.place / "aside").rename(fed)
    scene.put("directory", 'url = ["../fed", "../unsigned"]')


def cut_off(scene: Scene) -> None:
    scene.publish(scene.draft)
    for file in (scene.place / "fed/targets").glob("*.directory.xml"):
        file.write_bytes(file.read_bytes()[:100])


DIRECTORY = {
    "expired and in its grace": Case(
        expired(grace=5 * DAY),
        (warns("directory", "directory-in-grace"),),
        ("version 2 is in its grace until", "sign a new version"),
    ),
    "past its grace": Case(
        expired(grace=timedelta(hours=1)),
        (fails("directory", "directory-expired"), *WAITS),
        ("every exchange is refused", "sign a new version"),
    ),
    "rolled back": Case(
        roll_back,
        (fails("directory", "directory-rolled-back"),),
        ("rollback", "exchanges go on by version 2 until", "take another mirror"),
    ),
    "anchor of another authority": Case(
        another_authority,
        (fails("directory", "directory-of-another-authority"),),
        ("(signature)", "exchanges go on by version 1", "anchor again on a safe way"),
    ),
    "a signature missing": Case(
        lambda scene: scene.publish(scene.draft, by=1),
        (fails("directory", "directory-signature-missing"),),
        ("(signature)", "Signatures are missing"),
    ),
    "frozen": Case(
        lambda scene: scene.publish(scene.draft, stamped=-DAY),
        (fails("directory", "directory-frozen"),),
        ("(freeze)", "authority timestamp"),
    ),
    "cut off": Case(
        cut_off,
        (fails("directory", "directory-broken"),),
        ("directory.xml", "mirror"),
    ),
    "nowhere": Case(
        lambda scene: scene.put("directory", 'url = "../nowhere"'),
        (fails("directory", "directory-unavailable"),),
        ("nowhere", "exchanges go on by version 1", "[directory] url"),
    ),
    "one mirror serves a missing signature": Case(
        unsigned_mirror,
        (warns("mirror", "mirror-refused"),),
        ("../unsigned", "(signature)", "the others serve"),
        prepare=two_mirrors,
    ),
}


# --- record, approvals, settings -------------------------------------------------------------------------------------


def officers(*pairs: tuple[str, ed25519.Ed25519PrivateKey]) -> str:
    return "officers = [" + ", ".join(f'"{NoteSigner(name, key).vkey}"' for name, key in pairs) + "]"


DILNOZA, BEK = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()


def two_officers(scene: Scene) -> None:
    scene.put("approvals", 'acts = ["key-revoke"]')
    scene.put("approvals", officers(("dilnoza", DILNOZA), ("bek", BEK)))


def two_officers_in_force(scene: Scene) -> None:
    two_officers(scene)
    asked = scene.run("keys", "revoke", "signing", "--reason", "superseded", "-s", scene.home)
    assert "needs 2 officers" in asked.err


RECORD = {
    "an entry of the record changed": Case(
        lambda scene: scene.sql("UPDATE entries SET document = replace(document, 'A-1234', 'A-4321') WHERE number = 1"),
        (fails("record", "record-broken"),),
        ("entry 1 was changed", "keep the disk as it is"),
        prepare=Scene.fill,
    ),
    "two officers with one key": Case(
        lambda scene: scene.put("approvals", officers(("dilnoza", DILNOZA), ("bek", DILNOZA))),
        (fails("approvals", "officers-not-two"),),
        ("different names and different keys", "officer-key"),
        prepare=two_officers,
    ),
    "the second officer's key missing": Case(
        lambda scene: scene.put("approvals", officers(("dilnoza", DILNOZA))),
        (fails("settings", "settings-refused"),),
        ("needs two that are named here", "Mend the lines"),
        prepare=two_officers,
    ),
    "approvals switched off in the settings alone": Case(
        lambda scene: scene.put("approvals", "acts = []"),
        (warns("approvals", "approvals-differ"),),
        ("in force are key-revoke; the settings say none", "approvals adopt"),
        prepare=two_officers_in_force,
    ),
}

CASES = {**KEYS, **DIRECTORY, **RECORD}
ON_PAGE = frozenset({case.rows[0].fault: name for name, case in reversed(CASES.items())}.values())
"""Of each kind the first case stands on the page."""


def test_the_installation_is_in_order(scene: Scene) -> None:
    """The control of every case that prepares nothing: each begins with a copy of these octets."""
    assert scene.doctor() == (0, set())


@pytest.mark.parametrize("name", CASES)
def test_the_fault_is_named_and_nothing_else(name: str, scene: Scene) -> None:
    case = CASES[name]
    if case.prepare is not None:
        case.prepare(scene)
        assert scene.doctor() == (0, set()), scene.found
    case.spoil(scene)
    judge(scene, case, on_page=name in ON_PAGE)

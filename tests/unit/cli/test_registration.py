"""`adapter registration` names an agreement key when running workers can be expected to open messages with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.app.key_keeper import LOADED_WITHIN_S
from adapter.cli import registration
from adapter.cli.authority_folder import registration_from
from adapter.crypto.certificates import sha256
from adapter.store.keyfiles import KeyPurpose, load_private_key
from tests.pki import issue
from tests.unit.cli.trust_scene import USAGE, Scene

WORDS = (
    "--name",
    "en=Register",
    "--stir",
    "200000001",
    "--address",
    "https://register.example:8443",
    "--subsystem",
    "population",
    "--yes",
)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the command would have slept."""
    slept: list[float] = []
    monkeypatch.setattr(registration, "sleep", slept.append)
    return slept


def certified(scene: Scene, purpose: str) -> bytes:
    """A second key of this purpose, with its certificate; the SHA-256 of that."""
    settings = ("--settings", scene.home)
    assert scene.run("keys", "create", "--purpose", purpose, "--name", "2027", *settings).code == 0
    key = load_private_key(scene.keys / f"{purpose}-2027.key", KeyPurpose(purpose)).public_key()
    subject = f"{scene.federation.population.id} {purpose}"
    ca = scene.federation.tls_ca if purpose == "tls" else scene.federation.issuing_ca
    made = issue(ca, public_key=key, subject=subject, usage=USAGE[purpose], now=datetime.now(UTC))
    (scene.place / "issued.pem").write_bytes(made.public_bytes(Encoding.PEM))
    assert scene.run("keys", "import", scene.place / "issued.pem", *settings).code == 0
    return sha256(made)


def hand_in(scene: Scene) -> tuple[str, frozenset[bytes]]:
    """What the command remarks, and which agreement keys it names."""
    done = scene.run("registration", *WORDS, "-o", scene.place / "reg", "--settings", scene.home)
    assert done.code == 0, done
    member = registration_from(scene.place / "reg" / "registration.xml").member
    return done.err, frozenset(one.sha256 for one in member.agreement)


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    monkeypatch.setattr(registration, "now_utc", lambda: datetime.now(UTC) + by)


def test_a_new_agreement_key_is_named_when_workers_have_had_the_time_to_load_it(
    scene: Scene, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = certified(scene, "agreement")
    said, named = hand_in(scene)
    assert "Waiting until" in said
    assert "running workers may not have the new agreement key yet" in said
    assert new in named
    assert len(slept) == 1
    assert 0 < slept[0] <= LOADED_WITHIN_S
    later(monkeypatch, timedelta(seconds=LOADED_WITHIN_S))
    assert "Waiting" not in hand_in(scene)[0]
    assert len(slept) == 1
    later(monkeypatch, timedelta(days=-1))
    hand_in(scene)
    assert slept[1:] == [LOADED_WITHIN_S], "a clock that was set back makes nobody wait for a day"


def test_nobody_waits_for_a_key_that_is_activated_later(scene: Scene, slept: list[float]) -> None:
    certified(scene, "signing")
    assert "Waiting" not in hand_in(scene)[0]
    assert slept == []


@pytest.mark.parametrize("purpose", ["signing", "tls"])
def test_a_key_that_retires_is_named_until_workers_have_had_the_time_to_use_the_next(
    scene: Scene, slept: list[float], monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    """Peers refuse what it signs or is shown by as soon as they read the registration: nobody may use it any more."""
    scene.put("keys", "spread_s = 0")
    certified(scene, purpose)
    hand_in(scene)
    member = registration_from(scene.place / "reg" / "registration.xml").member
    entered = replace(scene.member, signing=member.signing, adapter=member.adapter)
    draft = scene.draft
    scene.publish(replace(draft, members={**draft.members, member.id: entered}), keep=True)
    assert slept == []
    activated = scene.run("keys", "activate", f"{purpose}-2027", "--settings", scene.home)
    assert activated.code == 0, activated
    said = hand_in(scene)[0]
    assert "running workers may still use a key that retires" in said
    assert len(slept) == 1
    assert 0 < slept[0] <= LOADED_WITHIN_S
    later(monkeypatch, timedelta(seconds=LOADED_WITHIN_S))
    assert "Waiting" not in hand_in(scene)[0]
    assert len(slept) == 1


def test_nobody_waits_for_an_adapters_first_agreement_key(scene: Scene, slept: list[float]) -> None:
    new = certified(scene, "agreement")
    for name in ("agreement.key", "agreement.pem"):
        (scene.keys / name).unlink()
    assert hand_in(scene)[1] == {new}
    assert slept == []

"""The authority's year: officers on machines of their own, a lost one, new online keys, a revocation, time-stamps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.cli import authority_publishing as publishing
from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.directory_source import open_directory
from adapter.directory.editing import KINDS
from adapter.directory.refresh import Known, Refresh
from adapter.directory.repository import officers_of
from adapter.errors import DirectoryRefused
from adapter.transport.directory_client import DirectoryClient
from tests.command_line import typed
from tests.unit.cli.authority_office import CAS, done, founded, said_besides, signed


@pytest.fixture
def apart(run: object, place: Path) -> AuthorityFolder:
    """Three officers, each with a key on an own machine, and an authority that never sees those."""
    return founded(place)


def version(home: AuthorityFolder) -> int:
    """What an adapter believes that knows the anchor alone."""
    return open_directory(str(home.published), home.anchor_file).version


def test_two_officers_on_machines_of_their_own_publish(apart: AuthorityFolder) -> None:
    done("propose", "authority")
    said = signed(apart, "saidov", "usmonov")
    assert "Directory UZ, version 1" in said
    assert "purpose" in said
    done("publish", "authority")
    assert version(apart) == 1
    assert "3" in done("status", "authority")


@pytest.mark.parametrize(
    ("days", "said"), [(30, "valid until 20"), (7, "6 day(s) left, propose the next one"), (0, "propose the next one")]
)
def test_the_status_says_until_when_the_directory_is_valid(
    apart: AuthorityFolder, monkeypatch: pytest.MonkeyPatch, days: int, said: str
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    done("propose", "authority", "--valid-days", 30)
    signed(apart, "saidov", "usmonov")
    done("publish", "authority")
    monkeypatch.setattr("adapter.cli.authority.now_utc", lambda: now + timedelta(days=30 - days, minutes=1))
    line = next(line for line in done("status", "authority").splitlines() if line.startswith("Directory"))
    assert said in line
    assert ("expired 20" in line) is (days == 0)
    assert ("left" in line) is (days == 7)


def test_what_a_new_proposal_gives_up_is_said(apart: AuthorityFolder, place: Path) -> None:
    """Two rotations, one after the other, are one: the officer who signed the first is not waited for in vain."""
    done("propose", "authority")
    assert "no longer" not in said_besides("propose", "authority"), "the same, anew"
    signed(apart, "saidov")
    assert "The directory that was proposed before waits no longer, with the signatures of saidov." in said_besides(
        "propose", "authority"
    )
    signed(apart, "saidov", "usmonov")
    done("publish", "authority")
    assert "no longer" not in said_besides("rotate", "authority", "--remove-officer", "saidov")
    signed(apart, "usmonov")
    said = said_besides("rotate", "authority", "--online-keys")
    assert "The root that was proposed before waits no longer, with the signatures of usmonov." in said
    assert "The directory that was proposed before waits no longer, with the signatures of usmonov." in said
    certificate = place / "fed" / "tls-ca.pem"
    typed("authority", "revoke", "authority", certificate)  # of nobody: nothing is given up for it
    assert "Waits: root" in done("status", "authority")


def test_before_the_first_directory_it_is_said_what_comes_first(apart: AuthorityFolder) -> None:
    assert apart.roots()
    assert "`adapter authority propose`" in typed("authority", "timestamp", "authority").err


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_is_shown_by_the_kind_by_which_it_is_removed(apart: AuthorityFolder, kind: str) -> None:
    did = typed("authority", "content", apart.path, kind)
    if kind in ("ca", "purpose", "legal-basis"):
        assert did.code == 0
        assert ("TLS CA" in did.out) is (kind == "ca")
    elif kind != "subsystem":  # which is shown with its member
        assert f"the draft has no {kind}" in did.err
    assert "there is no kind nonsense" in typed("authority", "content", apart.path, "nonsense").err


def test_one_officer_is_not_enough(apart: AuthorityFolder) -> None:
    done("propose", "authority")
    signed(apart, "saidov")
    refused = typed("authority", "publish", "authority")
    assert refused.code == 2
    assert "1 of 2 signatures (saidov); may still sign: karimova, usmonov" in refused.err
    assert not (apart.published / "metadata/timestamp.json").exists()


def test_an_officer_judges_from_an_own_anchor(apart: AuthorityFolder, place: Path) -> None:
    done("propose", "authority")
    done("request", "authority", "-o", "request.zip")
    done("init", "other", "--make-officers", "3", *CAS)
    key = ("--key", "karimova/own.key", "-o", "k.signatures", "--yes")
    assert typed("authority", "sign", "request.zip", *key).code == 2
    assert typed("authority", "sign", "request.zip", *key, "--anchor", "other/anchor.json").code == 1
    assert not (place / "k.signatures").exists()


def test_a_signature_of_something_else_is_not_merged(apart: AuthorityFolder, place: Path) -> None:
    done("propose", "authority")
    signed(apart, "karimova")
    done("propose", "authority", "--valid-days", "200")
    assert typed("authority", "merge", "authority", "stick/karimova.signatures").code == 1
    (place / "garbage").write_bytes(b"[" * 9000)
    assert typed("authority", "merge", "authority", "garbage").code == 1


def test_a_lost_officer_is_replaced_by_the_others(apart: AuthorityFolder, place: Path) -> None:
    done("propose", "authority")
    signed(apart, "karimova", "saidov")
    done("publish", "authority")
    (place / "karimova" / "own.key").unlink()
    (place / "yusupova").mkdir()
    done("officer-key", "yusupova/own.key")
    said = done("rotate", "authority", "--remove-officer", "karimova", "--officer", "yusupova=yusupova/own.pem")
    assert "officer karimova is removed" in said
    signed(apart, "saidov", "usmonov")
    done("publish", "authority")
    assert version(apart) == 2
    assert sorted(officers_of(apart.root())) == ["saidov", "usmonov", "yusupova"]
    done("propose", "authority")
    signed(apart, "yusupova", "saidov")
    done("publish", "authority")
    assert version(apart) == 3


def test_a_lone_officer_cannot_change_the_officers(apart: AuthorityFolder) -> None:
    done("rotate", "authority", "--remove-officer", "karimova", "--remove-officer", "usmonov", "--threshold", "1")
    signed(apart, "saidov")
    refused = typed("authority", "publish", "authority")
    assert refused.code == 2
    assert "by the officers until now" in refused.err


def test_stolen_online_keys_are_replaced(apart: AuthorityFolder, place: Path) -> None:
    done("propose", "authority")
    signed(apart, "karimova", "saidov")
    done("publish", "authority")
    before = (apart.path / "online" / "timestamp.key").read_bytes()
    done("rotate", "authority", "--online-keys")
    signed(apart, "karimova", "usmonov")
    done("publish", "authority")
    assert (apart.path / "online" / "timestamp.key").read_bytes() != before
    assert version(apart) == 1
    done("timestamp", "authority")
    assert version(apart) == 1


@pytest.fixture
def together(run: object, place: Path) -> AuthorityFolder:
    """A small authority, with version 1 and one member published."""
    done("init", "authority", "--make-officers", "3", *CAS)
    words = ("--settings", "register", "--name", "en=Population register", "--stir", "200000001", "--subsystem", "p")
    assert typed("registration", *words, "--address", "https://127.0.0.1:8443", "-o", "reg").code == 0
    assert typed("authority", "add-member", "authority", "reg/registration.xml").code == 0
    done("release", "authority", "--officers-here")
    return AuthorityFolder(path=place / "authority")


def test_a_revocation_publishes_nothing_else_of_the_draft(together: AuthorityFolder) -> None:
    assert typed("authority", "set-purpose", "authority", "half-done", "Not decided yet").code == 0
    done("revoke", "authority", "UZ/GOV/200000001", "--officers-here")
    directory = open_directory(str(together.published), together.anchor_file)
    assert directory.version == 2
    assert not directory.members
    assert "half-done" not in directory.purposes
    assert "half-done" in together.draft().purposes
    assert not together.draft().members


@pytest.mark.parametrize("use", ["signing", "agreement", "tls"])
def test_the_only_certificate_of_a_use_is_revoked_by_its_file(together: AuthorityFolder, use: str) -> None:
    assert typed("keys", "export", use, "--settings", "register", "-o", "lost.pem").code == 0
    done("revoke", "authority", "lost.pem", "--officers-here")
    (member,) = open_directory(str(together.published), together.anchor_file).members.values()
    left = {"signing": member.signing, "agreement": member.agreement, "tls": member.adapter.tls_certificates}
    assert left.pop(use) == ()
    assert all(left.values())
    assert together.draft().members[member.id] == member


def test_a_revocation_that_is_refused_leaves_the_draft_as_it_was(together: AuthorityFolder) -> None:
    """A regulation names the agency: struck off, it would leave a directory that no adapter takes."""
    words = ("--title", "en=A benefit", "--agency", "UZ/GOV/200000001", "--working-days", "5", "--regulation", "R-1")
    done("set-e-service", "authority", "ES-1", *words, "--approved", "2025-11-03")
    done("release", "authority", "--officers-here")
    before = together.draft_file.read_bytes()
    refused = typed("authority", "revoke", "authority", "UZ/GOV/200000001", "--officers-here")
    assert (refused.code, "e-service ES-1 names UZ/GOV/200000001" in refused.err) == (2, True)
    assert together.draft_file.read_bytes() == before
    gone = typed("authority", "revoke", "authority", "gone.pem", "--officers-here")
    assert "gone.pem is neither a member, nor a certificate's file, nor its SHA-256" in gone.err


def test_a_ca_that_members_need_is_not_struck_off_unnoticed(together: AuthorityFolder, place: Path) -> None:
    """A second CA is there already: without members' certificates it goes, the one that certified them stays."""
    issuing = place / "issuing.pem"
    issuing.write_text(
        "-----BEGIN CERTIFICATE-----".join(
            ["", (place / "fed/signing-ca.pem").read_text().split("-----BEGIN CERTIFICATE-----")[2]]
        )
    )
    refused = typed("authority", "remove", "authority", "ca", issuing)
    assert refused.code == 2
    assert "alone: UZ/GOV/200000001 (signing, agreement);" in refused.err
    assert len(together.draft().signing_cas) == 2
    done("remove", "authority", "ca", issuing, "--cut-off-members")
    assert len(together.draft().signing_cas) == 1


def test_a_timestamp_needs_no_officer_and_lasts(together: AuthorityFolder) -> None:
    first = together.timestamp()
    for file in (together.path / "officers").iterdir():
        file.unlink()
    done("timestamp", "authority", "--timestamp-hours", "48")
    second = together.timestamp()
    assert first is not None
    assert second is not None
    assert second.version == first.version + 1
    assert second.expires - first.expires > timedelta(hours=23)
    later = datetime.now(UTC) + timedelta(days=5)
    publishing.renew_timestamp(together, now=later)
    snapshot = together.snapshot()
    assert snapshot is not None
    assert snapshot.expires > later + timedelta(days=6)


async def test_without_a_new_timestamp_adapters_see_it(together: AuthorityFolder) -> None:
    anchor = together.anchor()
    assert anchor is not None
    refresh = Refresh(anchor, Known(), now=datetime.now(UTC) + timedelta(hours=25))
    with pytest.raises(DirectoryRefused, match="expired"):
        await DirectoryClient([str(together.published)]).look(refresh)

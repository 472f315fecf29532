"""The adapter's own files: no name that came from outside leads out of its folder, no link is followed on the way to
writing, and a file that others could read or change is refused or said loudly.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from adapter.app.own_clients import exposures, load_clients
from adapter.backends.assembly import build_backend
from adapter.cli.call_attachments import CameBack, save
from adapter.cli.files import write_octets
from adapter.envelope.description import load_bundle, load_description
from adapter.errors import (
    AdapterError,
    CommandRefused,
    DescriptionUnusable,
    DirectoryRefused,
    EvidenceInvalid,
    KeyUnusable,
    SettingsInvalid,
    StoreUnusable,
)
from adapter.evidence.container import MIMETYPE, read_container, render_container
from adapter.secret_files import read_secret
from adapter.settings import load_service_settings, load_settings
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import open_database
from adapter.store.keyfiles import write_secret
from adapter.store.migrate import prepare
from adapter.store.spool import Spool
from tests.attacks.watch import Canary
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, schema, wsdl

LEADING_OUT = [
    "../out",
    "../../../../tmp/out",
    "/tmp/out",
    "..",
    ".",
    "",
    "a/../../out",
    "a//b",
    "./a",
    "a/",
    "..\\out",
    "C:\\out",
    "c:out",
    "a\x00b",
    "a\nb",
    "a\x1b[2Jb",
    "\u202eout",
    "x" * 300,
]
"""Names that leave a folder, on one system or another, or are not what they look like."""


def untouched(folder: Path, before: set[str]) -> bool:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} == before


# --- archives --------------------------------------------------------------------------------------------------------


def archive(*members: tuple[zipfile.ZipInfo | str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as out:
        for name, content in members:
            out.writestr(name, content)
    return written.getvalue()


GOOD = (("a.wsdl", wsdl(schema(ASK_AND_ANSWER))), ("catalog.json", '{"entry": "a.wsdl"}'))


def test_a_good_bundle_is_read() -> None:
    """The control of the cases below."""
    assert load_bundle(archive(*GOOD)).entry == "a.wsdl"
    assert load_bundle(archive(*GOOD, ("b/c.xsd", "x"))).entry == "a.wsdl"


@pytest.mark.parametrize("name", [name for name in LEADING_OUT if name and "\x00" not in name], ids=ascii)
def test_names_in_a_bundle(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DescriptionUnusable):
        load_bundle(archive(*GOOD, (name, "x")))
    assert untouched(tmp_path, set())


def test_a_bundle_whose_entry_leads_out(canary: Canary) -> None:
    for entry in ("../a.wsdl", str(canary.path), canary.url):
        octets = archive(GOOD[0], ("catalog.json", f'{{"entry": "{entry}"}}'))
        with canary.watching() as touched, pytest.raises(DescriptionUnusable):
            load_bundle(octets)
        assert touched == []


def test_a_link_in_a_bundle_is_a_text_that_leads_nowhere(canary: Canary) -> None:
    link = zipfile.ZipInfo("x.xsd")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    text = wsdl(schema('<xs:include schemaLocation="x.xsd"/>' + ASK_AND_ANSWER))
    octets = archive(("a.wsdl", text), GOOD[1], (link, str(canary.path)))
    with canary.watching() as touched, pytest.raises(DescriptionUnusable):
        load_bundle(octets)
    assert touched == []


EVIDENCE = {MIMETYPE: b"x", "messages/request.xml": b"y"}


def test_a_good_container_is_read() -> None:
    """The control of the cases below."""
    assert read_container(render_container(EVIDENCE)) == EVIDENCE


@pytest.mark.parametrize("name", [name for name in LEADING_OUT if name and name.isascii()], ids=ascii)
def test_names_in_an_evidence_container(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvidenceInvalid):
        read_container(render_container({**EVIDENCE, name: b"z"}))
    assert untouched(tmp_path, set())


def test_containers_in_another_form() -> None:
    """Two files of one name, a link, a comment, something before or behind: another program would see other files."""
    link = zipfile.ZipInfo("messages/request.xml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    good = render_container(EVIDENCE)
    for octets in (archive((MIMETYPE, "x"), (link, "/etc/passwd")), good + b"x", b"x" + good, good + good, good[:-1]):
        with pytest.raises(EvidenceInvalid):
            read_container(octets)


# --- names that become files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEADING_OUT, ids=ascii)
def test_names_of_services_and_their_wsdl(name: str, tmp_path: Path) -> None:
    """`adapter service add` makes a folder out of subsystem, code and version; the WSDL is read below it."""
    good = {"subsystem": "s", "code": "c", "version": "v1", "title": "t", "wsdl": "a.wsdl"}

    def settings(values: dict[str, str]) -> Path:
        path = tmp_path / "service.toml"
        lines = [f"{key} = {toml(value)}" for key, value in values.items()]
        text = "\n".join([*lines, "personal_data = false", 'backend = "soap"', "[soap]", 'address = "http://x/"'])
        path.write_text(text, encoding="utf-8")
        return path

    assert load_service_settings(settings(good)).code == "c"
    for key in ("subsystem", "code", "version"):
        with pytest.raises(SettingsInvalid):
            load_service_settings(settings({**good, key: name}))
    with pytest.raises(DescriptionUnusable):
        load_description(tmp_path, name)


def toml(value: str) -> str:
    escaped = "".join(char if char.isascii() and char.isalnum() else f"\\u{ord(char):04x}" for char in value)
    return f'"{escaped}"'


@pytest.mark.parametrize("name", LEADING_OUT, ids=ascii)
def test_digests_that_name_a_contract(name: str, tmp_path: Path) -> None:
    copy = DirectoryCopy(tmp_path, prepare(f"sqlite:///{tmp_path / 'd.sqlite'}"))
    with pytest.raises(DirectoryRefused):
        copy.description(name)
    with pytest.raises(DirectoryRefused):
        copy.keep_description(name, b"x")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.pdf", "attachment-1.pdf"),
        ("../../etc/passwd", "attachment-1.txt"),
        ("a.\x00", "attachment-1.txt"),
        ("a.\x1b[2J", "attachment-1.txt"),
        ("a.b\\..\\c", "attachment-1.txt"),
        ("a." + "x" * 300, "attachment-1.txt"),
        ("a.\u202egpj", "attachment-1.txt"),
        ("a. pdf", "attachment-1.txt"),
    ],
)
def test_names_of_attachments_that_come_back(name: str, written: str, tmp_path: Path) -> None:
    (path,) = save([CameBack(content_id="x", media_type="text/plain", name=name, octets=b"1")], tmp_path)
    assert path == tmp_path / written
    assert untouched(tmp_path, {written})


# --- links -----------------------------------------------------------------------------------------------------------


def test_what_is_written_replaces_a_link_and_does_not_follow_it(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    other.write_bytes(b"precious")
    mine.symlink_to(other)
    write_octets(mine, b"new", mode=0o600)
    assert other.read_bytes() == b"precious"
    assert mine.read_bytes() == b"new"
    assert not mine.is_symlink()
    assert mine.stat().st_mode & 0o777 == 0o600


def test_nobody_can_guess_what_is_written_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to the folder puts links at every name that can be foreseen."""
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    opened: list[tuple[str, int]] = []
    real = os.open

    def watched(path: str, flags: int, *more: int) -> int:
        opened.append((str(path), flags))
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", watched)
    for _ in range(2):
        write_octets(tmp_path / "mine", b"new")
    (first, flags), (second, _) = opened
    assert first != second
    assert flags & os.O_EXCL
    assert flags & os.O_NOFOLLOW


@pytest.mark.parametrize("to", ["there", "nowhere"])
def test_a_key_is_not_written_through_a_link(to: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"precious")
    (tmp_path / "a.key").symlink_to(tmp_path / to)
    with pytest.raises(KeyUnusable):
        write_secret(tmp_path / "a.key", b"secret")
    assert (tmp_path / "there").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_attachments_wait_in_files_without_a_name_that_nobody_else_reads(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=1 << 20)
    spool.prepare()
    with spool.new_file() as file:
        file.write(b"x")
        assert list((tmp_path / "spool").iterdir()) == []
        assert os.fstat(file.fileno()).st_mode & 0o077 == 0
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    spool.close()


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file_is_no_secret(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path, 0o600)
    with pytest.raises(KeyUnusable):
        read_secret(path)


# --- who else may read and write -------------------------------------------------------------------------------------


def home(folder: Path, more: str = "") -> Path:
    """A settings file with one client that has a password."""
    settings = folder / "adapter.toml"
    digest = folder / "password.sha256"
    digest.write_text("0" * 64)
    digest.chmod(0o600)
    (folder / "data").mkdir()
    prepare(f"sqlite:///{folder / 'data' / 'adapter.sqlite'}")
    settings.write_text(
        '[adapter]\nmember = "UZ/GOV/1"\n[directory]\nurl = "dir"\nanchor = "a"\n'
        '[[client]]\nname = "c"\nsubsystem = "UZ/GOV/1/s"\nidentify_by = "basic"\nuser = "u"\n'
        f'password_file = "password.sha256"\nservices = ["UZ/*"]\n{more}'
    )
    return settings


def test_in_order_nothing_is_said(tmp_path: Path) -> None:
    """The control of the cases below."""
    settings = load_settings(home(tmp_path))
    assert exposures(settings) == ()
    assert len(load_clients(settings)) == 1
    open_database(settings.database_url)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
@pytest.mark.parametrize("name", ["password.sha256", "data/adapter.sqlite"])
def test_a_file_that_others_can_read_is_said_loudly(name: str, mode: int, tmp_path: Path) -> None:
    settings = load_settings(home(tmp_path))
    (tmp_path / name).chmod(mode)
    (found,) = exposures(settings)
    assert found.names == (str(tmp_path / name),)
    assert f"chmod 600 {tmp_path / name}" in found.mend


def database_password(settings: Path) -> None:
    folder = settings.parent
    (folder / "a.wsdl").write_text(GOOD[0][1])
    address = URL.create("postgresql+psycopg", username="u", host="h", database="d").render_as_string()
    service = folder / "service.toml"
    service.write_text(
        'subsystem = "s"\ncode = "c"\nversion = "v1"\ntitle = "t"\nwsdl = "a.wsdl"\npersonal_data = false\n'
        f'backend = "sql"\n[sql]\ndatabase = "{address}"\npassword_file = "password.sha256"\n'
        '[sql.operation.Ask]\nquery = "SELECT 1 AS x"\nreply = "Answer"\n'
    )
    build_backend(load_service_settings(service), load_description(folder, "a.wsdl"))


REFUSED: dict[str, tuple[str, list[int], type[AdapterError], Callable[[Path], object]]] = {
    "a client's digest": (
        "password.sha256",
        [0o620, 0o602, 0o666],
        SettingsInvalid,
        lambda settings: load_clients(load_settings(settings)),
    ),
    "the database": (
        "data/adapter.sqlite",
        [0o620, 0o602, 0o666],
        StoreUnusable,
        lambda settings: open_database(load_settings(settings).database_url),
    ),
    "a database's password": ("password.sha256", [0o640, 0o604, 0o660], SettingsInvalid, database_password),
    "a key": (
        "password.sha256",
        [0o640, 0o604, 0o620],
        KeyUnusable,
        lambda settings: read_secret(settings.parent / "password.sha256"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_others_could_use_against_us_is_refused(what: str, tmp_path: Path) -> None:
    name, modes, error, use = REFUSED[what]
    settings = home(tmp_path)
    for mode in modes:
        (tmp_path / name).chmod(mode)
        with pytest.raises(error, match="chmod 600"):
            use(settings)


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CommandRefused, match="cannot be written"):
        write_octets(tmp_path / "file" / "x", b"")

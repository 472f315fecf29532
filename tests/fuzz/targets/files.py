"""Files that a person or an authority gives to the adapter: settings, the directory, registrations."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from adapter.cli.settings_template import adapter_toml
from adapter.directory.document import parse_directory, read_draft, read_registration
from adapter.directory.proof import authenticate_directory
from adapter.directory.rendering import render_directory, render_registration
from adapter.errors import DirectoryExpired, DirectoryRefused, SettingsInvalid
from adapter.identifiers import MemberId
from adapter.settings import load_service_settings, load_settings
from tests.fuzz.model import Target
from tests.fuzz.mutations import octet_mutation, xml_mutation
from tests.fuzz.targets.messages import federations
from tests.pki import registration_of
from tests.settings_files import CLIENT, MINIMAL, SERVICE_HEAD, SERVICE_SQL

# --- settings --------------------------------------------------------------------------------------------------------


@cache
def _folder() -> Path:
    kept = tempfile.TemporaryDirectory(prefix="settings-")
    _KEPT.append(kept)
    return Path(kept.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def run_settings(octets: bytes) -> None:
    """The same file as adapter.toml and as service.toml. Whoever refuses it says at least one mistake."""
    path = _folder() / "settings.toml"
    path.write_bytes(octets)
    refused = []
    for load in (load_settings, load_service_settings):
        try:
            load(path)
        except SettingsInvalid as error:
            refused.append(error)
    if len(refused) == 2:
        raise refused[0]


_CONTEXT = """\
[client.context]
namespaces = { p = "urn:p" }
purpose = "benefit"
subject_pinfl = "p:Pinfl"
"""


def _every_setting() -> bytes:
    """The file that `adapter init` writes, with its commented keys live."""
    text = adapter_toml(MemberId.parse("UZ/GOV/200000001"), directory="https://d.example/", anchor=Path("a.vkey"))
    return "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines()).encode()


SETTINGS = Target(
    name="settings",
    what="adapter.toml and service.toml",
    run=run_settings,
    may_raise=(SettingsInvalid,),
    seeds=lambda: [(SERVICE_HEAD + SERVICE_SQL).encode(), (MINIMAL + CLIENT + _CONTEXT).encode(), _every_setting()],
    mutate=octet_mutation(
        b"[a.b]", b"[[client]]", b"a.b.c = 1", b"= 0x" + b"f" * 5000, b"= [", b"= {", b"= 1979-05-27T07:32:00Z",
        b'"""', b"= inf", b"= nan", b"= true", b"\\u0000", b"\\ud800", b"[" * 3000, b"{a=" * 600, b"a." * 2000,
        b"(" * 300, b"//*[", b"count(", b"= -1", b"= 99999999999999999999", b"[client.context]", b"../../", b"= 1e400",
    ),
    max_bytes=8 * 1024,
)  # fmt: skip


# --- the directory ---------------------------------------------------------------------------------------------------


def run_directory(octets: bytes) -> None:
    """A document that the authority really signed, whatever it says. One that is read comes back when it is written."""
    federation = federations()["p256"]
    expires = datetime(2026, 4, 1, 10, tzinfo=UTC)
    proof = federation.repository.signed(octets, version=1, expires=expires)
    refused = None
    try:
        parse_directory(octets)
    except DirectoryRefused as error:
        refused = error
    try:
        authenticate_directory(proof, federation.anchor)
    except DirectoryRefused:
        pass
    else:
        if refused is not None:
            raise AssertionError("a directory that is refused unsigned was taken signed")
    if refused is not None:
        raise refused
    draft = read_draft(octets)
    if read_draft(render_directory(draft)) != draft:
        raise AssertionError("a directory that is written again says something else")


def _directories() -> list[bytes]:
    return [render_directory(federation.draft()) for federation in federations().values()]


DIRECTORY = Target(
    name="directory",
    what="directory.xml, unsigned and signed by the authority",
    run=run_directory,
    may_raise=(DirectoryRefused, DirectoryExpired),
    seeds=_directories,
    mutate=xml_mutation(octet_mutation(b"https://a.example/peer", b"MII", b'critical="true"', b"UZ/GOV/200000001")),
    max_bytes=48 * 1024,
)


def run_registration(octets: bytes) -> None:
    """What an agency hands in."""
    registration = read_registration(octets)
    again = read_registration(render_registration(registration))
    # The order of services says nothing; a rendering has one of its own.
    if replace(again, services=()) != replace(registration, services=()) or sorted(map(str, again.services)) != sorted(
        map(str, registration.services)
    ):
        raise AssertionError("a registration that is written again says something else")


REGISTRATION = Target(
    name="registration",
    what="registration.xml of an agency",
    run=run_registration,
    may_raise=(DirectoryRefused,),
    seeds=lambda: [
        render_registration(registration_of(member))
        for one in federations().values()
        for member in one.members.values()
    ][:4],
    mutate=xml_mutation(),
    max_bytes=16 * 1024,
)

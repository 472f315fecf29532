"""A folder of one's own, the command as a function, and an adapter's home that is in order."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.cli import doctor_checks
from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.own_record import record_signer
from adapter.crypto.note import NoteSigner
from adapter.hardening import Protection
from adapter.store.keyfiles import KeyPurpose, save_private_key
from tests.adapter_home import write_register
from tests.command_line import typed
from tests.pki import Federation
from tests.unit.cli.dialogue import Run
from tests.unit.cli.office import ACTS, NAMES, Office, write_rule
from tests.unit.cli.trust_scene import Scene, build, copied

PROTECTED = (
    Protection(what="core dumps", found="off: no core file, not dumpable"),
    Protection(what="swap", found="this machine has none"),
)
"""What doctor finds on a machine without swap; the tests' own process can be dumped."""
_ENVIRONMENT = ("ADAPTER_SETTINGS", "ADAPTER_DEBUG", "ADAPTER_LANGUAGE", "LANG", "COLUMNS", "FORCE_COLOR")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `adapter` in this process, in tmp_path, with nothing of the caller's environment."""
    monkeypatch.chdir(tmp_path)
    for variable in _ENVIRONMENT:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LOGNAME", "officer")
    roomy = SimpleNamespace(total=1 << 40, used=0, free=1 << 40)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: roomy)  # what is said of it is not this machine's
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 4096))  # not this machine's
    monkeypatch.setattr(doctor_checks, "protections", lambda: PROTECTED)
    return typed


@pytest.fixture(scope="session")
def todays_federation() -> Federation:
    """The members whose keys are in `prepared`, as of now."""
    return Federation.build(now=datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, todays_federation: Federation) -> Path:
    """fed/: a signed directory with its CAs and members' keys; register/: the population register's adapter."""
    folder = tmp_path_factory.mktemp("prepared")
    todays_federation.write(folder / "fed")
    settings = write_register(folder, todays_federation)
    assert record_signer(settings).vkey == todays_federation.population.record_signer.vkey
    return folder


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Path:
    """A copy of all that, to be changed."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def authority(run: Run, place: Path) -> AuthorityFolder:
    """An authority's folder with an empty draft."""
    arguments = ["--instance", "UZ", "--signing-ca", "fed/signing-ca.pem", "--tls-ca", "fed/tls-ca.pem"]
    assert run("authority", "init", "authority", "--make-officers", "3", *arguments).code == 0
    return AuthorityFolder(path=place / "authority")


@pytest.fixture
def vkeys(place: Path) -> list[str]:
    """Three officers with keys in the working folder, of whom the settings know all."""
    found = []
    for name in NAMES:
        private = Ed25519PrivateKey.generate()
        save_private_key(place / f"{name}.key", private, KeyPurpose.OFFICER)
        found.append(NoteSigner(name, private).vkey)
    write_rule(place, ACTS, found)
    return found


@pytest.fixture
def office(run: Run, place: Path, vkeys: list[str]) -> Office:
    assert len(vkeys) == len(NAMES)
    return Office(run, place)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A working installation, with the keys of everybody who could do something wrong to it."""
    return build(tmp_path_factory.mktemp("installation"))


@pytest.fixture
def scene(installation: Scene, tmp_path: Path, run: Run) -> Scene:
    """A copy of it, to be spoilt."""
    return copied(installation, tmp_path, run)

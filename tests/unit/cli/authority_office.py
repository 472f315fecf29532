"""Three officers with keys on machines of their own, as commands see them, and the stick that goes round."""

from __future__ import annotations

from pathlib import Path

from adapter.cli.authority_folder import AuthorityFolder
from tests.command_line import shown, typed

CAS = ("--instance", "UZ", "--signing-ca", "fed/signing-ca.pem", "--tls-ca", "fed/tls-ca.pem")
NAMES = ("karimova", "saidov", "usmonov")


def done(*words: object) -> str:
    """A command of `adapter authority` that has to succeed."""
    return shown("authority", *words)


def said_besides(*words: object) -> str:
    """What a command that succeeds says beside its result."""
    did = typed("authority", *words)
    assert did.code == 0, did
    return " ".join(did.err.split())


def founded(place: Path) -> AuthorityFolder:
    """An authority that never sees its officers' keys; its first root is published, and nothing else."""
    for name in NAMES:
        (place / name).mkdir()
        done("officer-key", place / name / "own.key")
    officers = [word for name in NAMES for word in ("--officer", f"{name}={place / name / 'own.pem'}")]
    done("init", "authority", *CAS, *officers)
    home = AuthorityFolder(path=place / "authority")
    signed(home, "karimova", "usmonov", first=True)
    done("publish", "authority")
    return home


def requested(home: AuthorityFolder) -> Path:
    """What is carried to the officers."""
    stick = home.path.parent / "stick"
    stick.mkdir(exist_ok=True)
    done("request", home.path, "-o", stick / "request.zip", "--yes")
    return stick / "request.zip"


def signed(home: AuthorityFolder, *names: str, first: bool = False) -> str:
    """The stick goes round: request, a signature on each machine, merge."""
    place, request = home.path.parent, requested(home)
    known = ("--first",) if first else ("--anchor", home.anchor_file)
    said = ""
    for name in names:
        key = ("--key", place / name / "own.key")
        said = done("sign", request, *key, *known, "--yes", "-o", request.parent / f"{name}.signatures")
    done("merge", home.path, *(request.parent / f"{name}.signatures" for name in names))
    return said

"""A real adapter as the unit confines it: nothing can be written but its data folder, and what it asks of the kernel.

Twice: once in a mount namespace in which everything else is read-only, where it has to work; once under strace, where
what it did is held against the lines of deploy/adapter.service.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapter import hardening
from examples.federation import federation as federations
from examples.federation.home import Home
from tests.adapters.exchanges import verified_size
from tests.adapters.small_federation import ask, fresh_pinfl, member_plan, running
from tests.adapters.stub_system import StubSystem

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(300)]

READ_ONLY = Path(__file__).with_name("read_only.py")
UNIT = Path(__file__).resolve().parents[2] / "deploy" / "adapter.service"
UNSHARE, STRACE, ANALYZE = (shutil.which(program) for program in ("unshare", "strace", "systemd-analyze"))
OPENED = re.compile(r'\bopen(?:at)?\((?:[^",]+, )?"(?P<path>[^"]*)", [^)]*\bO_(?:WRONLY|RDWR|CREAT|TRUNC)')
CHANGED = re.compile(
    r"\b(?:creat|mkdir|unlink|rename|chmod|chown|lchown|fchmodat|truncate|symlink|link|mknod|utimensat)[a-z0-9]*"
    r'\([^"]*"(?P<path>[^"]*)"'
)
FAILED = re.compile(r" = -1 E[A-Z]+ \(|\) += \? ")
CALLED = re.compile(r"^\d+ +(?:<\.\.\. )?([a-z][a-z0-9_]+)(?:\(| resumed>)")
ALSO_WRITTEN = {"/dev/null"}
ASKED_AS_ROOT = {"fchown", "chown"}
"""SQLite gives a new file to the owner of the database, but only when it runs as root; the unit does not."""


@dataclass(frozen=True, kw_only=True)
class Confined:
    """What is left of an adapter that served and ended. trace: the lines of strace, empty without it."""

    home: Home
    trace: tuple[str, ...]
    log: str


def serving_by(folder: Path, wrapper: str) -> Iterator[Confined]:
    """Two adapters, asking each other; both are started by way of the shell line, in which "$@" serves."""
    folder.mkdir()
    program = folder / "adapter"
    program.write_text(f"#!/bin/sh\nexport PYTHONDONTWRITEBYTECODE=1\ncommand={federations.ADAPTER}\n{wrapper}\n")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch, StubSystem() as system:
        patch.setattr(federations, "ADAPTER", str(program))
        one = member_plan(1, "one", suite="p256", system=system, workers=2)
        with running(folder / "federation", one, member_plan(2, "two", suite="p256", system=system)) as federation:
            mine, other = federation.homes["one"], federation.homes["two"]
            for consumer, provider in ((mine, other), (other, mine)):
                pinfl = fresh_pinfl()
                assert ask(consumer, provider, pinfl).code == "answered"
                assert system.asked[pinfl] == 1
    traces = sorted(folder.glob("one.trace*"))
    yield Confined(
        home=mine,
        trace=tuple(line for file in traces for line in file.read_text(errors="replace").splitlines()),
        log=(folder / "federation" / "logs" / "one.log").read_text(),
    )


# --- everything else is read-only -------------------------------------------------------------------------------------


@functools.cache
def why_no_namespace() -> str:
    """Empty when this machine lets the tests have a mount namespace of their own."""
    if UNSHARE is None:
        return "unshare is not here (Debian: package util-linux)"
    tried = subprocess.run(
        [UNSHARE, "-rm", sys.executable, READ_ONLY, "/proc", "true"], capture_output=True, text=True, check=False
    )
    return tried.stderr.strip().rpartition("\n")[2] if tried.returncode else ""


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    if why := why_no_namespace():
        pytest.skip(f"no read-only mount namespace: {why}")
    inside = f'{UNSHARE} -rm {sys.executable} {READ_ONLY} "$3/data"'
    wrapper = f'[ "$1" = serve ] || exec $command "$@"\nexec {inside} $command "$@"'
    yield from serving_by(tmp_path_factory.mktemp("confined") / "read-only", wrapper)


def test_namespace_is_read_only_but_for_one_folder(tmp_path: Path) -> None:
    """The test below shows something only if this one holds."""
    if why := why_no_namespace():
        pytest.skip(f"no read-only mount namespace: {why}")
    (tmp_path / "data").mkdir()
    script = f"cd {tmp_path}; : > data/written; for it in . /tmp; do mktemp -p $it || echo refused; done"
    inside = [UNSHARE or "", "-rm", sys.executable, str(READ_ONLY), str(tmp_path / "data"), "sh", "-c", script]
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["refused", "refused"]
    assert "Read-only file system" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "written"]


def test_it_works_where_only_its_data_folder_can_be_written(read_only: Confined) -> None:
    """ProtectSystem=strict and ReadWritePaths of the unit take away nothing that is needed, not even /tmp."""
    assert verified_size(read_only.home) > 0
    assert "Read-only file system" not in read_only.log
    assert "Traceback" not in read_only.log


# --- what it asks of the kernel ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    if STRACE is None:
        pytest.skip("strace is not here (Debian: package strace)")
    if os.geteuid() != 0:
        pytest.skip("only root can follow a process that is not dumpable")
    folder = tmp_path_factory.mktemp("confined") / "traced"
    follow = f"{STRACE} -f -y -s 300 -o {folder}/one.trace $command"
    wrapper = f'case "$1 $3" in "serve "*/one) exec {follow} "$@";; *) exec $command "$@";; esac'
    yield from serving_by(folder, wrapper)


def test_nothing_is_written_outside_the_data_folder(traced: Confined) -> None:
    done = (line for line in traced.trace if not FAILED.search(line))
    written = {found["path"] for line in done if (found := OPENED.search(line) or CHANGED.search(line))}
    inside = {path for path in written if path.startswith(f"{traced.home.folder}/data/")}
    assert any(path.endswith("adapter.sqlite") for path in inside), "the tracer saw nothing"
    assert written - inside - ALSO_WRITTEN == set()


def test_core_dumps_are_off_before_a_key_is_read(traced: Confined) -> None:
    off = next(at for at, line in enumerate(traced.trace) if "PR_SET_DUMPABLE, SUID_DUMP_DISABLE" in line)
    keys = [at for at, line in enumerate(traced.trace) if "open" in line and f"{traced.home.folder}/keys/" in line]
    assert keys
    assert off < keys[0]


def test_memory_is_locked_in_each_process(traced: Confined) -> None:
    locked = {line.split()[0] for line in traced.trace if re.search(r"\bmlockall\b.* = 0$", line)}
    if not locked and not hardening.may_lock_memory():
        pytest.skip("there is a limit on locked memory here, and no right to go past it")
    assert len(locked) == 1 + traced.home.plan.workers


def test_what_it_made_is_for_the_owner_alone(traced: Confined) -> None:
    """SQLite and the spool make files while it serves; without its own umask others could read them."""
    made = [*(traced.home.folder / "data").rglob("*")]
    assert {path.name for path in made} >= {"adapter.sqlite", "spool", "directory"}
    open_to_others = [path for path in made if path.stat().st_mode & 0o077]
    public = traced.home.folder / "data" / "directory"  # what the authority publishes anyway
    assert [path for path in open_to_others if public not in path.parents] == []


def test_no_memory_is_writable_and_executable(traced: Confined) -> None:
    """MemoryDenyWriteExecute=yes of the unit stops nothing that is needed."""
    mapped = [line for line in traced.trace if re.search(r"\b(?:mmap|mprotect|pkey_mprotect)\(", line)]
    assert [line for line in mapped if "PROT_EXEC" in line]
    assert [line for line in mapped if "PROT_WRITE|PROT_EXEC" in line] == []


def test_address_families_are_those_of_the_unit(traced: Confined) -> None:
    asked = {found[1] for line in traced.trace if (found := re.search(r"\bsocket\((AF_[A-Z0-9]+)", line))}
    assert "AF_INET" in asked
    assert asked <= set(setting("RestrictAddressFamilies"))


def test_system_calls_are_those_of_the_unit(traced: Confined) -> None:
    if ANALYZE is None:
        pytest.skip("systemd-analyze is not here (Debian: package systemd)")
    called = {found[1] for line in traced.trace if (found := CALLED.match(line))}
    assert {"openat", "prctl", "execve"} <= called
    assert called - allowed_calls(*setting("SystemCallFilter")) - ASKED_AS_ROOT == set()


def setting(key: str) -> list[str]:
    """The words of one key of the unit, over all its lines."""
    return " ".join(re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)).split()


def allowed_calls(*filters: str) -> set[str]:
    """The system calls that are left by SystemCallFilter=; a filter that begins with ~ takes away."""
    allowed: set[str] = set()
    for one in filters:
        if one.startswith("~"):
            allowed -= members(one.removeprefix("~"))
        else:
            allowed |= members(one)
    return allowed


@functools.cache
def members(name: str) -> frozenset[str]:
    """The system calls of one set of systemd, with those of the sets that it names."""
    shown = subprocess.run(
        [ANALYZE or "", "--no-pager", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    words = [line.strip() for line in shown[1:] if line.strip() and not line.strip().startswith("#")]
    return frozenset().union(*(members(word) if word.startswith("@") else {word} for word in words))

"""What a process gives up before it holds a key; tried in processes of their own, because it cannot be taken back."""

from __future__ import annotations

import resource
import subprocess
import sys

from adapter import hardening
from adapter.hardening import protections


def said_by(program: str) -> str:
    start = "import os, resource; from adapter.hardening import *\n"
    done = subprocess.run([sys.executable, "-c", start + program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_core_dumps_are_off_here_and_in_what_is_forked() -> None:
    program = "\n".join(  # noqa: FLY002  one statement a line
        (
            "forbid_core_dumps()",
            "if os.fork(): os.wait()",
            "else: print(protections()[0].found, resource.getrlimit(4))",
        )
    )
    assert said_by(program) == "off: no core file, not dumpable (0, 0)"


def test_a_limit_alone_is_not_enough() -> None:
    assert said_by("resource.setrlimit(4, (0, 0)); print(protections()[0].holds)") == "False"


def test_files_are_for_the_owner() -> None:
    assert said_by("keep_files_private(); print(oct(os.umask(0)))") == "0o77"


def test_memory_is_locked_or_it_is_said_that_it_is_not() -> None:
    assert said_by("print(lock_memory() == (protections()[1].found == 'memory is locked'))") == "True"


class _C:
    """The calls of the C library, as they were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def munlockall(self) -> int:
        self.asked.append("munlockall")
        return 0

    def malloc_trim(self, _pad: int) -> int:
        self.asked.append("malloc_trim")
        return 1

    def mlockall(self, _flags: int) -> int:
        self.asked.append("mlockall")
        return 0


def test_a_lock_that_could_not_be_put_on_again_is_not_let_go(monkeypatch) -> None:
    """A process may have lost the right to lock since it did."""
    for limit, expected in (
        (8 << 20, ["malloc_trim"]),
        (resource.RLIM_INFINITY, ["munlockall", "malloc_trim", "mlockall"]),
    ):
        library = _C()
        monkeypatch.setattr(hardening, "_C", library)
        monkeypatch.setattr(hardening, "_status", lambda key: "0000000000000000" if key == "CapEff" else "8 kB")
        monkeypatch.setattr(resource, "getrlimit", lambda _which, limit=limit: (limit, limit))
        hardening.give_back_memory()
        assert library.asked == expected


def test_below_a_limit_memory_is_not_locked(monkeypatch) -> None:
    """Past the limit, memory that is taken later would not come."""
    monkeypatch.setattr(hardening, "_status", lambda key: "0000000000000000" if key == "CapEff" else "0 kB")
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (8 << 20, 8 << 20))
    monkeypatch.setattr(hardening, "_read", lambda _path: "Filename\n/dev/sda2 partition\n")
    assert not hardening.lock_memory()
    assert "LimitMEMLOCK=infinity" in protections()[1].mend

"""A member of the federation without an adapter: Apache CXF and WSS4J in one Java process that takes commands."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.stacks import build, java_classpath, java_missing

SOURCES = Path(__file__).parent / "cxf"
PASSWORD = "password-of-the-key-stores"
_WAIT_S = 120


def missing() -> str | None:
    """What is not on this machine."""
    return java_missing()


def version() -> str:
    """As the pom.xml fixes it."""
    found = re.search(r"<cxf.version>(.+)</cxf.version>", (SOURCES / "pom.xml").read_text())
    return f"Apache CXF {found[1] if found else '?'} with WSS4J and Santuario as it brings them"


@dataclass(frozen=True, kw_only=True)
class JavaPeer:
    """The running process. greeting: which versions it says it is made of."""

    process: subprocess.Popen[str]
    folder: Path
    greeting: str

    def command(self, verb: str, name: str, settings: Mapping[str, object]) -> str:
        """Let it do something; `ok`, or `failed` and why. name: of the file of settings; it stays for `stop`."""
        file = self.folder / f"{name}.properties"
        file.write_text("".join(f"{key}={_escaped(value)}\n" for key, value in settings.items()))
        return self._say(f"{verb} {file}")

    def stop(self, name: str) -> str:
        """End what `serve` began under this name."""
        return self._say(f"stop {self.folder / name}.properties")

    def _say(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def _escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\")


@contextmanager
def running(folder: Path) -> Iterator[JavaPeer]:
    """Compile the sources, start the process, end it whatever happens."""
    jars = java_classpath("cxf-peer", SOURCES / "pom.xml")
    sources = map(str, sorted((SOURCES / "src").rglob("*.java")))
    build("javac", "-nowarn", "-d", str(folder / "classes"), "-cp", jars, *sources, cwd=folder)
    command = ("java", "-XX:TieredStopAtLevel=1", "-cp", f"{folder / 'classes'}:{jars}", "peer.Peer")
    with (folder / "java.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        yield JavaPeer(process=process, folder=folder, greeting=process.stdout.readline().strip())
        assert process.stdin is not None
        process.stdin.close()
        process.wait(_WAIT_S)
    finally:
        process.kill()
        process.wait()

"""The foreign stacks: whether one is on this machine, in which version, and how its two clients are made.

The programs of all stacks have the same contract. `client`: options, the WSDL's address, a PINFL; on standard output it
says `surname:` and `born:` of an answer, or `code:`, `retry:`, `incident:`, `text:` of a fault. `documents`: the WSDL's
address and a file to send; it says `received:`, the SHA-256 of the file that came back.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import zeep

from examples.federation.federation import CHECKOUT

HERE = Path(__file__).parent
_FETCHED = CHECKOUT / "var" / "interop"
_BUILD_TIMEOUT_S = 300
_CALL_TIMEOUT_S = 120
_MAVEN_PLUGIN = "3.8.1"

Prepare = Callable[[Path, str, str], Sequence[str]]
"""(an empty folder to build in, the address of the WSDL, the program's name) to the command that runs it."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One foreign stack. missing: what is not there, or None. version: of all that takes part; asked only if it is."""

    missing: Callable[[], str | None]
    version: Callable[[], str]
    prepare: Prepare

    def found(self) -> str:
        """The version, or why there is none."""
        absent = self.missing()
        return f"not here: {absent}" if absent else self.version()


def need(stack: Stack) -> None:
    """Skip the test where the stack is not on this machine."""
    if absent := stack.missing():
        pytest.skip(absent)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a client printed. exit_code: 0 answered, 1 a fault."""

    exit_code: int
    lines: Mapping[str, str]
    complaint: str


def call(command: Sequence[str], *arguments: str) -> Said:
    """Run a client once."""
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=_CALL_TIMEOUT_S, check=False)
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    return Said(exit_code=done.returncode, lines=lines, complaint=done.stderr)


def build(*command: str, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """A step of making a client, which must succeed. environment: added to ours. Its standard output."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)[:300]}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def fetched(name: str, pinned: Sequence[Path], *command: str) -> Path:
    """The folder into which a package manager fetched what the pinned files name; fetched again when they change.

    Skips the test where the packages cannot be had.
    """
    _FETCHED.mkdir(parents=True, exist_ok=True)
    with (_FETCHED / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process of this test run may want the same
        return _fetched(name, pinned, command)


def _fetched(name: str, pinned: Sequence[Path], command: Sequence[str]) -> Path:
    folder = _FETCHED / name
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in pinned)).hexdigest()
    ready = folder / "ready"
    if ready.is_file() and ready.read_text() == stamp:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in pinned:
        shutil.copy(path, folder)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        pytest.skip(f"the packages of {name} cannot be fetched: {''.join(last)[:200]}")
    ready.write_text(stamp)
    return folder


def no_program(*names: str) -> str | None:
    """Which of these programs is not on this machine."""
    absent = [name for name in names if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed" if absent else None


def says(*command: str) -> str:
    """The first line that a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_CALL_TIMEOUT_S, check=False)
    return (done.stdout.strip() or done.stderr.strip()).partition("\n")[0]


# --- PHP, Perl, Python ------------------------------------------------------------------------------------------------


def _script(interpreter: str, folder: str, suffix: str) -> Prepare:
    """A stack whose programs need no making."""
    return lambda _folder, _wsdl, program: (interpreter, str(HERE / folder / f"{program}{suffix}"))


def _php_missing() -> str | None:
    if absent := no_program("php"):
        return absent
    return None if says("php", "-r", "echo class_exists('SoapClient');") == "1" else "php has no SoapClient (php-soap)"


def _perl_missing() -> str | None:
    if absent := no_program("perl"):
        return absent
    has = says("perl", "-MSOAP::Lite", "-MMIME::Entity", "-e", "print 1") == "1"
    return None if has else "perl has no SOAP::Lite, or no MIME::Entity"


# --- Node -------------------------------------------------------------------------------------------------------------


def _node(folder: Path, _wsdl: str, program: str) -> Sequence[str]:
    pinned = [HERE / "node" / name for name in ("package.json", "package-lock.json")]
    packages = fetched("node", pinned, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    (folder / "node_modules").symlink_to(packages / "node_modules")
    shutil.copy(HERE / "node" / f"{program}.mjs", folder)
    return ("node", str(folder / f"{program}.mjs"))


def _node_version() -> str:
    lock = json.loads((HERE / "node" / "package-lock.json").read_text())
    return f"Node {says('node', '--version')}, soap {lock['packages']['node_modules/soap']['version']}"


# --- gSOAP ------------------------------------------------------------------------------------------------------------


def _gsoap_missing() -> str | None:
    if absent := no_program("wsdl2h", "soapcpp2", "c++"):
        return absent
    return None if Path("/usr/include/stdsoap2.h").exists() else "libgsoap-dev not installed"


def _gsoap(folder: Path, wsdl: str, program: str) -> Sequence[str]:
    build("sh", str(HERE / "gsoap" / f"{program}.sh"), wsdl, str(HERE / "gsoap"), cwd=folder)
    return (str(folder / program),)


# --- Java -------------------------------------------------------------------------------------------------------------


def java_missing() -> str | None:
    """What of Java and Maven is not on this machine."""
    return no_program("java", "javac", "mvn")


def java_classpath(name: str, pom: Path) -> str:
    """The jars that a pom.xml names, fetched by Maven. Skips the test where they cannot be had."""
    goal = f"org.apache.maven.plugins:maven-dependency-plugin:{_MAVEN_PLUGIN}:build-classpath"
    folder = fetched(name, [pom], "mvn", "-q", "-B", goal, "-Dmdep.outputFile=classpath")
    return (folder / "classpath").read_text().strip()


def _cxf(folder: Path, wsdl: str, program: str) -> Sequence[str]:
    jars = java_classpath("cxf", HERE / "cxf" / "pom.xml")
    script = str(HERE / "cxf" / f"{program}.sh")
    build("sh", script, wsdl, str(HERE / "cxf"), cwd=folder, environment={"CLASSPATH": jars})
    return ("java", "-XX:TieredStopAtLevel=1", "-cp", f"{folder / 'classes'}:{jars}", program.capitalize())


def _cxf_version() -> str:
    found = re.search(r"<cxf.version>(.+)</cxf.version>", (HERE / "cxf" / "pom.xml").read_text())
    return f"Apache CXF {found[1] if found else '?'} on {says('java', '-version')}"


JUDGES = ("dss", "digidoc4j")
"""Programs in Java that judge evidence (test_evidence.py); each brings the libraries that its pom.xml names."""


def judge_version(name: str) -> str:
    """The version of the library that a judge is made of."""
    found = re.search(r"<\w+\.version>(.+)</\w+\.version>", (HERE / name / "pom.xml").read_text())
    return found[1] if found else "?"


# --- Go, .NET ---------------------------------------------------------------------------------------------------------


def _go(folder: Path, _wsdl: str, program: str) -> Sequence[str]:
    build("go", "build", "-o", str(folder / program), f"./{program}", cwd=HERE / "go")
    return (str(folder / program),)


def go_program(module: str, made: Path, package: str = ".") -> Path:
    """A program of a Go module of ours, or of a package that it names. Skips the test where Go's proxy is not there."""
    command = ("go", "build", "-o", str(made), package)
    done = subprocess.run(
        command, cwd=HERE / module, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False
    )
    if "proxy.golang.org" in done.stderr:
        pytest.skip("the Go module proxy is not there")
    assert done.returncode == 0, done.stderr
    return made


def _mono_missing() -> str | None:
    if absent := no_program("mono", "mcs"):
        return absent
    installed = Path("/usr/lib/mono/gac/System.ServiceModel").is_dir()
    return None if installed else "mono has no System.ServiceModel (libmono-system-servicemodel4.0a-cil)"


def _mono(folder: Path, _wsdl: str, program: str) -> Sequence[str]:
    made, source = folder / f"{program}.exe", HERE / "mono" / f"{program.capitalize()}.cs"
    build("mcs", "-r:System.ServiceModel", "-r:System.Runtime.Serialization", f"-out:{made}", str(source), cwd=folder)
    return ("mono", str(made))


# --- the table --------------------------------------------------------------------------------------------------------

STACKS: Mapping[str, Stack] = {
    "php": Stack(
        missing=_php_missing,
        version=lambda: f"PHP {says('php', '-r', 'echo PHP_VERSION;')}",
        prepare=_script("php", "php", ".php"),
    ),
    "perl": Stack(
        missing=_perl_missing,
        version=lambda: says("perl", "-MSOAP::Lite", "-e", "print qq(Perl $^V, SOAP::Lite $SOAP::Lite::VERSION)"),
        prepare=_script("perl", "perl", ".pl"),
    ),
    "node": Stack(missing=lambda: no_program("node", "npm"), version=_node_version, prepare=_node),
    "gsoap": Stack(missing=_gsoap_missing, version=lambda: f"gSOAP {says('wsdl2h', '-V')}", prepare=_gsoap),
    "cxf": Stack(missing=java_missing, version=_cxf_version, prepare=_cxf),
    "go": Stack(missing=lambda: no_program("go"), version=lambda: says("go", "version"), prepare=_go),
    "mono": Stack(missing=_mono_missing, version=lambda: says("mono", "--version"), prepare=_mono),
    "zeep": Stack(
        missing=lambda: None,
        version=lambda: f"Python {platform.python_version()}, zeep {zeep.__version__}",
        prepare=_script(sys.executable, "zeep", ".py"),
    ),
}

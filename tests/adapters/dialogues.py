"""Dialogues in README and other pages: commands with their output, read, played and compared."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from examples.federation.federation import CHECKOUT
from examples.federation.free_ports import free_ports

README = CHECKOUT / "README.md"
ELISION = "…"
MARK = "@@ command "
# The ports that adapter init writes into the settings: a test takes free ones instead.
PORTS = ("8443", "8080", "8081")
SANDBOX_PORT = "9090"


@dataclass(kw_only=True)
class Dialogue:
    """One command as README shows it, and what it shows of the output."""

    command: str
    shown: list[str]


def dialogues(heading: str, page: Path = README, *, level: str = "##") -> list[Dialogue]:
    """The dialogues of one chapter of a page: `$ ` begins a command, `> ` continues it, the rest is output.

    level: how its heading begins; a chapter ends where the next one of its level or above begins.
    """
    begun = page.read_text(encoding="utf-8").split(f"\n{level} {heading}\n")[1]
    chapter = re.split(rf"\n#{{2,{len(level)}}} ", begun)[0]
    found: list[Dialogue] = []
    for block in re.findall(r"```console\n(.*?)```", chapter, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Dialogue(command=line[2:], shown=[]))
            elif line == ">" or line.startswith("> "):
                found[-1].command += "\n" + line[2:]
            else:
                found[-1].shown.append(line)
    return found


def masked(line: str) -> str:
    """A line without what is another at each run: numbers, ids, words that random letters make, widths of columns."""
    line = re.sub(
        r"urn:uuid:[0-9a-f-]{36}|rule-[0-9a-f]{8}|\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b|\b[0-9A-Z]{5}-[0-9A-Z]{5}\b",
        "#",
        line,
    )
    return " ".join(re.sub(r"[0-9]+", "#", line).split())


def assert_shown(shown: list[str], printed: list[str]) -> None:
    """Every line that the page shows was printed, in this order; an elision stands for any lines, and nothing else."""
    rest = [masked(line) for line in printed if line.strip()]
    elided = False
    for line in (line for line in shown if line.strip()):
        if line == ELISION:
            elided = True
            continue
        wanted = masked(line)
        assert wanted in rest, f"the page shows {line!r}; what was printed from there on:\n" + "\n".join(rest)
        at = rest.index(wanted)
        assert elided or at == 0, f"the page shows {line!r}, but before it was printed:\n" + "\n".join(rest[:at])
        rest, elided = rest[at + 1 :], False
    assert elided or not rest, "the page does not show:\n" + "\n".join(rest)


def play(played: list[Dialogue], place: Path) -> list[tuple[Dialogue, list[str]]]:
    """Run the commands one after the other in one shell; each with the lines that it printed.

    place: the folder that they are typed in, shown as an elision where it is printed.
    """
    done = subprocess.run(
        ["bash", "-c", script(played)],
        cwd=place,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    outputs = done.stdout.replace(str(place), ELISION).split(MARK)[1:]
    assert len(outputs) == len(played), done.stdout
    return [(one, output.splitlines()[1:]) for one, output in zip(played, outputs, strict=True)]


def script(played: list[Dialogue]) -> str:
    """One shell for all, because README's commands share variables; stopped with all that it started."""
    lines = ["trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT"]
    *free, sandbox = free_ports(len(PORTS) + 1)
    ports = dict(zip(PORTS, free, strict=True))
    for number, one in enumerate(played):
        command = one.command
        for usual, taken in {**ports, SANDBOX_PORT: sandbox}.items():
            command = command.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{taken}")
        command = command.replace(f"--port {SANDBOX_PORT}", f"--port {sandbox}")
        lines += [f"echo '{MARK}{number}'", command]
        if command.startswith("adapter init "):
            lines += [
                f"sed -i 's/^# port = {usual}$/port = {taken}/' var/pension/adapter.toml"
                for usual, taken in ports.items()
            ]
    return "\n".join(lines)

"""`--help` at every level, the page that is made of it, and completion."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.cli.main import COMMANDS
from scripts.cli_page import all_commands, cli_page, help_of
from tests.command_line import typed

EVERY = pytest.mark.parametrize("command", all_commands(), ids=lambda command: " ".join(command) or "adapter")
NEEDS_JSON = {"log verify", "log list", "log show", "keys list", "service list", "access list", "access explain",
              "doctor", "call", "validate", "evidence verify", "evidence export", "directory show", "init"}  # fmt: skip


@EVERY
def test_help_reads_well(command: list[str]) -> None:
    shown = typed(*command, "--help")
    assert shown.code == 0
    assert shown.err == ""
    assert f"Usage: adapter {' '.join(command)}".strip() in shown.out
    assert shown.out.isprintable() or "\n" in shown.out
    assert "`--" not in shown.out.replace("`--help`", "")


@EVERY
def test_every_command_that_does_something_has_an_example(command: list[str]) -> None:
    shown = help_of(command)
    is_group = len(command) < 2 and "Commands" in shown
    if not is_group:
        assert f"adapter {' '.join(command)}" in shown.rpartition("╯")[2]


@EVERY
def test_an_example_has_only_options_that_the_command_takes(command: list[str]) -> None:
    shown, _, example = help_of(command).rpartition("╯")
    known = set(re.findall(r"(?<![\w-])--?[a-z0-9][a-z0-9-]*", shown))
    if command:  # the outermost one's is of another command
        assert set(re.findall(r"(?<=\s)--?[a-z][a-z0-9-]*", example)) <= known


def test_a_table_of_the_settings_is_named_in_a_help() -> None:
    assert "at the CA of [acme], and" in " ".join(help_of(["keys", "renew"]).split())
    assert "([keys] spread_s)" in " ".join(help_of(["keys", "activate"]).split())
    assert "at the CA of [acme]" in " ".join(help_of(["keys"]).replace("│", " ").split())


def test_what_a_script_may_read_is_to_be_had_as_json() -> None:
    assert {command for command in NEEDS_JSON if "--json" not in help_of(command.split())} == set()


def test_the_page_says_what_the_commands_say(root: Path) -> None:
    assert (root / "docs" / "cli.md").read_text(encoding="utf-8") == cli_page(), "run: make docs"


def test_without_anything_the_help_comes() -> None:
    for arguments in ([], ["keys"], ["log"]):
        assert "Usage:" in typed(*arguments).out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("adapter ", set(COMMANDS)),
        (
            "adapter keys ",
            {"create", "list", "csr", "import", "import-p12", "export", "activate", "rotate", "retire", "revoke"}
            | {"renew", "destroy", "backup", "restore"},
        ),
        ("adapter di", {"directory"}),
    ],
)
def test_completion(line: str, offered: set[str]) -> None:
    """What bash asks when somebody presses the tabulator key."""
    words = line.split(" ")
    environment = {"_ADAPTER_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    program = "import sys; from adapter.cli.main import run; sys.argv = ['adapter']; run()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert set(done.stdout.split()) == offered


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in help_of([])

"""A folder of one's own, and the command as a function."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.cli.failures import run_guarded
from adapter.cli.main import app
from tests.unit.cli.dialogue import Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `adapter` in this process, in tmp_path, with nothing of the caller's environment."""
    monkeypatch.chdir(tmp_path)
    for variable in ("ADAPTER_SETTINGS", "ADAPTER_DEBUG", "ADAPTER_LANGUAGE", "LANG", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("sys.argv", ["adapter"])

    def typed(arguments: list[str]) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = run_guarded(lambda: app(arguments, prog_name="adapter"), arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return typed

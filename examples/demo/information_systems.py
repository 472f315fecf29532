"""The information systems behind the adapters: the population register's database and the cadastre's SOAP server."""

from __future__ import annotations

import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from examples.federation.federation import CHECKOUT
from examples.federation.processes import Processes, answers

_SYSTEM: Final = "cadastre-system"
_GENERATOR: Final = "population-database"
_SLOW_S: Final = 30
_GENERATION_TIMEOUT_S: Final = 300


@dataclass(frozen=True, kw_only=True)
class CadastreSystem:
    """The cadastre's own server, a process of its own, and the switch that makes it misbehave."""

    processes: Processes
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Where it takes SOAP requests."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def wsdl_folder(self) -> Path:
        """Where `save_wsdl` puts its WSDL."""
        return self.folder / "wsdl"

    def launch(self) -> None:
        """Start it, without waiting for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.behave("ok")
        command = [sys.executable, "-m", "examples.cadastre", "--port", str(self.port), "--slow-s", str(_SLOW_S)]
        self.processes.start(_SYSTEM, [*command, "--mode-file", str(self._mode_file)], cwd=CHECKOUT)

    def wait_ready(self) -> None:
        """Wait until it answers. Raises NotStarted."""
        self.processes.wait_until(_SYSTEM, lambda: answers(f"{self.url}?wsdl"))

    def stop(self) -> None:
        """Stop it: from now on nobody listens there."""
        self.processes.stop(_SYSTEM)

    def behave(self, mode: str) -> None:
        """From now on: `ok`, `slow`, `nonsense` or `fault`."""
        self._mode_file.write_text(mode, encoding="utf-8")

    def save_wsdl(self) -> None:
        """Read its WSDL as an integrator does, and keep it for `service add`."""
        self.wsdl_folder.mkdir(exist_ok=True)
        with urllib.request.urlopen(f"{self.url}?wsdl", timeout=30) as response:  # noqa: S310  http on loopback
            (self.wsdl_folder / "cadastre.wsdl").write_bytes(response.read())

    @property
    def _mode_file(self) -> Path:
        return self.folder / "mode.txt"


def launch_generator(processes: Processes, database: Path, *, people: int) -> None:
    """Begin to make the population register's database, in a process of its own."""
    database.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "examples.population.generate", str(database), "--people", str(people)]
    processes.start(_GENERATOR, [*command, "--sample", "0"], cwd=CHECKOUT)


def wait_generated(processes: Processes) -> None:
    """Wait until the database is complete. Raises RuntimeError with the end of the generator's log."""
    generator = processes[_GENERATOR]
    if generator.process.wait(_GENERATION_TIMEOUT_S):
        raise RuntimeError(f"the population's database could not be made:\n{generator.tail()}")
    processes.stop(_GENERATOR)

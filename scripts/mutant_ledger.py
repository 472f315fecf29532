"""What was found out so far, on disk, so that a long run can be stopped, and survivors tried against new tests.

Only the killed are remembered, each for exactly the module's text. A test that is taken away or weakened is not
noticed by this: for figures that are to be stated, begin with an empty file whenever tests were changed otherwise than
by adding some.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from scripts.mutant_trials import KILLED, Case


class Ledger:
    """The killed mutants of earlier runs and of this one; a process that was forked adds to the same file."""

    def __init__(self, path: Path | None) -> None:
        """path: a line for each; None to remember nothing."""
        self._path = path
        self._killed = set(path.read_text().split()) if path is not None and path.exists() else set()

    def has(self, case: Case) -> bool:
        """Whether this mutant was killed before."""
        return _name(case) in self._killed

    def note(self, case: Case, verdict: str) -> None:
        """Remember it if it was killed."""
        if self._path is not None and verdict == KILLED:
            with self._path.open("a") as file:
                file.write(f"{_name(case)}\n")


def _name(case: Case) -> str:
    mutant = case.mutant
    place = f"{case.target.name} {mutant.start} {mutant.end} {mutant.text} "
    return sha256(place.encode() + case.target.source).hexdigest()

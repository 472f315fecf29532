"""`python -m examples.demo`: the demonstration with options for tests; `adapter demo` is the same without them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from examples.demo.scenario import FOLDER, PEOPLE, run


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Three agencies exchange data, and everything that must be refused.")
    parser.add_argument("--keep", action="store_true", help="leave the federation up, and say how to call it")
    parser.add_argument("--people", type=int, default=PEOPLE, help="people in the population register")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to build it; made anew")
    arguments = parser.parse_args()
    sys.exit(run(keep=arguments.keep, folder=arguments.folder.absolute(), people=arguments.people))


if __name__ == "__main__":
    main()

"""Become another program that is told to stop when whoever started it is gone, however that one ended.

    python -I -S launcher.py PARENT-PID PROGRAM [ARGUMENT …]

prctl(2), PR_SET_PDEATHSIG, survives exec. It is set here, in the new process, because Python code between fork and
exec (preexec_fn) can deadlock in a parent that has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the signal, look whether the parent died before that, and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606  it is the program that the caller named


if __name__ == "__main__":
    main()

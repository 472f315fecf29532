"""Incident ids: what a person quotes, and what an operator finds the entry by."""

from __future__ import annotations

import secrets

# Without 0/O, 1/I/L and U: an id is read out over the telephone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10


def new_incident() -> str:
    """A fresh id such as `7KQ2M-XR4TB` (49 bits, random: it says nothing about how many there are)."""
    number = secrets.randbelow(len(_ALPHABET) ** _LENGTH)
    drawn = ""
    for _ in range(_LENGTH):
        number, at = divmod(number, len(_ALPHABET))
        drawn += _ALPHABET[at]
    return f"{drawn[:5]}-{drawn[5:]}"


def where(error: BaseException) -> str:
    """Function and line of the innermost frame of an error: enough to find a defect, and no value of any variable."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"

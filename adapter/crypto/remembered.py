"""What a function says of an object that does not change, remembered by the object itself.

`functools.lru_cache` would look a certificate up by its value, and hash all of its octets each time that it is asked:
that took longer than most of what was to be spared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

_Subject = TypeVar("_Subject")
_Answer = TypeVar("_Answer")


def remembered(max_subjects: int) -> Callable[[Callable[[_Subject], _Answer]], Callable[[_Subject], _Answer]]:
    """For functions of one immutable object. What raises is asked again. May be shared between threads.

    max_subjects: with so many remembered, all are forgotten: objects that are asked about again are few.
    """

    def decorate(function: Callable[[_Subject], _Answer]) -> Callable[[_Subject], _Answer]:
        # The subject is held with its answer: as long as it is here, no other object can have its identity.
        known: dict[int, tuple[_Subject, _Answer]] = {}

        @wraps(function)
        def ask(subject: _Subject) -> _Answer:
            found = known.get(id(subject))
            if found is not None:
                return found[1]
            answer = function(subject)
            if len(known) >= max_subjects:
                known.clear()
            known[id(subject)] = (subject, answer)
            return answer

        return ask

    return decorate

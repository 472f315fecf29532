"""Reading the files of a container: whatever is wrong with one of them is said with its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from adapter.errors import AdapterError, EvidenceInvalid

_UNFIT: Final = (ValueError, TypeError, OverflowError)
"""What reading a value raises that nobody expected there; the libraries that parse for us raise ValueError too."""
_OF_ANOTHER_SHAPE: Final = (*_UNFIT, KeyError, AttributeError, RecursionError)
_Value = TypeVar("_Value")


@contextmanager
def about(file: str) -> Iterator[None]:
    """Whatever is wrong inside is wrong with this file. Raises EvidenceInvalid, as it is where it came from inside."""
    try:
        yield
    except EvidenceInvalid:
        raise
    except AdapterError as cause:
        raise EvidenceInvalid(f"{file}: {cause.reason}") from None
    except _UNFIT:
        raise EvidenceInvalid(f"{file}: cannot be read") from None


def read_json(octets: bytes, file: str, read: Callable[[Any], _Value], render: Callable[[_Value], bytes]) -> _Value:
    """What a file says as JSON, in the one form that `render` writes. octets: untrusted. Raises EvidenceInvalid.

    read: makes the value of what was parsed, and may fail as it likes where that has another shape.
    """
    try:
        value = read(json.loads(octets))
        is_in_form = render(value) == octets
    except EvidenceInvalid:
        raise
    except (AdapterError, *_OF_ANOTHER_SHAPE):
        raise EvidenceInvalid(f"{file}: cannot be read") from None
    if not is_in_form:
        raise EvidenceInvalid(f"{file}: not in the form that an export writes")
    return value

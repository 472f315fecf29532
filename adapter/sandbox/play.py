"""What the sandbox plays instead of a plain answer, written in one line that an option, a URL or a header can hold."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adapter.errors import CommandRefused

MAX_DELAY_S: Final = 600.0
MAX_TIMES: Final = 1_000_000
_MAX_TEXT_CHARS: Final = 500


class Part(Enum):
    """What is played."""

    ANSWER = "answer"
    FAULT = "fault"
    DROP = "drop"
    HALF = "half"
    NONSENSE = "nonsense"
    INVALID = "invalid"
    DOWN = "down"


MEANING: Final = {
    Part.ANSWER: "the plain answer",
    Part.FAULT: "a SOAP fault; fault=client blames the sender, fault=NAME is one that the WSDL declares",
    Part.DROP: "the connection is closed without an answer",
    Part.HALF: "the connection breaks in the middle of the answer",
    Part.NONSENSE: "a web page with status 200",
    Part.INVALID: "an answer that the schema does not allow",
    Part.DOWN: "status 503",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Play:
    """One thing to play. detail: of a fault, `client` or the name of a declared one.

    delay_s: before anything is answered. times: for how many requests; None for all. operation: for these only.
    """

    part: Part = Part.ANSWER
    detail: str = ""
    delay_s: float = 0.0
    times: int | None = None
    operation: str = ""

    def __str__(self) -> str:
        said = [self.part.value + (f"={self.detail}" if self.detail else "")]
        said += [f"delay={self.delay_s:g}"] if self.delay_s else []
        said += [f"times={self.times}"] if self.times is not None else []
        said += [f"operation={self.operation}"] if self.operation else []
        return ",".join(said)


PLAIN: Final = Play()
_SETTINGS: Final = ("delay", "times", "operation")


def parse_play(text: str) -> Play:
    """Read `fault`, `drop,times=2`, `delay=3`, `fault=NotFound,operation=GetPerson` (untrusted).

    Raises CommandRefused, with the nearest word that there is.
    """
    part, detail = Part.ANSWER, ""
    settings: dict[str, str] = {}
    for word in filter(None, (word.strip() for word in text[:_MAX_TEXT_CHARS].split(","))):
        name, _, value = word.partition("=")
        if name in _SETTINGS:
            settings[name] = value
            continue
        try:
            part = Part(name)
        except ValueError:
            raise CommandRefused(f"the sandbox cannot play {name[:40]!r}{_nearest(name)}") from None
        if value and part is not Part.FAULT:
            raise CommandRefused(f"{name} takes no value")
        detail = value
    return Play(
        part=part,
        detail=detail,
        delay_s=_delay(settings.get("delay", "0")),
        times=_times(settings["times"]) if "times" in settings else None,
        operation=settings.get("operation", ""),
    )


def _nearest(name: str) -> str:
    words = [*(part.value for part in Part), *_SETTINGS]
    close = difflib.get_close_matches(name, words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; it knows {', '.join(words)}"


def _delay(written: str) -> float:
    try:
        seconds = float(written)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_DELAY_S:
        raise CommandRefused(f"delay is a number of seconds, at most {MAX_DELAY_S:g}")
    return seconds


def _times(written: str) -> int:
    if not written.isdecimal() or not 0 < int(written[:9]) <= MAX_TIMES:
        raise CommandRefused("times is a number of requests, from 1")
    return int(written[:9])

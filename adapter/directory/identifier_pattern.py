r"""Patterns of identifiers as the directory writes them: a small language that is matched in linear time.

    letters and digits, space, and - / : _      themselves
    \. \- \/ and the like                       the character after the backslash
    [0-9A-Z]                                    one of these; ranges and single characters, no negation
    {6}  {2,6}  ?  *  +                         how often the one before it stands there
    ( … | … )                                   one of these, the first that fits; after it only ? may stand

Every repetition takes what it can and gives nothing back, an alternative that fitted is not tried again, and groups are
not repeated: what an agency sends can therefore not make the match slow, whatever the authority wrote. `[0-9]*[0-9]`
never matches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from adapter.errors import DirectoryRefused

MAX_PATTERN: Final = 200
MAX_VALUE: Final = 128

_TOKEN: Final = re.compile(
    r"(?P<literal>[A-Za-z0-9 :/_-]|\\[.\-/|()\[\]{}?*+\\,:])"
    r"|(?P<chosen>\[[A-Za-z0-9](?:-[A-Za-z0-9])?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)*\])"
    r"|(?P<times>\{[0-9]{1,3}(?:,[0-9]{1,3})?\}|[?*+])"
    r"|(?P<open>\()|(?P<close>\))|(?P<either>\|)"
)


@dataclass(frozen=True, slots=True)
class IdentifierPattern:
    """A pattern that can be matched. Equal by its text. Raises DirectoryRefused for what is not in the language."""

    text: str

    def __post_init__(self) -> None:
        _compile(self.text)

    def matches(self, value: str) -> bool:
        """Whether the whole value has the form. value: untrusted, of any length."""
        return len(value) <= MAX_VALUE and _compile(self.text).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compile(text: str) -> re.Pattern[str]:
    if not 0 < len(text) <= MAX_PATTERN:
        raise DirectoryRefused(f"a pattern has 1 to {MAX_PATTERN} characters")
    made: list[str] = []
    at, before = 0, None
    while at < len(text):
        token = _TOKEN.match(text, at)
        kind = None if token is None else token.lastgroup
        if token is None or (kind == "times" and not _may_repeat(before, token[0])):
            raise DirectoryRefused(f"the pattern {text} is not understood from character {at + 1} on")
        made.append({"times": token[0] + "+", "open": "(?>"}.get(kind or "", token[0]))
        at, before = token.end(), kind
    try:
        return re.compile("".join(made), re.ASCII)
    except (re.error, OverflowError, RecursionError) as cause:
        raise DirectoryRefused(f"the pattern {text} is not understood: {cause}") from None


def _may_repeat(before: str | None, times: str) -> bool:
    return before in ("literal", "chosen") or (before == "close" and times == "?")

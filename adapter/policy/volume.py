"""Whether what a rule lets out stays within the volume of data of a regulation (articles 19 and 27 of the law)."""

from __future__ import annotations

from functools import lru_cache

from adapter.released_fields import EVERYTHING, SAYS_NOTHING, ReleasedFields


@lru_cache(maxsize=1024)
def beyond_volume(fields: ReleasedFields | None, volume: frozenset[str]) -> str | None:
    """A field that a rule lets out and the regulation does not name; None when there is none.

    fields: what the rule lets out; None: all of the answer, which `**` stands for here. volume: local names from below
    the answer's element (`Person/Address`), each with all that stands below it; empty: the whole document.
    A replacement that says nothing of the value lets nothing out.
    """
    if not volume:
        return None
    if fields is None:
        return EVERYTHING
    named = [tuple(path.split("/")) for path in volume]
    let_out = (*fields.released, *(path for path, way in fields.replaced if way not in SAYS_NOTHING))
    for path in let_out:
        _, *below = (step.rpartition(":")[2] for step in path.split("/"))
        if not any(tuple(below[: len(steps)]) == steps for steps in named):
            return path
    return None

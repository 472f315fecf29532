"""A directory document cut into its members and the rest, so that what is known of a member need not be read again.

Cutting octets is safe only where it cannot mean anything else than the parser would understand. It is done for
documents as `rendering` writes them; any other is read whole, which gives the same result, slower.

    1. There is no `<!` (comment, CDATA, DOCTYPE) and no `<?` but the declaration: a `<` begins a tag, always.
    2. `Members` occurs in two tags in all, `<Members>` and `</Members>`: no other element has this local name.
    3. Between the two there is nothing but white space and elements from `<Member ` to the next `</Member>`.
    4. The root declares the directory's namespace, as the default one, and no other: a member means the same alone.

That each piece is well-formed and valid is for whoever reads it; then the whole is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from adapter.envelope import names

_START: Final = b"<Members>"
_END: Final = b"</Members>"
_NAMED_SO: Final = re.compile(rb"[<:/]Members[\s/>]")
_ROOT: Final = re.compile(
    rb'(?:<\?xml[^>]*\?>)?\s*<Directory xmlns="' + re.escape(names.DIRECTORY.encode()) + rb'"(?: [A-Za-z]+="[^"<&]*")*>'
)
_FIRST: Final = b"<Member "
_LAST: Final = b"</Member>"
_TAGS: Final = 2
_XML_SPACES: Final = b" \t\r\n"
_ALONE: Final = (b'<Registration xmlns="' + names.DIRECTORY.encode() + b'">', b"</Registration>")


@dataclass(frozen=True, kw_only=True, slots=True)
class SlicedDirectory:
    """A document in pieces. rest: the same document without its members."""

    rest: bytes
    members: tuple[bytes, ...]


def slice_directory(octets: bytes) -> SlicedDirectory | None:
    """Cut a document (untrusted), or None where that is not certain to be right."""
    if b"<!" in octets or octets.count(b"<?") > 1:
        return None
    root = _ROOT.match(octets)
    if root is None or b"xmlns:" in root[0] or not _is_named_once(octets):
        return None
    start, end = octets.find(_START), octets.find(_END)
    if not root.end() <= start < end:
        return None
    members = _members(octets, start + len(_START), end)
    if members is None:
        return None
    return SlicedDirectory(rest=octets[: start + len(_START)] + octets[end:], members=members)


def _is_named_once(octets: bytes) -> bool:
    """Only `<Members>` and `</Members>`. The word alone is counted first, which is fast; a title may have it too."""
    return octets.count(b"Members") == _TAGS or len(_NAMED_SO.findall(octets)) == _TAGS


def _members(octets: bytes, start: int, end: int) -> tuple[bytes, ...] | None:
    """The members one after the other; None when there is something else."""
    found, at = [], start
    while (first := octets.find(_FIRST, at, end)) >= 0:
        after = octets.find(_LAST, first, end) + len(_LAST)
        if after < first or octets[at:first].strip(_XML_SPACES):
            return None
        found.append(octets[first:after])
        at = after
    return None if octets[at:end].strip(_XML_SPACES) else tuple(found)


def alone(member: bytes) -> bytes:
    """A member as a document of its own, a Registration."""
    return member.join(_ALONE)

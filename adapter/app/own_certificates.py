"""Our own certificates in the directory."""

from __future__ import annotations

from adapter.crypto.certificates import public_key
from adapter.crypto.keys import key_id
from adapter.directory.model import Directory
from adapter.identifiers import MemberId


def named_in(directory: Directory, own: MemberId) -> frozenset[str]:
    """The key_ids of every certificate that the directory has of us; none when it does not have us."""
    member = directory.members.get(own)
    if member is None:
        return frozenset()
    known = (*member.signing, *member.agreement, *member.adapter.tls_certificates)
    return frozenset(key_id(public_key(one.certificate)) for one in known)

"""Changes to octets that several recipes share."""

from __future__ import annotations

from tests.attacks.draft import Octets


def before(prolog: bytes) -> Octets:
    """Something before the root element."""
    return lambda octets: prolog + octets


def behind(rest: bytes) -> Octets:
    """Something behind the root element."""
    return lambda octets: octets + rest


def once(old: bytes, new: bytes) -> Octets:
    """The first occurrence replaced; that there is one is checked."""

    def change(octets: bytes) -> bytes:
        if old not in octets:
            raise LookupError(old.decode())
        return octets.replace(old, new, 1)

    return change


def everywhere(old: bytes, new: bytes) -> Octets:
    """Every occurrence replaced; that there is one is checked."""

    def change(octets: bytes) -> bytes:
        if old not in octets:
            raise LookupError(old.decode())
        return octets.replace(old, new)

    return change


def recoded(encoding: str, *, mark: bytes = b"", declared: str = "") -> Octets:
    """The message in another encoding."""

    def change(octets: bytes) -> bytes:
        declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
        return mark + (declaration + octets.decode()).encode(encoding)

    return change


def instead(text: bytes) -> Octets:
    """Another message altogether."""
    return lambda _octets: text

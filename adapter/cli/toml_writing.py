"""Writing the few kinds of TOML that commands make. Reading is `adapter.settings`."""

from __future__ import annotations

import json


def toml_string(text: str) -> str:
    """A basic string (TOML 1.0, String): JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(value: str | bool | int | list[str]) -> str:  # noqa: FBT001  a value, not a switch
    """A value of one of the kinds that settings have."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml_string, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else toml_string(value)

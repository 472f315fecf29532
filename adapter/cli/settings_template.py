"""A new adapter.toml: what is needed filled in, everything else as a comment with its meaning and default."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from adapter.cli.toml_writing import toml_value
from adapter.identifiers import MemberId
from adapter.settings import Settings

_CLIENT_EXAMPLE: Final = """\
# [[client]]: one of the agency's own systems that may call. One table for each; docs/settings.md lists all keys.
# [[client]]
# name = "benefits"
# subsystem = "{member}/social"
# identify_by = "address"
# addresses = ["127.0.0.1"]
# services = ["UZ/*"]
"""


def adapter_toml(member: MemberId, *, directory: str, anchor: Path) -> str:
    """The text of the file. The comments are those of the settings' own fields, so that they never lag behind."""
    filled: dict[str, Mapping[str, str]] = {
        "adapter": {"member": str(member)},
        "directory": {"url": directory, "anchor": str(anchor)},
    }
    parts = ["# The settings of one adapter. Paths are meant from this folder. A key behind a # shows its default.\n"]
    for name, field in Settings.model_fields.items():
        if name == "client":
            parts.append(_CLIENT_EXAMPLE.format(member=member))
            continue
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            parts.append("\n".join(_section(name, section, filled.get(name, {}))) + "\n")
    return "\n".join(parts)


def _section(name: str, section: type[BaseModel], filled: Mapping[str, str]) -> Iterator[str]:
    yield f"# {_first_line(section)}"
    yield f"[{name}]"
    for key, field in section.model_fields.items():
        yield f"# {field.description}"
        yield f"{key} = {toml_value(filled[key])}" if key in filled else _commented(key, field)


def _first_line(section: type[BaseModel]) -> str:
    """What the section is for, without its own name, which stands in the line below."""
    line = (section.__doc__ or "").strip().splitlines()[0]
    said = line.partition(": ")[2] or line
    return said[:1].upper() + said[1:]


def _commented(key: str, field: FieldInfo) -> str:
    default: Any = field.default
    if default is PydanticUndefined or default is None:
        return f"# {key} ="
    return f"# {key} = {json.dumps(default) if isinstance(default, float) else toml_value(_plain(default))}"


def _plain(default: Any) -> str | bool | int | list[str]:  # noqa: ANN401  whatever kinds of defaults settings have
    if isinstance(default, tuple):
        return list(default)
    return default if isinstance(default, bool | int) else str(default)

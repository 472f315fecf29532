"""From a TOML file to a frozen model, and mistakes that a person can mend: file, line, key, and what is wrong.

Values are never repeated in a message: what was typed into a settings file by mistake may be a password.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from adapter.errors import Problem, SettingsInvalid
from adapter.settings.toml_positions import KeyPath, key_lines, line_of

Model = TypeVar("Model", bound=BaseModel)

_SYNTAX_POSITION: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
# A key of so many names and dots: tomllib's time for one grows with the square of its length.
_ENDLESS_KEY: Final = re.compile(r"""(?<![\w.-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){64}""", re.ASCII)
_MISTAKE: Final = "mistake"
_PAST_BOUNDS: Final = Problem(
    line=0,
    column=0,
    element="",
    rule="toml",
    text="a number with thousands of digits, a key of 64 names or more, or tables nested hundreds deep",
)


class Section(BaseModel):
    """What every table of a settings file is: frozen, nothing unknown, no value of another type, defaults checked."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
        populate_by_name=False,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


def mistake(text: str, *, at: KeyPath) -> PydanticCustomError:
    """A mistake found by a rule of ours. at: the keys that lead to it from the table whose rule it is."""
    return PydanticCustomError(_MISTAKE, "{text}", {"text": text, "at": at})


def load_toml(path: Path, model: type[Model]) -> Model:
    """Read the file into the model. Relative paths in it are meant from the folder that the file is in.

    Raises SettingsInvalid: `reason` has one line for each mistake (file, line, table, key, what is wrong, the nearest
    valid key), `problems` the same as values. Reads the disk; for use at start.
    """
    text = _read(path)
    if _ENDLESS_KEY.search(text):
        raise _refusal(path, [_PAST_BOUNDS])
    try:
        content = tomllib.loads(text)
        # By way of JSON, because pydantic's strict mode then still reads a path or an enumeration from a string.
        as_json = json.dumps({**_tables(model), **content}, default=_no_dates)
    except tomllib.TOMLDecodeError as cause:
        raise _refusal(path, [_syntax_problem(cause)]) from None
    except (ValueError, RecursionError):  # Python's own bounds on the digits of a number and on the depth of calls
        raise _refusal(path, [_PAST_BOUNDS]) from None
    folder = path.absolute().parent
    try:
        return model.model_validate_json(as_json, context={"folder": folder})
    except ValidationError as cause:
        lines = key_lines(text)
        problems = [_problem(error, content, model, lines) for error in cause.errors(include_input=False)]
        raise _refusal(path, problems) from None


def _tables(model: type[BaseModel]) -> dict[str, dict[str, object]]:
    """The tables that may be left out, each empty: a default that is a path in one is then meant from the file too."""
    factories = {name: field.default_factory for name, field in model.model_fields.items()}
    return {name: {} for name, made in factories.items() if isinstance(made, type) and issubclass(made, Section)}


def mistakes_in(path: Path, found: Sequence[tuple[KeyPath, str]]) -> SettingsInvalid:
    """The refusal of a file for mistakes that show only beside another document, such as a schema.

    found: for each the keys that lead to it from the top of the file, and what is wrong there.
    """
    lines = key_lines(_read(path))
    problems = [
        Problem(line=line_of(lines, at), column=1, element=_name_of(at), rule=_MISTAKE, text=f"{_name_of(at)}: {text}")
        for at, text in found
    ]
    return _refusal(path, problems)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsInvalid(f"{path}: there is no such file") from None
    except OSError as cause:
        raise SettingsInvalid(f"{path}: cannot be read: {cause.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsInvalid(f"{path}: is not UTF-8 text") from None


def _no_dates(value: object) -> dict[str, str]:
    """No setting is a date: hand pydantic something that no field accepts."""
    return {"not a setting": type(value).__name__}


def _refusal(path: Path, problems: list[Problem]) -> SettingsInvalid:
    told = [f"{path}, line {one.line}: {one.text}" if one.line else f"{path}: {one.text}" for one in problems]
    return SettingsInvalid("\n".join(told), problems=tuple(problems))


def _syntax_problem(cause: tomllib.TOMLDecodeError) -> Problem:
    told = str(cause)
    found = _SYNTAX_POSITION.search(told)
    line, column = (int(found[1]), int(found[2])) if found else (0, 0)
    what = _SYNTAX_POSITION.sub("", told).strip().rstrip(".")
    return Problem(line=line, column=column, element="", rule="toml", text=f"not TOML: {what}")


# --- one mistake -----------------------------------------------------------------------------------------------------


def _problem(
    error: ErrorDetails, content: Mapping[str, Any], model: type[BaseModel], lines: dict[KeyPath, int]
) -> Problem:
    path = _known_part(error["loc"], content)
    details = error.get("ctx", {})
    if error["type"] == _MISTAKE:
        path = (*path, *details["at"])
    told = f"{_name_of(path)}: " if path else ""
    return Problem(
        line=line_of(lines, path),
        column=1 if path else 0,
        element=_name_of(path),
        rule=error["type"],
        text=told + _explanation(error, path, model),
    )


def _known_part(place: tuple[int | str, ...], content: Mapping[str, Any]) -> KeyPath:
    """The place as keys of the file: pydantic also names the branches that it tried."""
    path: KeyPath = ()
    here: Any = content
    for at, step in enumerate(place):
        inside = isinstance(here, Mapping) and step in here
        inside = inside or (isinstance(here, list) and isinstance(step, int) and step < len(here))
        if inside:
            path, here = (*path, step), here[step]
        elif isinstance(here, Mapping) and at == len(place) - 1:
            path = (*path, step)  # a key that is missing
    return path


def _name_of(path: KeyPath) -> str:
    """`[client.context] purpose` for (client, 2, context, purpose)."""
    *table, key = [str(step) for step in path if isinstance(step, str)] or [""]
    return f"[{'.'.join(table)}] {key}" if table else key


def _explanation(error: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    kind, details = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "not a known key" + _nearest(str(path[-1]), _keys_at(model, path[:-1]))
    if kind == "missing":
        return "missing" + _meaning(model, path)
    if kind == _MISTAKE:
        return str(details["text"])
    if kind in ("literal_error", "enum"):
        return f"should be {details['expected']}"
    return _plain(error["msg"])


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ").rstrip(".")


def _nearest(key: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known here: {', '.join(sorted(known))}" if known else ""


def _meaning(model: type[BaseModel], path: KeyPath) -> str:
    around = _model_at(model, path[:-1])
    found = _field(around, path[-1]) if around else None
    return f" ({found.description})" if found and found.description else ""


# --- looking into a model ---------------------------------------------------------------------------------------------


def _keys_at(model: type[BaseModel], path: KeyPath) -> tuple[str, ...]:
    around = _model_at(model, path)
    return tuple(field.alias or name for name, field in around.model_fields.items()) if around else ()


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model of the table at this path; the steps that choose an item of an array or a free name are passed over."""
    here: type[BaseModel] | None = model
    for step in path:
        field = _field(here, step) if here else None
        if field is not None:
            here = _model_in(field.annotation)
    return here


def _field(model: type[BaseModel], key: str | int) -> FieldInfo | None:
    return next((field for name, field in model.model_fields.items() if key == (field.alias or name)), None)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The section inside `Section`, `Section | None`, `tuple[Section, ...]`, `dict[str, Section]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)

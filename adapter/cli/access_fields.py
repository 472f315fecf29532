"""The fields of an answer at the command line: to choose from, and what a rule does with each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from adapter.app.provided import load_service, service_folders
from adapter.cli.output import JsonValue, bad, doubtful, good, table_of
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.field_paths import AnswerField, Prefixes, answer_fields, declaration_at
from adapter.envelope.replacements import rewrite_for, unfit
from adapter.envelope.schema_model import Variety
from adapter.envelope.schema_model_read import schema_model
from adapter.errors import CommandRefused
from adapter.identifiers import ServiceId
from adapter.policy.rules import AccessRule
from adapter.released_fields import EVERYTHING, ReleasedFields, Replacement
from adapter.samples.value_check import ValueCheck
from adapter.settings import ServiceSettings, Settings

BELOW: Final = "*"
MAX_LISTED: Final = 2000
_CONSTANT: Final = (Replacement.EMPTY, Replacement.MASK, Replacement.ZERO)
"""What writes the same whatever the value is: the schema can be asked beforehand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceFields:
    """The fields of a provided service's answers, and how they are written here."""

    settings: ServiceSettings
    description: ServiceDescription
    prefixes: Prefixes
    fields: tuple[AnswerField, ...]


def fields_of(settings: Settings, service: ServiceId, operations: Iterable[str] | None = None) -> ServiceFields | None:
    """What a service of ours may answer; None when this adapter does not provide it.

    operations: only theirs. Raises SettingsInvalid, DescriptionUnusable, CommandRefused (too many to list).
    """
    for folder in service_folders(settings.adapter.services_dir):
        if folder.name != f"{service.subsystem.code}.{service.code}.{service.version}":
            continue
        return fields_in(folder, operations)
    return None


def fields_in(folder: Path, operations: Iterable[str] | None = None) -> ServiceFields:
    """The same of the service in a folder."""
    known, description = load_service(folder)
    prefixes = Prefixes(known.namespaces)
    names = [one.name for one in description.operations]
    if missing := [name for name in operations or () if name not in names]:
        raise CommandRefused(f"there is no operation {missing[0]}; there are: {', '.join(names)}")
    wanted = [one for one in description.operations if operations is None or one.name in operations]
    found = tuple(_listed(description, wanted, prefixes))
    return ServiceFields(settings=known, description=description, prefixes=prefixes, fields=found)


def _listed(
    description: ServiceDescription, operations: Sequence[Operation], prefixes: Prefixes
) -> Iterable[AnswerField]:
    seen: set[str] = set()
    for operation in operations:
        for found in answer_fields(description, operation, prefixes):
            if found.path in seen:
                continue
            seen.add(found.path)
            if len(seen) > MAX_LISTED:
                raise CommandRefused(f"the answers have more than {MAX_LISTED} fields; name one --operation")
            yield found


# --- what was typed --------------------------------------------------------------------------------------------------


def chosen_fields(known: ServiceFields, fields: Sequence[str], replacements: Sequence[str]) -> ReleasedFields:
    """What `--field` and `--replace` say, against the schema.

    A path may leave prefixes out where only one field is meant, and end in `/*` for all that the schema declares below.
    Raises CommandRefused for what is no field, cannot be replaced so, or leaves the schema without what it needs.
    """
    released: dict[str, None] = {}
    for written in fields:
        for path in _meant(known, written):
            released.setdefault(path)
    replaced = dict(_replacement(known, written) for written in replacements)
    paths = (*(path for path in released if path not in replaced), *replaced)
    chosen = ReleasedFields(
        namespaces=known.prefixes.table(paths),
        released=tuple(path for path in released if path not in replaced),
        replaced=tuple(replaced.items()),
    )
    if needed := still_needed(known, chosen):
        more = f" and {len(needed) - 8} more" if len(needed) > 8 else ""
        raise CommandRefused(
            f"the schema needs {', '.join(needed[:8])}{more}; let each out with --field PATH, or say with "
            f"--replace PATH={'|'.join(way.value for way in Replacement)} what stands there instead"
        )
    return chosen


def _meant(known: ServiceFields, written: str) -> list[str]:
    stem, _, last = written.rpartition("/")
    if last == EVERYTHING:
        return [f"{_one(known, stem).path}/{EVERYTHING}"]
    if last == BELOW:
        above = _one(known, stem).path
        return [found.path for found in known.fields if found.path.startswith(f"{above}/") and found.has_content]
    return [_one(known, written).path]


def _one(known: ServiceFields, written: str) -> AnswerField:
    exact = [found for found in known.fields if found.path == written]
    loose = [found for found in known.fields if _bare(found.path) == _bare(written)] if ":" not in written else []
    found = exact or loose
    if not found:
        raise CommandRefused(f"{written} is no field of the answer; `adapter service fields` lists them")
    if len(found) > 1:
        raise CommandRefused(f"{written} may be {' or '.join(one.path for one in found)}: write its prefixes")
    return found[0]


def _bare(path: str) -> str:
    return "/".join(
        ("@" if step.startswith("@") else "") + step.lstrip("@").rpartition(":")[2] for step in path.split("/")
    )


def _replacement(known: ServiceFields, written: str) -> tuple[str, Replacement]:
    path, equals, name = written.rpartition("=")
    try:
        way = Replacement(name)
    except ValueError:
        ways = ", ".join(one.value for one in Replacement)
        raise CommandRefused(f"write PATH=HOW, HOW one of {ways}") from None
    if not equals:
        raise CommandRefused("write PATH=HOW")
    field = _one(known, path)
    model = schema_model(known.description)
    declared = declaration_at(model, field.steps)
    if reason := unfit(way, declared, model):
        raise CommandRefused(f"{field.path}: {reason}")
    if lost := _lost_below(known, field, way):
        raise CommandRefused(f"{field.path}: {way.value} would leave out {', '.join(lost[:8])}, which the schema needs")
    kind = None if declared is None else model.value_type(model.type_of(declared))
    if way in _CONSTANT and kind is not None and kind.variety is Variety.ATOMIC:
        instead = rewrite_for(way, declared, model)("")
        if not ValueCheck(kind).admits(instead):
            raise CommandRefused(f"{field.path}: {way.value} would write {instead!r}, which the schema does not allow")
    return field.path, way


def _lost_below(known: ServiceFields, field: AnswerField, way: Replacement) -> list[str]:
    """Local names of what the schema wants in this field: attributes, and elements unless it is nil."""
    below = [one for one in known.fields if one.path.rpartition("/")[0] == field.path]
    return [
        _bare(one.path.rpartition("/")[2])
        for one in below
        if one.required and not one.in_choice and (way is not Replacement.NIL or one.steps[-1].startswith("@"))
    ]


def still_needed(known: ServiceFields, chosen: ReleasedFields) -> list[str]:
    """Fields that the schema wants wherever their parent stands, which the rule neither lets out nor replaces."""
    named = [*chosen.released, *(path for path, _ in chosen.replaced)]
    kept = {"/".join(path.split("/")[:at]) for path in named for at in range(1, path.count("/") + 2)}
    whole = [path.removesuffix(f"/{EVERYTHING}") for path in named if path.endswith(f"/{EVERYTHING}")]
    replaced = {path for path, _ in chosen.replaced}
    needed = []
    for found in known.fields:
        parent = found.path.rpartition("/")[0]
        if not parent or found.path in kept or not found.required or found.in_choice:
            continue
        below_whole = any(found.path.startswith(f"{path}/") for path in whole)
        is_kept = parent in kept or "/" not in parent
        if is_kept and parent not in replaced and not below_whole:
            needed.append(found.path)
    return needed


# --- what is shown ---------------------------------------------------------------------------------------------------


def words_of_fields(known: ServiceFields) -> list[RenderableType]:
    """All fields as a table, with the prefixes below it."""
    rows = [(found.path, found.type, _occurs(found)) for found in known.fields]
    table = known.prefixes.table(tuple(found.path for found in known.fields))
    return [table_of(("Field", "Type", "Occurs"), rows), *(Text(f"{prefix} = {uri}") for prefix, uri in table)]


def _occurs(found: AnswerField) -> str:
    words = ["always" if found.required else "one of several" if found.in_choice else "optional"]
    words += ["repeated"] if found.repeated else []
    words += ["nillable"] if found.nillable else []
    words += ["recursive"] if found.recursive else []
    return ", ".join(words)


def json_of_fields(known: ServiceFields) -> JsonValue:
    """The same for a script."""
    table = known.prefixes.table(tuple(found.path for found in known.fields))
    return {
        "namespaces": dict(table),
        "fields": [
            {
                "path": found.path,
                "type": found.type,
                "required": found.required,
                "repeated": found.repeated,
                "in_choice": found.in_choice,
                "nillable": found.nillable,
                "recursive": found.recursive,
                "has_content": found.has_content,
            }
            for found in known.fields
        ],
    }


def words_of_rule(rule: AccessRule, known: ServiceFields | None) -> list[RenderableType]:
    """Beforehand: which fields go out, what stands for others, and what is taken out."""
    if rule.fields is None:
        if rule.all_fields:
            return [Text("  - all fields go out")]
        return [Text.assemble("  - ", doubtful("all fields go out: the rule does not say which"))]
    words: list[RenderableType] = [Text.assemble("  - ", good("goes out "), path) for path in rule.fields.released]
    words += [Text.assemble("  - ", doubtful(f"{way.value} instead of "), path) for path, way in rule.fields.replaced]
    words += [Text.assemble("  - ", bad("taken out "), path) for path in taken_out(rule.fields, known)]
    return words


def taken_out(chosen: ReleasedFields, known: ServiceFields | None) -> list[str]:
    """Of the fields that have a value, those that the rule does not let out."""
    if known is None:
        return []
    replaced = [path for path, _ in chosen.replaced]
    whole = [path.removesuffix(f"/{EVERYTHING}") for path in chosen.released if path.endswith(f"/{EVERYTHING}")]
    return [
        found.path
        for found in known.fields
        if found.has_content
        and found.path not in chosen.released
        and not any(found.path == path or found.path.startswith(f"{path}/") for path in (*replaced, *whole))
    ]


def value_of_rule(rule: AccessRule) -> JsonValue:
    """What a rule lets out, for a script: "*" when somebody said all, null when nobody said anything."""
    if rule.fields is None:
        return "*" if rule.all_fields else None
    return {
        "namespaces": dict(rule.fields.namespaces),
        "released": list(rule.fields.released),
        "replaced": {path: way.value for path, way in rule.fields.replaced},
    }

"""A mutant of a module's own constant, tried without an import: the living module is given what the changed text makes.

Only for a plain value (texts, numbers, patterns, sets and tables of these) of a private name that nothing but the
bodies of the module's functions, and other such values, are made of. For everything else `new_values` says None.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from types import CodeType, ModuleType

_ATOMS = (str, bytes, bool, int, type(None), re.Pattern, Enum)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewValues:
    """values: what the names of the module become. lines: of the functions that read them, without their headers."""

    values: dict[str, object]
    lines: frozenset[int]


def new_values(module: ModuleType, source: bytes, code: CodeType, line: int) -> NewValues | None:
    """What the changed module has otherwise, when that is all that the change does. line: where the change is.

    Raises whatever the import of the changed module raises.
    """
    tree = ast.parse(source)
    constants = {name: one for one in tree.body for name in _private_constant(one)}
    if not any(one.lineno <= line <= (one.end_lineno or 0) for one in constants.values()):
        return None
    namespace: dict[str, object] = {"__name__": module.__name__}
    exec(code, namespace)  # noqa: S102  our own module, with the change that is to be judged
    changed = {name for name in constants if _differs(vars(module)[name], namespace[name])}
    own = {name for name, one in constants.items() if one.lineno <= line <= (one.end_lineno or 0)}
    if not own <= changed or _read_while_imported(tree, changed):
        return None
    readers = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and changed & set(_reads(one))]
    lines = {at for one in readers for at in range(one.body[0].lineno, (one.end_lineno or 0) + 1)}
    return NewValues(values={name: namespace[name] for name in changed}, lines=frozenset(lines))


def _private_constant(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()) | ast.Assign(targets=[ast.Name(id=name)]):
            if name.startswith("_"):
                yield name
        case _:
            return


def _differs(old: object, new: object) -> bool:
    return _is_plain(old) and _is_plain(new) and (type(old) is not type(new) or old != new)


def _is_plain(value: object) -> bool:
    match value:
        case dict():
            return all(_is_plain(key) and _is_plain(one) for key, one in value.items())
        case tuple() | list() | set() | frozenset():
            return all(_is_plain(one) for one in value)
        case _:
            return isinstance(value, _ATOMS)


def _read_while_imported(tree: ast.Module, changed: set[str]) -> bool:
    """Whether something else than a constant that changes with them is made of these names."""
    for statement in tree.body:
        known = set(_private_constant(statement)) & changed
        if not known and changed & set(_reads_outside_of_bodies(statement)):
            return True
    return False


def _reads(node: ast.AST) -> Iterator[str]:
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load))


def _reads_outside_of_bodies(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        for part in (node.args, *node.decorator_list):
            yield from _reads(part)
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _reads_outside_of_bodies(child)

"""Small wrong changes to a module, one at a time: what a tired programmer or a bad merge would do to a check.

Each change replaces one piece of the source text. Left alone are annotations, docstrings, and the reasons of errors: a
test looks at the code of an error, never at its words.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

_COMPARED_WITH: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED_WITH: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_CALLED: Final = {
    "any": "all",
    "all": "any",
    "min": "max",
    "max": "min",
    "startswith": "endswith",
    "endswith": "startswith",
    "removeprefix": "removesuffix",
    "fullmatch": "match",
    "partition": "rpartition",
}
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """One change. start, end: the octets of the source that `text` replaces. lines: where it is, first and last line.

    function: the outermost function or method around it, "" at module level or in a class. at_import: it takes effect
    while the module is imported. was, becomes: how a reader sees it, and how it is named in survivors.toml.
    """

    function: str
    at_import: bool
    lines: tuple[int, int]
    start: int
    end: int
    text: str
    was: str
    becomes: str

    def applied(self, source: bytes) -> bytes:
        """The source with the change."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants_of(source: bytes) -> list[Mutant]:
    """Every mutant of a module, in the order of the text, each once."""
    finder = _Finder(source)
    finder.walk(ast.parse(source), _Place())
    found = {(one.start, one.end, one.text): one for one in finder.found}
    met: Counter[tuple[str, str, str]] = Counter()
    mutants = []
    for key in sorted(found):
        one = found[key]
        name = (one.function, one.was, one.becomes)
        met[name] += 1
        mutants.append(one if met[name] == 1 else replace(one, becomes=f"{one.becomes}  ({met[name]})"))
    return mutants


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: see Mutant."""

    function: str = ""
    at_import: bool = True
    lines: tuple[int, int] = (1, 1)


def _inside(parent: ast.AST, child: ast.AST, place: _Place) -> _Place:
    match parent, child:
        case ast.Module(), ast.FunctionDef(name=name):
            return replace(place, function=name)
        case ast.ClassDef(name=owner), ast.FunctionDef(name=name):
            return replace(place, function=f"{owner}.{name}")
        case ast.FunctionDef(), ast.stmt():
            return replace(place, at_import=False)
        case _:
            return place


class _Finder:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._offsets = [0]
        for line in source.split(b"\n"):
            self._offsets.append(self._offsets[-1] + len(line) + 1)
        self.found: list[Mutant] = []

    def walk(self, node: ast.AST, place: _Place) -> None:
        if isinstance(node, ast.stmt):
            place = replace(place, lines=_header(node))
        for old, new in _changes(node):
            self.found.append(self._mutant(old, new, place))
        for child in _children(node):
            self.walk(child, _inside(node, child, place))

    def _mutant(self, old: ast.expr | ast.stmt, new: str, place: _Place) -> Mutant:
        start = self._offsets[old.lineno - 1] + old.col_offset
        end = self._offsets[(old.end_lineno or old.lineno) - 1] + (old.end_col_offset or 0)
        first, last = self._offsets[old.lineno - 1], self._offsets[old.end_lineno or old.lineno] - 1
        was = self._source[first:last].decode()
        becomes = (self._source[first:start] + new.encode() + self._source[end:last]).decode()
        return Mutant(
            function=place.function,
            at_import=place.at_import,
            lines=place.lines,
            start=start,
            end=end,
            text=new,
            was=" ".join(was.split()),
            becomes=" ".join(becomes.split()),
        )


def _header(statement: ast.stmt) -> tuple[int, int]:
    """The lines of a statement without those of the statements in it."""
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return statement.lineno, max(statement.lineno, body[0].lineno - 1)
    return statement.lineno, statement.end_lineno or statement.lineno


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is below a node, but for annotations, docstrings, formatted texts and the reasons of errors."""
    skipped: tuple[ast.AST | None, ...] = ()
    match node:
        case ast.AnnAssign() | ast.arg():
            skipped = (node.annotation,)
        case ast.FunctionDef():
            skipped = (node.returns, *node.decorator_list)
        case ast.ClassDef():
            skipped = tuple(node.decorator_list)
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Call(func=ast.Name(id="cast" | "TypeVar")):
            skipped = tuple(node.args[:1])
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant() | ast.JoinedStr() as reason, *_]) if _refuses(name):
            skipped = (reason,)
    for child in ast.iter_child_nodes(node):
        if child not in skipped:
            yield child


def _refuses(name: str) -> bool:
    return name == "refuse" or name[:1].isupper()  # a class called with a text in it is an error that is made


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """What is replaced, and by which text."""
    match node:
        case ast.stmt():
            yield from _statements(node)
        case ast.IfExp():
            yield node.test, "True"
            yield node.test, "False"
        case ast.comprehension():
            yield from ((test, "True") for test in node.ifs)
        case ast.BoolOp():
            yield from ((node, _without(node.values, at, node.op)) for at in range(len(node.values)))
        case ast.Compare():
            yield from _comparisons(node)
        case ast.UnaryOp() | ast.BinOp():
            yield from _operations(node)
        case ast.Constant():
            yield from _constants(node)
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) | ast.Set() | ast.Dict():
            yield from _collections(node)
        case ast.Call():
            yield from _calls(node)
        case _:
            return


def _statements(node: ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    match node:
        case ast.If() | ast.While():
            yield node.test, "False"
            if isinstance(node, ast.If):
                yield node.test, "True"
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield node, "pass"
        case ast.Assign(targets=[ast.Subscript()]):
            yield node, "pass"
        case _:
            return


def _operations(node: ast.UnaryOp | ast.BinOp) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.UnaryOp(op=ast.Not()):
            yield node, f"({ast.unparse(node.operand)})"
        case ast.BinOp(op=operator) if type(operator) in _COMPUTED_WITH:
            yield node, _other(node, op=_COMPUTED_WITH[type(operator)]())
        case _:
            return


def _collections(node: ast.Tuple | ast.List | ast.Set | ast.Dict) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """One item less."""
    match node:
        case ast.Tuple(elts=[_] | [_, _] as items):
            yield from ((node, _other(node, elts=_but(items, at))) for at in range(len(items)))
        case ast.Tuple() | ast.List() | ast.Set():
            yield from _left_out(node.elts)
        case ast.Dict(keys=keys, values=values):
            for at in range(len(keys)):
                yield node, _other(node, keys=_but(keys, at), values=_but(values, at))


def _comparisons(node: ast.Compare) -> Iterator[tuple[ast.expr, str]]:
    for at, operator in enumerate(node.ops):
        changed = [*node.ops]
        changed[at] = _COMPARED_WITH[type(operator)]()
        yield node, _other(node, ops=changed)


def _constants(node: ast.Constant) -> Iterator[tuple[ast.expr, str]]:
    match node.value:
        case bool():
            yield node, str(not node.value)
        case int():
            yield node, str(node.value + 1)
            yield node, f"({node.value - 1})"
        case str():
            yield node, repr(node.value + "XX" if node.value else "XX")
        case bytes():
            yield node, repr(node.value + b"XX")
        case _:
            return


def _calls(node: ast.Call) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    given: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    if all(isinstance(one, ast.keyword) and one.arg for one in given):
        yield from _left_out(given)
    elif not (isinstance(node.func, ast.Name) and node.func.id in {"isinstance", "cast"}):
        yield from list(_left_out(given))[1:]
    match node.func:
        case ast.Name(id=name) if name in _CALLED:
            yield node.func, _CALLED[name]
        case ast.Attribute(attr=name) if name in _CALLED:
            yield node.func, _other(node.func, attr=_CALLED[name])
        case _:
            return


def _left_out(items: Sequence[ast.expr | ast.keyword]) -> Iterator[tuple[ast.stmt, str]]:
    """Each item of a list away, with the comma before it or, of the first one, after it."""
    for at, item in enumerate(items):
        begin = (item.lineno, item.col_offset)
        end = (item.end_lineno or item.lineno, item.end_col_offset or 0)
        if at:
            before = items[at - 1]
            begin = (before.end_lineno or before.lineno, before.end_col_offset or 0)
        elif len(items) > 1:
            end = (items[1].lineno, items[1].col_offset)
        yield (
            ast.Pass(lineno=begin[0], col_offset=begin[1], end_lineno=end[0], end_col_offset=end[1]),
            "",
        )


def _without(operands: list[ast.expr], at: int, operator: ast.boolop) -> str:
    left = _but(operands, at)
    return f"({ast.unparse(left[0] if len(left) == 1 else ast.BoolOp(op=operator, values=left))})"


def _but(items: list[_T], at: int) -> list[_T]:
    return [*items[:at], *items[at + 1 :]]


def _other(node: ast.expr, **changed: object) -> str:
    """The text of a copy of the node with some fields changed."""
    fields = {name: getattr(node, name) for name in node._fields}
    return f"({ast.unparse(type(node)(**(fields | changed)))})"

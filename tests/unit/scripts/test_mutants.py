"""The changes that `make mutants` makes, and what it says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.mutant_operators import mutants_of
from scripts.mutant_trials import KILLED, SURVIVED, TIME, Case, Target
from scripts.mutants import Explanation, Room, cases_of, explanations, key, keys, rooms, stale, tallies, targets


def changes(source: str) -> set[tuple[str, str]]:
    mutants = mutants_of(source.encode())
    for one in mutants:
        compile(one.applied(source.encode()), "changed", "exec")
    return {(one.was, one.becomes) for one in mutants}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x):\n    check(x)\n", [("check(x)", "pass")]),
        (
            "def f(x):\n    if x:\n        raise x\n",
            [("if x:", "if False:"), ("if x:", "if True:"), ("raise x", "pass")],
        ),
        ("x = 1 <= n", [("x = 1 <= n", f"x = {new}") for new in ("(1 < n)", "2 <= n", "(0) <= n")]),
        ("x = a and not b", [("x = a and not b", f"x = {new}") for new in ("(not b)", "(a)", "a and (b)")]),
        ("x = f(a, b, k=c)", [("x = f(a, b, k=c)", f"x = {new}") for new in ("f(a, k=c)", "f(a, b)")]),
        ("x = f(k=a, l=b)", [("x = f(k=a, l=b)", f"x = {new}") for new in ("f(l=b)", "f(k=a)")]),
        ("x = (a, b)", [("x = (a, b)", "x = ((b,))"), ("x = (a, b)", "x = ((a,))")]),
        ("x = [a, b, c]", [("x = [a, b, c]", f"x = {new}") for new in ("[b, c]", "[a, c]", "[a, b]")]),
        ("x = {a: b}", [("x = {a: b}", "x = ({})")]),
        ("x = 'id'", [("x = 'id'", "x = 'idXX'")]),
        ("x = any(y)", [("x = any(y)", "x = all(y)")]),
        ("x = a + b", [("x = a + b", "x = (a - b)")]),
        ("x = a if b else c", [("x = a if b else c", f"x = a if {new} else c") for new in (True, False)]),
        ("def f():\n    n[0] = y\n", [("n[0] = y", new) for new in ("pass", "n[1] = y", "n[(-1)] = y")]),
    ],
)
def test_what_is_changed(source: str, expected: list[tuple[str, str]]) -> None:
    assert changes(source) == set(expected)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "def f(x: 'int' = y) -> 'str':\n    '''Words.'''\n",
        "raise Refused('in words')",
        "refuse('in words')",
        "raise Refused(f'{x} in words')",
        "from a import b",
        "@cache(1)\nclass A:\n    x: 'int'\n",
    ],
)
def test_annotations_docstrings_and_reasons_are_left_alone(source: str) -> None:
    assert {new for _, new in changes(source)} <= {"pass"}


def test_a_change_that_is_made_in_two_places_has_two_names() -> None:
    mutants = mutants_of(b"def f():\n    check(x)\n    y = z\n    check(x)\n")
    assert [one.becomes for one in mutants] == ["pass", "pass  (2)"]


def test_where_a_change_is_and_when_it_takes_effect() -> None:
    module = ("A = 1", "class C:", "    B = 1", "    def m(self, n=1):", "        return 2")
    function = ("def f():", "    def g():", "        return 3", "")
    source = "\n".join((*module, *function)).encode()
    found = {(one.was, one.function, one.at_import) for one in mutants_of(source)}
    assert found == {
        ("A = 1", "", True),
        ("B = 1", "", True),
        ("def m(self, n=1):", "C.m", True),
        ("return 2", "C.m", False),
        ("return 3", "f", False),
    }


# --- what is said of them ---------------------------------------------------------------------------------------------


def some_cases() -> list[Case]:
    source = b"def f():\n    a()\n    b()\n    c()\n    d()\n"
    target = Target(name="policy/lawful", path=Path("lawful.py"), source=source)
    return [Case(target=target, mutant=mutant) for mutant in mutants_of(source)]


def explained(*lines: str) -> list[Explanation]:
    return [Explanation(module="policy/lawful", function="f", reason="because", changes=lines)]


def test_a_survivor_is_explained_or_named() -> None:
    cases = some_cases()
    verdicts = {0: KILLED, 1: TIME, 2: SURVIVED, 3: SURVIVED}
    row = tallies(cases, verdicts, set(keys(explained("c()  =>  pass"))))["policy/lawful"]
    assert (row.mutants, row.killed, row.time, row.explained) == (4, 1, 1, 1)
    assert row.unexplained == ["policy/lawful  f:5  d()  =>  pass"]


def test_an_explanation_of_what_is_no_survivor_is_named() -> None:
    verdicts = {0: KILLED, 1: TIME, 2: SURVIVED, 3: SURVIVED}
    rows = explained("a()  =>  pass", "c()  =>  pass", "gone()  =>  pass")
    assert stale(some_cases(), verdicts, rows) == [
        "policy/lawful  f  a()  =>  pass",
        "policy/lawful  f  gone()  =>  pass",
    ]
    assert stale([], {}, rows) == []  # nothing is said of a module that was not judged


def test_every_explanation_names_a_mutant_that_there_is_and_says_why() -> None:
    rows = explanations()
    there_are = {key(case) for case in cases_of(targets(sorted({row.module for row in rows})))}
    assert set(keys(rows)) <= there_are
    assert len(set(keys(rows))) == len(keys(rows))
    assert all(len(row.reason) > 20 for row in rows)


def test_every_room_has_modules_and_tests_that_exist(root: Path) -> None:
    for room in rooms():
        assert all((root / "adapter" / f"{name}.py").is_file() for name in room.modules)
        assert all((root / test).exists() for test in (*room.tests, *room.but_not))


def test_a_room_leaves_out_the_files_that_it_names() -> None:
    room = Room(modules=["crypto/keys"], tests=["tests/unit/crypto"], but_not=["tests/unit/crypto/test_keys.py"])
    assert room.arguments == ["tests/unit/crypto", "--ignore=tests/unit/crypto/test_keys.py"]

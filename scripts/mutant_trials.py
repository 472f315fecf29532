"""Tries mutants against the tests: which test reaches which line, then each mutant in a process forked for it.

A mutant in the body of a function is tried by giving the living function another code object: nothing is imported
again. One that takes effect while its module is imported (a table, a limit, a default, a pattern) needs a process that
has not imported the module yet. Nothing is written to the tree.
"""

from __future__ import annotations

import functools
import gc
import importlib
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, NoReturn

import coverage
import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from scripts.mutant_keys import MadeKey, note_keys
from scripts.mutant_operators import Mutant
from scripts.mutant_values import NewValues, new_values

KILLED: Final = "killed"
TIME: Final = "time"
SURVIVED: Final = "survived"
# pytest-timeout uses the timer that ends a mutant which never comes back.
_OPTIONS: Final = ("-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "timeout=0", "-W", "ignore")
# Of CPU time, for the machine may be busy; and of ten times as much by the clock, for who waits uses none.
_TIMERS: Final = ((signal.ITIMER_PROF, signal.SIGPROF, 1), (signal.ITIMER_REAL, signal.SIGALRM, 10))
_IMPORT: Final = "import"
_OWN: Final = frozenset(("adapter", "tests", "bench", "examples", "scripts"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A module to mutate. name: as in the table (`crypto/open`). source: as it was when the mutants were made."""

    name: str
    path: Path
    source: bytes

    @property
    def module(self) -> str:
        """Its name for an import."""
        return f"adapter.{self.name.replace('/', '.')}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One mutant of one target."""

    target: Target
    mutant: Mutant

    def code(self) -> CodeType:
        """The whole module with the change. Raises SyntaxError, which is a defect of the operators."""
        source = self.mutant.applied(self.target.source)
        return compile(source, str(self.target.path), "exec", dont_inherit=True)


def described(case: Case) -> str:
    """For a reader: where, and what."""
    mutant = case.mutant
    return f"{case.target.name}  {mutant.function}:{mutant.lines[0]}  {mutant.was}  =>  {mutant.becomes}"


Say = Callable[[str], None]
Note = Callable[[Case, str], None]


@dataclass(kw_only=True, slots=True)
class Outcome:
    """verdicts: by the place in the list of cases. waiting: those that need a fresh process, with the tests to run."""

    verdicts: dict[int, str] = field(default_factory=dict)
    waiting: dict[int, list[str]] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)
    rsa_keys: list[MadeKey] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


# --- a process for each mutant ---------------------------------------------------------------------------------------


def _in_a_fork(work: Callable[[], bool], *, limit_s: float) -> str:
    """Whether `work`, done in a copy of this process, found the mutant out."""
    child = os.fork()
    if not child:
        _as_child(work, limit_s)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return TIME if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM) else KILLED
    return SURVIVED if os.WEXITSTATUS(status) == 0 else KILLED


def _as_child(work: Callable[[], bool], limit_s: float) -> NoReturn:
    code = 1
    try:
        _be_silent()
        for timer, number, seconds in _TIMERS:
            signal.signal(number, signal.SIG_DFL)
            signal.setitimer(timer, seconds * limit_s)
        code = 1 if work() else 0
    finally:
        os._exit(code)


def _be_silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


# --- bodies of functions, in a process that has everything -----------------------------------------------------------


class LivingTrials:
    """A pytest plugin: runs every test once to see what it reaches, then the mutants, with all fixtures at hand."""

    def __init__(self, cases: Sequence[Case], measured: coverage.Coverage, say: Say, note: Note) -> None:
        self._cases = cases
        self._note = note
        self._measured = measured
        self._say = say
        self._items: list[pytest.Item] = []
        self._took_s: dict[int, float] = {}
        self._remembered: list[functools._lru_cache_wrapper[Any]] = []
        self._killers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self.outcome = Outcome()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own loop."""
        self._items = session.items
        self._run_all()
        self._remembered = _remembered_results()
        gc.freeze()  # so that a fork copies no page just to count references
        gc.disable()
        if not self.outcome.failed:
            reached = {case.target: self._reached(case.target) for case in self._cases}
            for at, case in enumerate(self._cases):
                if at % 100 == 0:
                    self._say(f"{at} of {len(self._cases)}")
                self._try(at, case, reached[case.target])
        self.outcome.libraries = [name for name in sys.modules if name.partition(".")[0] not in _OWN]
        return True

    def _run_all(self) -> None:
        """Every test once. The last one leaves what belongs to the whole session as it is."""
        for at, item in enumerate(self._items):
            self._measured.switch_context(str(at))
            began = time.perf_counter()
            reports = runtestprotocol(item, log=False, nextitem=self._items[(at + 1) % len(self._items)])
            self._took_s[at] = time.perf_counter() - began
            if any(report.failed for report in reports):
                self.outcome.failed.append(item.nodeid)
        self._measured.stop()

    def _reached(self, target: Target) -> dict[int, list[str]]:
        return self._measured.get_data().contexts_by_lineno(str(target.path))

    def _try(self, at: int, case: Case, reached: dict[int, list[str]]) -> None:
        lines = _lines(case.mutant)
        if not case.mutant.at_import and not _imports(lines, reached):
            self._judge(at, case, self._tests(lines, reached), self._change_of_body(case))
            return
        try:
            constants = self._constants(case, reached)
        except Exception:  # noqa: BLE001  whatever it is, the changed module cannot be imported
            self._found(at, case, KILLED)
            return
        if constants is None:
            self.outcome.waiting[at] = [self._items[test].nodeid for test in self._tests(reached, reached)]
        else:
            module = vars(sys.modules[case.target.module])
            self._judge(at, case, self._tests(constants.lines, reached), lambda: module.update(constants.values))

    def _constants(self, case: Case, reached: dict[int, list[str]]) -> NewValues | None:
        if case.mutant.function:
            return None
        module = sys.modules[case.target.module]
        found = new_values(module, case.target.source, case.code(), case.mutant.lines[0])
        return None if found is None or _imports(found.lines, reached) else found

    def _change_of_body(self, case: Case) -> Callable[[], None]:
        code = _named(case.code(), case.mutant.function)

        def change() -> None:
            _function(sys.modules[case.target.module], case.mutant.function).__code__ = code

        return change

    def _judge(self, at: int, case: Case, tests: Sequence[int], change: Callable[[], None]) -> None:
        place = (case.target.name, case.mutant.function)
        killers = self._killers[place]
        order = [test for test in killers if test in set(tests)]
        order += [test for test in tests if test not in set(killers)]
        reader, writer = os.pipe()
        limit_s = 10 + 5 * sum(self._took_s[test] for test in order)
        verdict = _in_a_fork(lambda: self._is_found_out(change, order, writer), limit_s=limit_s)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            killer = pipe.read()
        self._found(at, case, verdict)
        if killer and int(killer) not in killers:
            killers.insert(0, int(killer))

    def _found(self, at: int, case: Case, verdict: str) -> None:
        self.outcome.verdicts[at] = verdict
        self._note(case, verdict)
        if verdict == SURVIVED:
            self._say(described(case))

    def _tests(self, lines: Iterable[int], reached: dict[int, list[str]]) -> list[int]:
        """The tests that come to the lines, the quickest first."""
        found = {int(test) for line in lines for test in reached.get(line, ()) if test.isdigit()}
        return sorted(found, key=self._took_s.__getitem__)

    def _is_found_out(self, change: Callable[[], None], order: list[int], writer: int) -> bool:
        change()
        for results in self._remembered:
            results.cache_clear()
        for test in order:
            item = self._items[test]
            item.session._setupstate.teardown_exact(item)  # what the test before left, but for what both have
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=item)):
                os.write(writer, str(test).encode())
                return True
        return False


def _imports(lines: Iterable[int], reached: dict[int, list[str]]) -> bool:
    """Whether any of these lines ran while its module was imported."""
    return any(_IMPORT in reached.get(line, ()) for line in lines)


def _lines(mutant: Mutant) -> range:
    return range(mutant.lines[0], mutant.lines[1] + 1)


def _function(module: ModuleType, name: str) -> FunctionType:
    found: Any = module
    for part in name.split("."):
        found = vars(found)[part]
    found = getattr(found, "__func__", found)
    found = getattr(found, "fget", found)
    found = getattr(found, "__wrapped__", found)
    if not isinstance(found, FunctionType):
        raise TypeError(name)
    return found


def _named(code: CodeType, name: str) -> CodeType:
    wanted = name.split(".")
    for part in wanted:
        code = next(one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == part)
    return code


def _remembered_results() -> list[functools._lru_cache_wrapper[Any]]:
    """What our functions remember of the tests before: with it a change could go unnoticed."""
    return [
        found
        for found in gc.get_objects()
        if isinstance(found, functools._lru_cache_wrapper) and found.__module__.startswith("adapter")
    ]


def try_in_place(cases: Sequence[Case], tests: Sequence[str], say: Say, note: Note) -> Outcome:
    """Import everything, run the tests once, and try what can be tried in this process. To be called in a fork."""
    hypothesis.settings.register_profile("mutants", database=None, deadline=None, derandomize=True)
    hypothesis.settings.load_profile("mutants")
    paths = sorted({str(case.target.path) for case in cases})
    measured = coverage.Coverage(data_file=None, include=paths, config_file=False)
    measured.start()
    measured.switch_context(_IMPORT)
    for case in cases:
        importlib.import_module(case.target.module)
    measured.switch_context("collect")
    plugin = LivingTrials(cases, measured, say, note)
    plugin.outcome.rsa_keys = note_keys()
    _be_silent()
    pytest.main([*_OPTIONS, *tests], plugins=[plugin])
    return plugin.outcome


# --- what takes effect at import -------------------------------------------------------------------------------------


class _ChangedLoader(SourceFileLoader):
    """Imports a module with a change in it."""

    def __init__(self, case: Case, code: CodeType) -> None:
        super().__init__(case.target.module, str(case.target.path))
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        return self._code


class _Finder:
    """Finds the one module that is changed, before anybody else does."""

    def __init__(self, case: Case, code: CodeType) -> None:
        self._module = case.target.module
        self._loader = _ChangedLoader(case, code)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        del path, target
        return spec_from_loader(fullname, self._loader) if fullname == self._module else None


class _Chosen:
    """A pytest plugin: of what was collected the chosen tests only, in their order."""

    def __init__(self, names: Sequence[str]) -> None:
        self._order = {name: at for at, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep and sort."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid]
        )


def import_libraries(names: Sequence[str]) -> None:
    """What every fork below would have to import again."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112  some modules exist only inside of another one: then not
            continue


def try_at_import(case: Case, tests: Sequence[str], *, limit_s: float) -> str:
    """The verdict of processes that import the module changed. To be called where nothing of ours is imported.

    First the tests that are named after the module: they are few, and to collect all costs more than to run them.
    """
    own = [name for name in tests if Path(case.target.name).name in name.partition("::")[0]]
    rest = [name for name in tests if name not in set(own)]
    for some in filter(None, (own, rest)):
        verdict = _try_changed(case, some, limit_s=limit_s)
        if verdict != SURVIVED:
            return verdict
    return SURVIVED


def _try_changed(case: Case, tests: Sequence[str], *, limit_s: float) -> str:
    code = case.code()

    def work() -> bool:
        hypothesis.settings.register_profile("mutants", database=None, deadline=None, derandomize=True)
        hypothesis.settings.load_profile("mutants")
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, _Finder(case, code))
        importlib.import_module(case.target.module)
        files = sorted({name.partition("::")[0] for name in tests})
        return pytest.main([*_OPTIONS, "-x", *files], plugins=[_Chosen(tests)]) != pytest.ExitCode.OK

    return _in_a_fork(work, limit_s=limit_s)

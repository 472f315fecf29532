"""What the record costs when it is large: `python -m bench.record`, part of `make bench`.

Two records are made by the real schema, a small one and a large one, and measured in turn in one process, so that
whatever else the machine does falls on both: CPU of an append and of a proof, and the time of a search. The target: an
append and a proof at ten million entries cost at most 1.3 times what they cost at ten thousand, and a search by subject
or incident takes less than 100 ms. The exit code is 1 when that is missed.

    python -m bench.record                                # 10,000 and 200,000 entries, a minute
    python -m bench.record --sizes 10000,1000000,10000000 --searches --verify --keep DIR    # 14 GB on disk
"""

from __future__ import annotations

import json
import math
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from adapter.audit.verify import verify_record
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.identifiers import SubsystemId
from adapter.ports import Claim, KeptMessage, RecordWrite
from adapter.store.appending import Log
from adapter.store.archive import Archive
from adapter.store.batch import BatchWriter, PreparedWrite
from adapter.store.engine import Database
from adapter.store.log_reader import LogFilter, LogReader
from adapter.store.migrate import prepare
from adapter.store.record import prepare_write
from bench.record_filling import INCIDENT_EVERY, MadeUp, fill, incident_of, is_filled
from bench.record_searches import Searched, search_all
from examples.federation.federation import CHECKOUT

SMALL: Final = 10_000
MAX_RATIO: Final = 1.3
MAX_SEARCH_S: Final = 0.1
_ORIGIN: Final = "UZ/GOV/200000001"
_PLACE: Final = CHECKOUT / "var" / "bench"
_ROUNDS: Final = 40
_BATCHES_A_ROUND: Final = 10
_PER_BATCH: Final = 8
_PROOFS_A_ROUND: Final = 20
_SEARCHES: Final = 50
_WARM_UP_ROUNDS: Final = 4
_AT_LEAST: Final = 2
_MESSAGE_OCTETS: Final = 6_000
_ARCHIVE_KEY: Final = bytes(32)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Of one record. CPU in microseconds: the median of the rounds. Searches in milliseconds: the slowest.

    least_append_us: the cheapest round, which other work on the machine disturbed the least.
    """

    entries: int
    append_us: float
    least_append_us: float
    inclusion_us: float
    consistency_us: float
    subject_ms: float
    incident_ms: float


@dataclass(frozen=True, kw_only=True)
class Verified:
    """One record, verified whole. peak_mib: the most memory that the process had until then."""

    entries: int
    seconds: float
    cpu_s: float
    peak_mib: float


class _Record:
    """A filled record that is measured. Appended to, it grows by a few thousand entries."""

    def __init__(self, folder: Path, made_up: MadeUp, console: Console, minutes: float) -> None:
        self.made_up = made_up
        self._path = folder / made_up.file_name
        # Of a made-up record, and the same each time, so that a record that was kept can be gone on with.
        self.key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self.database = self._filled(console, minutes)
        self._writer = BatchWriter(self.database, self.log, Archive(_ARCHIVE_KEY), "bench/1")
        self._writer.open()
        self.reader = LogReader(self.database)
        self.made = self.reader.end_size()
        self.size = min(self.made, made_up.size)
        """Entries that were filled in; what was appended when the record was measured before is not among them."""
        self._random = random.Random(made_up.seed)

    @property
    def log(self) -> Log:
        return Log(_ORIGIN, self.signer)

    @property
    def signer(self) -> NoteSigner:
        return NoteSigner(_ORIGIN, self.key)

    def _filled(self, console: Console, minutes: float) -> Database:
        database = prepare(f"sqlite:///{self._path}")
        if is_filled(database, self.made_up):
            return database
        with _bar(console) as bar:
            task = bar.add_task(f"Making {self.made_up.size:,} entries", total=self.made_up.size)
            fill(database, self.log, self.made_up, lambda done: bar.update(task, completed=done), minutes=minutes)
        return database

    # --- what is measured --------------------------------------------------------------------------------------------

    def append_us(self) -> float:
        """CPU of one entry with its claim and its message, in batches as a busy adapter has them."""
        batches = [[self._write() for _ in range(_PER_BATCH)] for _ in range(_BATCHES_A_ROUND)]
        began = time.thread_time()
        for batch in batches:
            self._writer.commit(batch)
        return (time.thread_time() - began) / (_BATCHES_A_ROUND * _PER_BATCH) * 1e6

    def inclusion_us(self) -> float:
        """CPU of one proof that an entry is in the newest checkpoint."""
        numbers = [self._random.randrange(self.size) for _ in range(_PROOFS_A_ROUND)]
        return _each_us(self.reader.prove_entry, numbers)

    def consistency_us(self) -> float:
        """CPU of one proof from an older checkpoint to the newest."""
        newest = self.reader.end_size()
        sizes = [self._random.randrange(1, self.size) for _ in range(_PROOFS_A_ROUND)]
        return _each_us(lambda size: self.reader.prove_consistency(size, newest), sizes)

    def searches_ms(self) -> tuple[float, float]:
        """The slowest search by subject, and by incident; each finds something."""
        numbers = [self._random.randrange(self.size) for _ in range(_SEARCHES)]
        by_subject = [LogFilter(subject=self.made_up.entry(number).body["subjects"][0]) for number in numbers]
        by_incident = [LogFilter(incident=incident_of(number // INCIDENT_EVERY * INCIDENT_EVERY)) for number in numbers]
        return self._slowest_ms(by_subject), self._slowest_ms(by_incident)

    def search_all(self) -> Iterator[Searched]:
        """Each kind of search."""
        return search_all(self.reader, self._path, self.made_up, self.size)

    def verify(self, console: Console) -> Verified:
        """Verify all of it, with its progress on the console."""
        began, cpu = time.monotonic(), time.thread_time()
        with _bar(console) as bar:
            task = bar.add_task("Verifying", total=None)
            index = bar.add_task("Index of subjects", total=None)
            verify_record(
                self.reader,
                origin=_ORIGIN,
                verifiers=[NoteVerifier.parse(self.signer.vkey)],
                progress=lambda done, total: bar.update(task, completed=done, total=total),
                index_progress=lambda done, total: bar.update(index, completed=done, total=total),
            )
        return Verified(
            entries=self.reader.end_size(),
            seconds=time.monotonic() - began,
            cpu_s=time.thread_time() - cpu,
            peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )

    def _slowest_ms(self, filters: list[LogFilter]) -> float:
        slowest = 0.0
        for which in filters:
            began = time.monotonic()
            self.reader.search(which)
            slowest = max(slowest, time.monotonic() - began)
        return slowest * 1e3

    def _write(self) -> PreparedWrite:
        message_id = self.made_up.new_message_id(self.made)
        entry = self.made_up.entry(self.made, message_id=str(message_id))
        self.made += 1
        kept = KeptMessage(direction="request", octets=self._random.randbytes(_MESSAGE_OCTETS), content_key=bytes(16))
        claim = Claim(
            consumer=SubsystemId.parse(entry.consumer or ""),
            message_id=message_id,
            content_digest=bytes(32),
            expires=entry.at + timedelta(seconds=300),
        )
        return prepare_write(RecordWrite(entry=entry, kept=(kept,), claim=claim))


def _each_us(call: Callable[[int], object], numbers: list[int]) -> float:
    began = time.thread_time()
    for number in numbers:
        call(number)
    return (time.thread_time() - began) / len(numbers) * 1e6


def measure(records: list[_Record]) -> list[Found]:
    """Measure them in turn, round by round."""
    rounds: list[list[tuple[float, float, float]]] = [[] for _ in records]
    for turn in range(_WARM_UP_ROUNDS + _ROUNDS):
        for record, found in zip(records, rounds, strict=True):
            taken = record.append_us(), record.inclusion_us(), record.consistency_us()
            if turn >= _WARM_UP_ROUNDS:
                found.append(taken)
    results = []
    for record, found in zip(records, rounds, strict=True):
        append, inclusion, consistency = (statistics.median(values) for values in zip(*found, strict=True))
        subject, incident = record.searches_ms()
        results.append(
            Found(
                entries=record.size,
                append_us=append,
                least_append_us=min(values[0] for values in found),
                inclusion_us=inclusion,
                consistency_us=consistency,
                subject_ms=subject,
                incident_ms=incident,
            )
        )
    return results


def missed(small: Found, large: Found) -> list[str]:
    """Which targets are missed, in words."""
    words = []
    for name in ("append_us", "inclusion_us", "consistency_us"):
        ratio = getattr(large, name) / getattr(small, name)
        if ratio > MAX_RATIO:
            words.append(f"{name}: {ratio:.2f} times what it is at {small.entries:,} entries")
    words += [
        f"{name}: {getattr(large, name):.0f}, and {MAX_SEARCH_S * 1e3:.0f} are allowed"
        for name in ("subject_ms", "incident_ms")
        if getattr(large, name) > MAX_SEARCH_S * 1e3
    ]
    return words


def _sizes(text: str) -> list[int]:
    """Different sizes, in order."""
    try:
        sizes = sorted({int(one) for one in text.split(",")})
    except ValueError:
        raise typer.BadParameter("numbers with commas between them, such as 10000,1000000") from None
    if len(sizes) < _AT_LEAST or sizes[0] < SMALL:
        raise typer.BadParameter(f"at least two, of {SMALL} entries or more")
    return sizes


def bench(
    *,
    sizes: Annotated[
        str, typer.Option(help="Entries of the records, with commas between them; the first is compared with.")
    ] = f"{SMALL},200000",
    random_ids: Annotated[
        bool, typer.Option("--random-ids", help="Message ids without an order, as X-Road's and other stacks' are.")
    ] = False,
    searches: Annotated[bool, typer.Option("--searches", help="Also search the largest record in every way.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Also verify all of the largest record.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Make the records in this folder and leave them there.")] = None,
    minutes: Annotated[
        float, typer.Option(help="Fill a record for so long at most; with --keep the next call goes on.")
    ] = math.inf,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Compare a record of ten thousand entries with larger ones. The exit code is 1 when a target is missed."""
    console = Console(stderr=True)
    with _folder(keep) as folder:
        records = [
            _Record(folder, MadeUp(size=size, random_ids=random_ids), console, minutes) for size in _sizes(sizes)
        ]
        largest = records[-1]
        found = measure(records)
        searched = list(largest.search_all()) if searches else []
        gib = sum(file.stat().st_size for file in folder.glob(f"{largest.made_up.file_name}*")) / 2**30
        verified = largest.verify(console) if verify else None
    show(found, gib)
    show_more(searched, verified)
    if json_file is not None:
        figures = {
            "records": [asdict(one) for one in found],
            "searches": [asdict(one) for one in searched],
            "gib": gib,
            "verified": verified and asdict(verified),
        }
        json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    misses = [words for large in found[1:] for words in missed(found[0], large)]
    for words in misses:
        console.print(f"missed: {words}")
    raise typer.Exit(1 if misses else 0)


def show(found: list[Found], gib: float) -> None:
    """The figures of the records as a table on standard output, each with its ratio to the first."""
    small = found[0]
    table = Table("", *(f"{one.entries:,} entries" for one in found))
    for label, name in (
        ("append, µs of CPU", "append_us"),
        ("the cheapest round", "least_append_us"),
        ("proof of an entry, µs of CPU", "inclusion_us"),
        ("consistency proof, µs of CPU", "consistency_us"),
        ("slowest search by subject, ms", "subject_ms"),
        ("slowest search by incident, ms", "incident_ms"),
    ):
        low = getattr(small, name)
        larger = (getattr(one, name) for one in found[1:])
        table.add_row(label, f"{low:.1f}", *(f"{high:.1f} ({high / low:.2f})" for high in larger))
    console = Console()
    console.print(table)
    console.print(f"{gib:.1f} GiB on disk")


def show_more(searched: list[Searched], verified: Verified | None) -> None:
    """What was asked for besides."""
    console = Console()
    if searched:
        table = Table("search", "found", "from disk, ms", "of CPU", "from memory, ms", "of CPU")
        for one in searched:
            times = (one.cold_ms, one.cold_cpu_ms, one.warm_ms, one.warm_cpu_ms)
            table.add_row(one.what, str(one.found), *(f"{took:.1f}" for took in times))
        console.print(table)
    if verified is not None:
        console.print(
            f"all {verified.entries:,} entries verified in {verified.seconds:.0f} s, {verified.cpu_s:.0f} s of CPU; "
            f"peak memory {verified.peak_mib:.0f} MiB"
        )


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A folder to be kept, or an empty one on the checkout's disk, which is taken away again."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    _PLACE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=_PLACE, prefix="record-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    typer.run(bench)

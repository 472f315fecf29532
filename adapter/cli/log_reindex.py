"""`adapter log reindex`: the search indexes made again from the entries, where they are not what the entries say."""

from __future__ import annotations

from rich.console import RenderableType
from rich.progress import Progress
from rich.text import Text

from adapter.audit.checkpoint import record_origin
from adapter.audit.search_indexes import search_indexes_rebuilt
from adapter.cli.approval_gate import Asking, OfficerOption
from adapter.cli.log_verify import VkeyOption, verifiers_of
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_from
from adapter.cli.output import JsonValue, Output, doubtful, good
from adapter.cli.own_record import own_log
from adapter.cli.progress import progress_bar
from adapter.store.appending import append_entries
from adapter.store.engine import Database, open_database
from adapter.store.reindexing import (
    Looked,
    MendedSubjects,
    look_at_indexes,
    make_index_again,
    mend_subjects,
    mend_values,
)

_NOTHING = MendedSubjects(missing=0, foreign=0)


def reindex(
    *,
    officer: OfficerOption = None,
    vkey: VkeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Make the search indexes again from the entries, where they are missing, damaged or do not say the same.

    First the whole record is verified but for them: no index is made from entries that are not what was signed. What
    differs is entered in the record, then mended. Exit code 6: the entries themselves are not as they were, and nothing
    was changed. A running adapter may go on; while one of the database's own indexes is made it has to wait.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    log, who = own_log(settings), Asking(officer=officer).alone().officer
    verifiers, database = verifiers_of(settings, vkey), open_database(settings.database_url)
    with progress_bar(output) as bar:
        task = bar.add_task("Verifying", total=None)
        index = bar.add_task("Index of subjects", total=None, visible=False)
        looked = look_at_indexes(
            database,
            origin=record_origin(settings.member),
            verifiers=verifiers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            index_progress=lambda done, total: bar.update(index, completed=done, total=total, visible=True),
        )
        number, mended = None, _NOTHING
        if not looked.is_all_well:
            entry = search_indexes_rebuilt(
                values=len(looked.values),
                is_subjects=looked.are_subjects_wrong,
                indexes=looked.indexes,
                entries=looked.record.entries,
                officer=who,
                at=now_utc(),
            )
            # Before anything is mended: that searches may have missed entries is to be known whatever happens now.
            (number,) = append_entries(database, log, [entry])
            mended = _mend(database, looked, bar)
    output.result(_value(looked, mended, number), *_words(looked, mended, number))


def _mend(database: Database, looked: Looked, bar: Progress) -> MendedSubjects:
    making = bar.add_task("Making indexes", total=len(looked.indexes), visible=bool(looked.indexes))
    for name in looked.indexes:
        make_index_again(database, name)
        bar.advance(making)
    values = bar.add_task("Search values", total=len(looked.values), visible=bool(looked.values))
    mend_values(database, looked.values, lambda done, total: bar.update(values, completed=done, total=total))
    if not looked.are_subjects_wrong:
        return _NOTHING
    listed = bar.add_task("Listing subjects", total=None)
    return mend_subjects(database, lambda done, total: bar.update(listed, completed=done, total=total))


def _value(looked: Looked, mended: MendedSubjects, number: int | None) -> JsonValue:
    return {
        "entries": looked.record.entries,
        "mended": not looked.is_all_well,
        "values": len(looked.values),
        "subjects": {"wrong": looked.are_subjects_wrong, "missing": mended.missing, "foreign": mended.foreign},
        "indexes": list(looked.indexes),
        "record": None if number is None else int(number),
    }


def _words(looked: Looked, mended: MendedSubjects, number: int | None) -> list[RenderableType]:
    read = f"{looked.record.entries} entries"
    if number is None:
        return [Text.assemble(good("Nothing to mend: "), f"the search indexes are what {read} say")]
    words: list[RenderableType] = [Text.assemble(good("Mended: "), f"the search indexes are what {read} say")]
    if looked.values:
        words.append(Text(f"Entries whose search values were not those of their text: {len(looked.values)}"))
    if looked.are_subjects_wrong:
        words.append(Text(f"Index of subjects: {mended.missing} missing, {mended.foreign} that no entry says"))
    if looked.indexes:
        words.append(Text(f"Made again: {', '.join(looked.indexes)}"))
    words.append(doubtful(f"Searches may have missed entries before. Entry {number} says what was found."))
    return words

"""Options and values that several commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from adapter.cli.failures import console_language
from adapter.envelope.statements import BASIS_NAMES, basis_names
from adapter.envelope.texts import ENGLISH
from adapter.errors import AdapterError, CommandRefused, EnvelopeRefused
from adapter.identifiers import MemberId, MessageId, OfficialId, ServiceId, SubjectId, SubsystemId
from adapter.settings import Settings, load_settings
from adapter.stages import LegalBasis

Value = TypeVar("Value")

BASIS_FORM: Final = "KIND[,NAME=VALUE…]:REFERENCE"
DEFAULT_SETTINGS: Final = Path("adapter.toml")
_MAX_WORDS_CHARS: Final = 500


class Suite(StrEnum):
    """The suites of the directory (crypto.suites)."""

    P256 = "p256"
    ED25519 = "ed25519"
    RSA = "rsa"


class Language(StrEnum):
    """The languages that faults and results are written in."""

    EN = "en"
    RU = "ru"
    UZ = "uz"


def reader(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """A typer parser from a function that raises AdapterError: a wrong value is a usage error (exit code 2)."""

    def parse(text: str) -> Value:
        try:
            return read(text)
        except AdapterError as cause:
            raise typer.BadParameter(cause.reason) from None

    return parse


def read_subject(text: str) -> SubjectId:
    """`pinfl:30101850000000`. Raises CommandRefused, InvalidIdentifier."""
    kind, colon, value = text.partition(":")
    if not colon:
        raise CommandRefused("a subject is written kind:value, for example pinfl:… or cadastre:…")
    return SubjectId(kind, value)


def read_legal_basis(text: str) -> LegalBasis:
    """`law:ZRU-395, article 12`, or `contract,number=17,date=2026-01-02:On care`. Raises CommandRefused."""
    said, colon, reference = text.partition(":")
    kind, *pairs = (part.strip() for part in said.split(","))
    if not colon or not kind or not reference.strip():
        raise CommandRefused("a legal basis is written kind:reference, for example 'law:ZRU-395, article 12'")
    named = dict(pair.partition("=")[::2] for pair in pairs)
    if not named.keys() <= BASIS_NAMES:
        raise CommandRefused(f"a legal basis names apart: {', '.join(sorted(BASIS_NAMES))}")
    try:
        return LegalBasis(kind=kind, reference=reference.strip(), names=basis_names(named))
    except EnvelopeRefused as cause:
        raise CommandRefused(cause.reason) from None


def read_time(text: str) -> datetime:
    """A date (midnight UTC) or a time with its zone. Raises CommandRefused."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandRefused("a time is written 2026-12-31 or 2026-12-31T18:00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def read_day(text: str) -> date:
    """`2026-11-27`. Raises CommandRefused."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandRefused("a day is written 2026-11-27") from None


def read_words(text: str) -> str:
    """Why an officer did something, for the record. Raises CommandRefused: nothing is said, or a whole story."""
    said = text.strip()
    if not 1 <= len(said) <= _MAX_WORDS_CHARS:
        raise CommandRefused(f"say it in 1 to {_MAX_WORDS_CHARS} characters")
    return said


FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The authority's folder.", show_default=False)]
SettingsOption = Annotated[
    Path,
    typer.Option(
        "--settings",
        "--home",
        "-s",
        envvar="ADAPTER_SETTINGS",
        help="The adapter's settings file, or the folder that holds adapter.toml.",
        show_default="./adapter.toml",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for a script.")]
LanguageOption = Annotated[
    Language | None,
    typer.Option("--language", "-l", envvar="ADAPTER_LANGUAGE", help="Language of faults: en, ru or uz."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]

MemberValue = Annotated[MemberId, typer.Option(parser=reader(MemberId.parse), metavar="MEMBER")]

member_reader: Final = reader(MemberId.parse)
subsystem_reader: Final = reader(SubsystemId.parse)
service_reader: Final = reader(ServiceId.parse)
message_id_reader: Final = reader(MessageId)
official_reader: Final = reader(OfficialId)
subject_reader: Final = reader(read_subject)
legal_basis_reader: Final = reader(read_legal_basis)
time_reader: Final = reader(read_time)
day_reader: Final = reader(read_day)
words_reader: Final = reader(read_words)

SinceOption = Annotated[
    datetime | None,
    typer.Option(parser=time_reader, metavar="TIME", help="From this time on, a day from midnight UTC."),
]
UntilOption = Annotated[datetime | None, typer.Option(parser=time_reader, metavar="TIME", help="Before this time.")]


def check_period(since: datetime | None, until: datetime | None) -> None:
    """Whoever mixes the two up is told so, and not that nothing was found. Raises CommandRefused."""
    if since is not None and until is not None and since >= until:
        raise CommandRefused("the period ends before it begins: --since is the earlier time, --until the later")


def settings_path(given: Path) -> Path:
    """The settings file that is meant: the file itself, or adapter.toml in the folder."""
    return given / DEFAULT_SETTINGS.name if given.is_dir() else given


def settings_from(given: Path) -> Settings:
    """Read the settings. Raises SettingsInvalid."""
    return load_settings(settings_path(given))


def spoken(given: Language | None) -> str:
    """The language that was asked for, else that of the console, else English."""
    wished = console_language().partition("-")[0].lower() if given is None else given.value
    return wished if wished in set(Language) else ENGLISH


def now_utc() -> datetime:
    """The clock of the command line: the one place where a command asks for the time."""
    return datetime.now(UTC)

"""`adapter keys list`: every key with where it lives, what the record says of it, and its certificate."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from adapter.audit.key_life import KeyLife, LifeState
from adapter.cli.approval_gate import NOBODY
from adapter.cli.directory_source import own_directory
from adapter.cli.key_files import CERTIFIED, KeyFile, KeyState
from adapter.cli.key_office import KeyOffice
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption
from adapter.cli.output import JsonValue, Output, bad, doubtful, good, table_of, when
from adapter.cli.own_record import record_signer
from adapter.directory.model import Directory
from adapter.errors import AdapterError

_COLUMNS = ("Key", "Purpose", "State", "Suite", "Subject", "Expires", "Fingerprint", "Validity")
_WITH_LIFE = frozenset(purpose.value for purpose in CERTIFIED)


def list_keys(settings_file: SettingsOption = DEFAULT_SETTINGS, *, as_json: JsonOption = False) -> None:
    """List the keys: where each is, its state, suite, certificate, expiry, fingerprint and whether it is fit."""
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, NOBODY)
    keys = office.all_keys()
    directory = _directory_if_any(office)
    gone = [life for life in office.lives.values() if life.facts.key_id not in {key.key_id for key in keys}]
    rows = [_row(key, _state_of(office, key, directory)) for key in keys] + [_row_of_gone(life) for life in gone]
    values = [_value(key, _state_of(office, key, directory)) for key in keys] + [_value_of_gone(life) for life in gone]
    shown = table_of(_COLUMNS, rows) if rows else Text("No keys. `adapter keys create` makes them.")
    output.result(values, shown)
    if any(key.purpose == "record" and key.state is KeyState.READY for key in keys) and not as_json:
        signer = record_signer(office.settings)
        output.remark(f"Verifier key of the record, for those who keep its checkpoints:\n{signer.vkey}")


def _directory_if_any(office: KeyOffice) -> Directory | None:
    try:
        return own_directory(office.settings)
    except AdapterError:
        return None


def _state_of(office: KeyOffice, key: KeyFile, directory: Directory | None) -> LifeState | None:
    """None for a key without a life of its own: the record's and the archive's, and one that cannot be read."""
    return office.state(key, directory) if key.purpose in _WITH_LIFE and key.key_id else None


def _row(key: KeyFile, state: LifeState | None) -> tuple[RenderableType, ...]:
    certificate = key.certificate
    return (
        key.name,
        key.purpose,
        "" if state is None else _state_words(state),
        key.suite,
        "" if certificate is None else certificate.subject.rfc4514_string(),
        "" if certificate is None else when(certificate.not_valid_after_utc),
        key.fingerprint,
        _validity_words(key),
    )


def _row_of_gone(life: KeyLife) -> tuple[RenderableType, ...]:
    validity = "" if life.state is LifeState.DESTROYED else bad("not there any more")
    return (life.facts.name, life.facts.purpose, _state_words(life.state), "", "", "", "", validity)


def _state_words(state: LifeState) -> Text:
    match state:
        case LifeState.ACTIVE:
            return good(state.value)
        case LifeState.REVOKED:
            return bad(state.value)
        case LifeState.RETIRED | LifeState.DESTROYED:
            return Text(state.value)
        case _:
            return doubtful(state.value)


def _validity_words(key: KeyFile) -> Text:
    match key.state:
        case KeyState.READY:
            return good(key.state.value)
        case KeyState.UNUSABLE:
            return bad(key.reason)
        case KeyState.EXPIRED:
            return bad(key.state.value)
        case _:
            return doubtful(key.state.value)


def _value(key: KeyFile, state: LifeState | None) -> JsonValue:
    certificate = key.certificate
    return {
        "key": key.title,
        "file": str(key.path),
        "token": key.in_token or None,
        "purpose": key.purpose,
        "state": None if state is None else state.value,
        "since": None if key.life is None else when(key.life.since),
        "record": None if key.life is None else key.life.entry,
        "suite": key.suite or None,
        "subject": None if certificate is None else certificate.subject.rfc4514_string(),
        "issuer": None if certificate is None else certificate.issuer.rfc4514_string(),
        "expires": None if certificate is None else when(certificate.not_valid_after_utc),
        "sha256": key.fingerprint or None,
        "key_sha256": key.key_id or None,
        "validity": key.state.value,
        "problem": key.reason or None,
    }


def _value_of_gone(life: KeyLife) -> JsonValue:
    return {
        "key": life.facts.name,
        "file": None,
        "token": None,
        "purpose": life.facts.purpose,
        "state": life.state.value,
        "since": when(life.since),
        "record": life.entry,
        "key_sha256": life.facts.key_id,
        "validity": None,
        "problem": None,
    }

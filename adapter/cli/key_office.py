"""The desk at which officers act on keys: what is there, what the record says of it, and the entry of each act."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from adapter.app.own_certificates import named_in
from adapter.audit.admin import admin_entry
from adapter.audit.approvals import Act
from adapter.audit.key_life import KeyFacts, LifeState, Lives, inferred
from adapter.cli.approval_gate import Asking, Mandate, mandate_for
from adapter.cli.directory_source import own_directory
from adapter.cli.key_files import KeyFile
from adapter.cli.options import now_utc, settings_from
from adapter.cli.own_record import RECORD_KEY_FILE, own_log
from adapter.cli.token_keys import survey_with
from adapter.directory.model import Directory
from adapter.errors import CommandRefused
from adapter.settings import Settings
from adapter.store.appending import append_entries
from adapter.store.engine import Database, database_path, open_database
from adapter.store.key_lives import KeyLives, Step

IN_FILE: Final = "file"
_MIN_DIGITS: Final = 8


class KeyOffice:
    """What a command about keys works with. Read once; `look_again` after an act."""

    def __init__(self, settings: Settings, asking: Asking) -> None:
        """Raises StoreUnusable."""
        self.settings = settings
        self.asking = asking
        self._database: Database | None = None
        if database_path(settings.database_url).exists():
            self._database = open_database(settings.database_url)
        self._log = own_log(settings) if (settings.adapter.keys_dir / RECORD_KEY_FILE).exists() else None
        self.lives: Lives = {}
        self.look_again()

    @classmethod
    def of(cls, settings_file: Path, asking: Asking) -> KeyOffice:
        """The desk of the adapter of these settings. Raises SettingsInvalid, KeyUnusable, StoreUnusable."""
        return cls(settings_from(settings_file), asking)

    @property
    def database(self) -> Database:
        """The database. Raises CommandRefused: there is none yet, and no act can be entered."""
        if self._database is None or self._log is None:
            raise CommandRefused("there is no record yet in which this could be entered: `adapter init` makes it")
        return self._database

    @property
    def has_record(self) -> bool:
        """Whether acts can be entered. Before `adapter init` has made the record, keys can be made all the same."""
        return self._database is not None and self._log is not None

    def look_again(self) -> None:
        """Read what the record says now."""
        if self._database is not None:
            self.lives = KeyLives(self._database).all()

    def all_keys(self) -> list[KeyFile]:
        """Every key that is there."""
        return survey_with(self.settings, self.lives, now_utc())

    def find(self, name: str) -> KeyFile:
        """The key that is meant: by its name (signing-2027) or the first digits of a fingerprint. CommandRefused."""
        asked = name.removesuffix(".key").removesuffix(".pem")
        known = self.all_keys()
        found = [key for key in known if key.title == asked]
        if not found and len(asked) >= _MIN_DIGITS:
            found = [key for key in known if key.key_id.startswith(asked) or key.fingerprint.startswith(asked)]
        if len(found) != 1:
            many = "more than one key is" if found else "no key is"
            raise CommandRefused(f"{many} called {name}: `adapter keys list` names them")
        if not found[0].key_id:
            raise CommandRefused(f"{asked} has no life of its own: {found[0].reason or 'it has no certificate'}")
        return found[0]

    def facts(self, key: KeyFile) -> KeyFacts:
        """What entries call it."""
        return key.life.facts if key.life is not None else facts_of(key)

    def directory(self) -> Directory:
        """The directory that this adapter has. Raises AdapterError."""
        return own_directory(self.settings)

    def note_directory(self, directory: Directory, mandate: Mandate) -> None:
        """Enter what it says of our keys, and look again."""
        if self._log is None:
            return
        named = named_in(directory, self.settings.member)
        KeyLives(self.database).note_directory(
            named, version=directory.version, officer=mandate.officer, log=self._log, now=now_utc()
        )
        self.look_again()

    def state(self, key: KeyFile, directory: Directory | None = None) -> LifeState:
        """Where it stands: by the record, else by what is seen of it."""
        if key.life is not None:
            return key.life.state
        registered = directory is not None and key.key_id in named_in(directory, self.settings.member)
        return inferred(certified=key.certificate is not None, registered=registered)

    def step(self, key: KeyFile, to: LifeState, directory: Directory | None = None, **details: Any) -> Step:  # noqa: ANN401
        """A step of this key, to be entered."""
        before = None if key.life is not None else self.state(key, directory)
        said = {name: value for name, value in details.items() if value is not None}
        return Step(facts=self.facts(key), to=to, inferred=before, details=said)

    def enter(self, *steps: Step, mandate: Mandate) -> int:
        """Enter these steps, all or none; gives the number of the first entry. Raises CommandRefused, StoreUnusable."""
        database = self.database
        if self._log is None:
            raise CommandRefused("there is no record key")
        said = [
            Step(facts=one.facts, to=one.to, inferred=one.inferred, details={**one.details, **mandate.details})
            for one in steps
        ]
        number = KeyLives(database).enter(said, officer=mandate.officer, log=self._log, now=now_utc())
        self.look_again()
        return number

    def enter_act(self, action: str, details: Mapping[str, Any], mandate: Mandate) -> int:
        """Enter an act that is not one key's. Raises CommandRefused, StoreUnusable."""
        database = self.database
        if self._log is None:
            raise CommandRefused("there is no record key")
        said = {**details, **mandate.details}
        entry = admin_entry(action, officer=mandate.officer, at=now_utc(), details=said)
        return append_entries(database, self._log, [entry])[0]

    def enter_life(self, facts: KeyFacts, to: LifeState, *, mandate: Mandate) -> int:
        """The same for a key that only the record knows any more."""
        life = self.lives.get(facts.key_id)
        return self.enter(Step(facts=facts, to=to, inferred=None if life else LifeState.RETIRED), mandate=mandate)

    def plain_mandate(self) -> Mandate:
        """For acts that need nobody else's consent."""
        return self.asking.alone()

    def mandate(self, act: str, what: Mapping[str, Any]) -> Mandate:
        """Leave to do exactly this. act: its kind. what: everything that decides what will be done.

        Raises ApprovalNeeded: it was asked for, and officers have to sign.
        """
        if act == "key-create" and not self.has_record:  # `adapter init` has not been run
            return self.asking.alone()
        database = self.database
        if self._log is None:
            raise CommandRefused("there is no record key")
        return mandate_for(self.settings, Act(kind=act, what=what), self.asking, database, self._log)


def facts_of(key: KeyFile) -> KeyFacts:
    """What entries call a key that none is about yet."""
    place = key.in_token.partition(":")[0] if key.in_token else IN_FILE
    return KeyFacts(key_id=key.key_id, purpose=key.purpose, name=key.title, place=place)

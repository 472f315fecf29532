"""Kill, bring back, go on: under load, as often as wanted, while somebody outside remembers checkpoints."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field

from adapter.store.engine import Database, open_database
from adapter.store.log_reader import LogReader
from examples.federation.federation import Federation
from examples.federation.home import Home
from tests.adapters.stub_system import StubSystem
from tests.kills.load import Load
from tests.kills.victims import Kill, Victim, bring_back, strike


@dataclass(kw_only=True)
class Aftermath:
    """What there is after the last kill, when everything runs again.

    remembered: for each member's folder the checkpoints that somebody outside kept, one before each kill.
    gave_up: how often an adapter ended by itself, because its workers were killed as soon as they had started.
    """

    federation: Federation
    system: StubSystem
    load: Load
    databases: dict[str, Database]
    remembered: dict[str, list[str]] = field(default_factory=dict)
    killed: Counter[tuple[str, str]] = field(default_factory=Counter)
    gave_up: int = 0

    @classmethod
    def before(cls, federation: Federation, system: StubSystem, load: Load) -> Aftermath:
        """Before the first kill."""
        members = (load.consumer, load.provider)
        return cls(
            federation=federation,
            system=system,
            load=load,
            # Opened once: opening looks through the whole file.
            databases={home.plan.folder: open_database(home.settings.database_url) for home in members},
            remembered={home.plan.folder: [] for home in members},
        )

    @property
    def members(self) -> tuple[Home, Home]:
        """The consumer, and the provider."""
        return self.load.consumer, self.load.provider

    @property
    def consumer(self) -> Home:
        """Whose systems ask."""
        return self.load.consumer

    @property
    def provider(self) -> Home:
        """Whose system is asked."""
        return self.load.provider

    def run(self, kills: Iterable[Kill]) -> Generator[Kill]:
        """Carry them out one after the other; gives each when its adapter works again. Stops the load at the end."""
        self.load.start()
        try:
            for kill in kills:
                time.sleep(kill.after_s)
                if kill.asked:
                    self.system.hold()
                    self.system.wait_asked()
                self._remember()
                hit = strike(kill, self.federation)
                self.system.release()
                self.killed[kill.member, kill.victim.value] += 1
                started = bring_back(self.federation, self.federation.homes[kill.member], hit)
                self.gave_up += started and kill.victim is Victim.WORKER
                yield kill
        finally:
            self.system.release()
            self.load.stop()

    def _remember(self) -> None:
        """Keep the newest checkpoint of each record, as somebody outside would."""
        for folder, database in self.databases.items():
            newest = LogReader(database).latest_checkpoint()
            if newest is not None:
                self.remembered[folder].append(newest.note)

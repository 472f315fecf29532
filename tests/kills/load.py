"""What is going on while processes are killed, and what the systems that ask remember of it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from examples.federation.home import Home
from tests.adapters.small_federation import ask, fresh_pinfl

_JOIN_S = 120.0
_AFTER_FAILURE_S = 0.1
_BROKEN = (OSError, http.client.HTTPException, etree.XMLSyntaxError)
"""What comes of an adapter that is killed in the middle of its answer, or is not there: no answer."""


@dataclass(kw_only=True)
class Load:
    """Systems of the consumer that ask one question after the other, each about somebody else, until told to stop.

    Their own memory, which no adapter writes, is what the records are compared with. pause_s: after each answer.
    """

    consumer: Home
    provider: Home
    clients: int = 3
    pause_s: float = 0.0
    answered: dict[str, str] = field(default_factory=dict)
    """PINFL to message id, for every call that was acknowledged with an answer."""
    refused: dict[str, str] = field(default_factory=dict)
    """PINFL to the code of the fault."""
    unanswered: set[str] = field(default_factory=set)
    """PINFLs of calls that got no answer at all: their own adapter was killed."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: Sequence[threading.Thread] = ()

    def start(self) -> None:
        """Begin to ask."""
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask nothing more, and wait for what is on its way."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_JOIN_S)
            assert not thread.is_alive(), "a call hangs, or a client of the test ended"

    def _ask(self) -> None:
        while not self._stopping.is_set():
            pinfl = fresh_pinfl()
            try:
                answer = ask(self.consumer, self.provider, pinfl)
            except _BROKEN:
                self.unanswered.add(pinfl)
                time.sleep(_AFTER_FAILURE_S)
                continue
            if answer.code == "answered":
                self.answered[pinfl] = answer.headers["Adapter-Message-Id"]
                time.sleep(self.pause_s)
            else:
                self.refused[pinfl] = answer.code
                time.sleep(_AFTER_FAILURE_S)

"""The time-stamp while `adapter authority serve` runs: renewed where that was asked for, else its end is called out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.authority_publishing import renew_timestamp
from adapter.cli.directory_server import serve_folder
from adapter.cli.options import now_utc
from adapter.cli.output import Output, bad, doubtful, good, when
from adapter.errors import AdapterError

LOOK_EVERY_S: Final = 60
_CALL_OUT: Final = (timedelta(hours=6), timedelta(hours=3), timedelta(hours=1), timedelta(0))
"""How long before its end the time-stamp is called out; once each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewal:
    """That this machine renews it, with the online keys. valid_for: how long a new one holds."""

    valid_for: timedelta
    passphrase_file: Path | None = None


class TimestampKeeper:
    """Looks at the published time-stamp, and does or says what is due. For one thread at a time."""

    def __init__(self, home: AuthorityFolder, renewal: Renewal | None, output: Output) -> None:
        """renewal: None where an operator renews it, from cron."""
        self._home, self._renewal, self._output = home, renewal, output
        self._called_out: tuple[int, timedelta] | None = None

    def begin(self, now: datetime) -> None:
        """Renew it at once if it is this machine's to renew, so that keys that do not fit are found before serving.

        Raises CommandRefused, KeyUnusable.
        """
        if self._renewal is not None:
            self._renew(self._renewal, now)
        self.look(now)

    def look(self, now: datetime) -> None:
        """Renew it when half of its time is over; what fails is said and tried again later. Never raises."""
        try:
            if self._renewal is not None and self._left(now) < self._renewal.valid_for / 2:
                self._renew(self._renewal, now)
        except AdapterError as cause:
            self._output.remark(bad(f"The time-stamp was not renewed: {cause.reason}"))
        try:
            self._call_out(now)
        except AdapterError as cause:
            self._output.remark(bad(f"The time-stamp cannot be read: {cause.reason}"))

    def _left(self, now: datetime) -> timedelta:
        stamped = self._home.timestamp()
        return timedelta(0) if stamped is None else stamped.expires - now

    def _renew(self, renewal: Renewal, now: datetime) -> None:
        renew_timestamp(self._home, now=now, passphrase_file=renewal.passphrase_file, timestamp_valid=renewal.valid_for)
        stamped = self._home.timestamp()
        if stamped is not None:
            self._output.remark(good(f"Time-stamp {stamped.version} is valid until {when(stamped.expires)}"))

    def _call_out(self, now: datetime) -> None:
        stamped = self._home.timestamp()
        if stamped is None:
            return
        passed = [before for before in _CALL_OUT if stamped.expires - now <= before]
        if not passed or self._called_out == (stamped.version, passed[-1]):
            return
        self._called_out = (stamped.version, passed[-1])
        word = "expired" if stamped.expires <= now else "expires"
        said = f"The time-stamp of the directory {word} {when(stamped.expires)}; after that adapters have their grace. "
        mend = f"Renew it: adapter authority timestamp {self._home.path}, or serve with --renew-timestamp"
        self._output.remark((bad if stamped.expires <= now else doubtful)(said + mend))


def serve_with_keeper(home: AuthorityFolder, address: str, port: int, renewal: Renewal | None, output: Output) -> None:
    """Publish the folder until somebody ends it, with an eye on its time-stamp.

    Raises CommandRefused, KeyUnusable before anything is served.
    """
    keeper = TimestampKeeper(home, renewal, output)
    keeper.begin(now_utc())
    serve_folder(home.published, address, port, output, look=keeper.look, look_every_s=LOOK_EVERY_S)

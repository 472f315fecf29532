"""The operational log: structlog to standard error, JSON or for a person. Never personal data, never a key.

Only the names in `ALLOWED_KEYS` get through, and only short texts: what is not on the list is dropped, so that a
careless call cannot put a body, an identifier of a person or a secret into the log (promise 9).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

ALLOWED_KEYS: Final = frozenset(
    {
        "event", "level", "timestamp", "logger",
        "incident", "code", "because", "error", "where", "client", "record", "request_record", "reported",
        "pid", "worker", "workers", "exit_code", "deaths", "address", "port", "listener", "version", "expires",
        "entries", "batch", "waited_s", "state", "service", "days", "purpose_of_key", "dropped_keys", "policy",
        "authority", "since", "member", "kind", "witness", "status", "count", "held", "reasons", "caller", "clients",
        "mend", "why", "root", "refused_from", "certificate", "behind_ms", "last_entry", "last_entry_at",
        "started_in", "files", "added", "changed", "removed",
    }
)  # fmt: skip
_MAX_TEXT_CHARS: Final = 200


def _only_known_keys(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    kept: dict[str, Any] = {}
    dropped = []
    for key, value in event.items():
        if key not in ALLOWED_KEYS:
            dropped.append(key)
        elif isinstance(value, int | float | bool | type(None)):
            kept[key] = value
        else:
            kept[key] = str(value)[:_MAX_TEXT_CHARS]
    if dropped:
        kept["dropped_keys"] = ",".join(sorted(dropped))[:_MAX_TEXT_CHARS]
    return kept


def configure_logs(*, level: str, form: str) -> None:
    """Send the log to standard error. level: `debug`, `info`, `warning`, `error`. form: `json` or `console`.

    Libraries that log by themselves (aiohttp, alembic, zeep) are let through from WARNING on, without their arguments.
    """
    renderer: structlog.typing.Processor
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_known_keys,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.lastResort = None
    root = logging.getLogger()
    root.handlers[:] = [_Foreign(logging.WARNING)]


class _Foreign(logging.Handler):
    """What a library logs: its name, its level and the kind of error; its text may hold anything and is left out."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        structlog.get_logger().warning(
            "library message", logger=record.name, error=error, where=f"{record.module}:{record.lineno}"
        )

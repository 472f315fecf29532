"""Secrecy orders, kept as administrative entries of the record and nowhere else (audit.secrecy)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from adapter.audit.admin import admin_entry
from adapter.audit.secrecy import ACTIONS, LIFTED, MAX_ORDERS_IN_FORCE, PLACED, SecrecyOrder, lift_details, read_orders
from adapter.errors import CommandRefused, RecordBroken, StoreUnusable
from adapter.identifiers import RecordNumber
from adapter.store.acts import read_acts
from adapter.store.appending import Log, append
from adapter.store.engine import Database


class SecrecyOrders:
    """What the record says of secrecy orders. For any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[RecordNumber, SecrecyOrder]:
        """Every order that was ever placed, by its number, oldest first. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return _read(connection)

    def place(self, details: Mapping[str, Any], *, officer: str, log: Log, now: datetime) -> RecordNumber:
        """Enter an order (audit.secrecy.order_details); gives its number. Raises CommandRefused, StoreUnusable."""
        with self._database.writing() as connection:
            today = now.astimezone(UTC).date()
            if sum(order.in_force(today) for order in _read(connection).values()) >= MAX_ORDERS_IN_FORCE:
                raise CommandRefused(f"{MAX_ORDERS_IN_FORCE} orders are in force: no more are placed")
            return append(connection, log, (admin_entry(PLACED, officer=officer, at=now, details=details),))[0]

    def lift(
        self, number: int, reason: str, *, officer: str, log: Log, now: datetime, more: Mapping[str, Any]
    ) -> RecordNumber:
        """End an order before its day; gives the number of the entry that says so. CommandRefused, StoreUnusable.

        more: by which approval (cli.approval_gate).
        """
        with self._database.writing() as connection:
            order = find_order(_read(connection), number)
            details = lift_details(order, reason, today=now.astimezone(UTC).date()) | dict(more)
            return append(connection, log, (admin_entry(LIFTED, officer=officer, at=now, details=details),))[0]


def find_order(orders: Mapping[RecordNumber, SecrecyOrder], number: int) -> SecrecyOrder:
    """The order of this number. Raises CommandRefused."""
    order = orders.get(RecordNumber(number))
    if order is None:
        raise CommandRefused(f"entry {number} is no secrecy order: `adapter log secrecy list` names them")
    return order


def _read(connection: Connection) -> Mapping[RecordNumber, SecrecyOrder]:
    try:
        return read_orders((act.number, act.at, act.body) for act in read_acts(connection, ACTIONS))
    except RecordBroken as error:
        raise StoreUnusable(f"{error.reason}; run `adapter log verify`") from error

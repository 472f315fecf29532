"""Secrecy orders on disk: entries of the record, found by its index, and nothing beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapter.audit.secrecy import Covered, order_details
from adapter.directory.content import SecrecyKind
from adapter.errors import CommandRefused, StoreUnusable
from adapter.identifiers import RecordNumber
from adapter.store import secrecy_orders
from adapter.store.secrecy_orders import SecrecyOrders
from tests.records import NOW, RecordHome

KIND = SecrecyKind(code="inquiry", titles={"en": "An inquiry"}, maximum=timedelta(days=90))
DETAILS = order_details(KIND, "17-2026", Covered(purpose="benefit"), until=NOW.date() + timedelta(days=1), now=NOW)


def placed(home: RecordHome) -> RecordNumber:
    return SecrecyOrders(home.database).place(DETAILS, officer="officer-7", log=home.log, now=NOW)


def test_an_order_is_an_entry_and_so_is_its_end(home):
    home.fill(1, 2)
    orders, number = SecrecyOrders(home.database), placed(home)
    assert (number, list(orders.all())) == (2, [2])
    body = home.reader.show(number).body
    assert (body["kind"], body["outcome"], body["officer"]) == ("admin", "secrecy-order-placed", "officer-7")
    assert body["details"] == DETAILS
    assert orders.all()[number].in_force(NOW.date())

    lifted = orders.lift(number, "closed", officer="officer-8", log=home.log, now=NOW, more={"approval": "a-1"})
    body = home.reader.show(lifted).body
    assert (body["outcome"], body["officer"]) == ("secrecy-order-lifted", "officer-8")
    assert body["details"] == {"placed_in": 2, "reason": "closed", "approval": "a-1"}
    assert not orders.all()[number].in_force(NOW.date())
    home.verify()


@pytest.mark.parametrize("number", [0, 1, 7])
def test_only_an_order_that_there_is_is_lifted(home, number):
    placed(home)
    orders = SecrecyOrders(home.database)
    if number == 0:
        orders.lift(0, "closed", officer="officer-8", log=home.log, now=NOW, more={})
    with pytest.raises(CommandRefused):
        orders.lift(number, "closed", officer="officer-8", log=home.log, now=NOW, more={})


def test_there_are_not_more_orders_in_force_than_can_be_looked_at(home, monkeypatch):
    monkeypatch.setattr(secrecy_orders, "MAX_ORDERS_IN_FORCE", 1)
    placed(home)
    with pytest.raises(CommandRefused, match="1 orders are in force"):
        placed(home)


def test_an_order_that_cannot_be_read_stops_the_view_instead_of_opening_it(home):
    placed(home)
    home.change("UPDATE entries SET document = replace(document, '\"covers\"', '\"covert\"')")
    with pytest.raises(StoreUnusable, match="log verify"):
        SecrecyOrders(home.database).all()

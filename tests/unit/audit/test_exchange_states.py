"""The life of an exchange is a table, and the table keeps promise 3."""

import pytest

from adapter.audit.exchange_states import TRANSITIONS, states_before
from adapter.ports import ExchangeState


def test_every_state_is_in_the_table():
    assert set(TRANSITIONS) == {None, *ExchangeState}


@pytest.mark.parametrize("state", ExchangeState)
def test_no_state_leads_back_to_released(state):
    """What was once handed to the information system is never handed to it again."""
    assert ExchangeState.RELEASED not in TRANSITIONS[state]


def test_an_answer_is_final():
    assert TRANSITIONS[ExchangeState.ANSWERED] == frozenset()


def test_the_states_before_are_the_table_read_backwards():
    for state in ExchangeState:
        assert states_before(state) == {before for before in ExchangeState if state in TRANSITIONS[before]}

"""The state machines as tables: what design.md says of them, and nothing leads back to a second send (I2)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from patching.states import (
    CHANGE_TRANSITIONS,
    NOTICE_TRANSITIONS,
    ORDER_TRANSITIONS,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    ChangeState,
    IllegalTransition,
    NoticeState,
    OrderState,
    RunState,
    StepState,
    require,
)

MACHINES: list[tuple[type[StrEnum], Mapping[Any, frozenset[Any]], StrEnum]] = [
    (RunState, RUN_TRANSITIONS, RunState.REQUESTED),
    (StepState, STEP_TRANSITIONS, StepState.PLANNED),
    (ChangeState, CHANGE_TRANSITIONS, ChangeState.PREPARING),
    (NoticeState, NOTICE_TRANSITIONS, NoticeState.DUE),
    (OrderState, ORDER_TRANSITIONS, OrderState.REQUESTED),
]


@pytest.mark.parametrize(("states", "table", "first"), MACHINES)
def test_every_state_has_its_row_and_can_be_reached(
    states: type[StrEnum], table: Mapping[Any, frozenset[Any]], first: StrEnum
) -> None:
    assert set(table) == set(states)
    assert reachable(table, first) == set(states)


@pytest.mark.parametrize(("states", "table", "first"), MACHINES)
def test_no_state_leads_to_itself(states: type[StrEnum], table: Mapping[Any, frozenset[Any]], first: StrEnum) -> None:
    assert not [state for state in states if state in table[state]]


@pytest.mark.parametrize("state", RunState)
def test_a_run_has_ended_exactly_where_nothing_follows(state: RunState) -> None:
    assert state.ended == (not RUN_TRANSITIONS[state])


@pytest.mark.parametrize("state", StepState)
def test_a_step_has_ended_exactly_where_nothing_follows(state: StepState) -> None:
    assert state.ended == (not STEP_TRANSITIONS[state])


@pytest.mark.parametrize("state", ChangeState)
def test_a_change_has_ended_exactly_where_nothing_follows(state: ChangeState) -> None:
    assert state.ended == (not CHANGE_TRANSITIONS[state])


@pytest.mark.parametrize("state", [StepState.UNKNOWN, StepState.SENT, StepState.DONE, StepState.FAILED])
def test_I2_nothing_that_may_have_been_sent_leads_to_a_send(state: StepState) -> None:
    assert not reachable(STEP_TRANSITIONS, state) & {StepState.PLANNED, StepState.SENDING}


def test_I2_only_a_step_in_sending_is_planned_again() -> None:
    assert [old for old, news in STEP_TRANSITIONS.items() if StepState.PLANNED in news] == [StepState.SENDING]


def test_I3_only_an_approved_change_is_used() -> None:
    assert [old for old, news in CHANGE_TRANSITIONS.items() if ChangeState.USED in news] == [ChangeState.APPROVED]
    assert [old for old, news in CHANGE_TRANSITIONS.items() if ChangeState.APPROVED in news] == [
        ChangeState.PENDING,
        ChangeState.WAITING,
        ChangeState.HELD,
    ]
    assert ChangeState.USED not in reachable(CHANGE_TRANSITIONS, ChangeState.BLOCKED)


def test_a_run_that_needs_a_person_only_goes_on_or_fails() -> None:
    assert RUN_TRANSITIONS[RunState.NEEDS_HUMAN] == {RunState.RUNNING, RunState.FAILED}


@pytest.mark.parametrize(("states", "table", "first"), MACHINES)
def test_require_follows_the_table(states: type[StrEnum], table: Mapping[Any, frozenset[Any]], first: StrEnum) -> None:
    for old in states:
        for new in states:
            if new in table[old]:
                require(table, old, new)
            else:
                with pytest.raises(IllegalTransition, match=f"{states.__name__}: {old} → {new} is not a transition"):
                    require(table, old, new)


def reachable(table: Mapping[Any, frozenset[Any]], start: StrEnum) -> set[StrEnum]:
    found, waiting = {start}, [start]
    while waiting:
        news = table[waiting.pop()] - found
        found |= news
        waiting.extend(news)
    return found

"""How far incremental inputs have read: stored, shown, set by hand, rolled back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from dataos_dagster.errors import StateError
from dataos_dagster.state.models import IntentRow
from dataos_dagster.state.watermarks import WatermarkKey, advance

JOB = "public/daily/load"
START = WatermarkKey(JOB, "orders", "all_orders", "start")
PAGE = WatermarkKey(JOB, "orders", "all_orders", "page")


def confirmed(state, run: str, **values: str) -> None:
    keys = {"start": START, "page": PAGE}
    with state.database.writing() as session:
        advance(session, [(keys[name], value) for name, value in values.items()], run)


def stored(state) -> dict[str, str]:
    return {at.key: value for at, value in state.watermarks.of_job(JOB).items()}


def test_a_value_is_read_back_with_the_one_before_it(state):
    before = datetime.now(UTC)
    confirmed(state, "run-1", start="2020-01-01")
    confirmed(state, "run-2", start="2020-02-01")
    [found] = state.watermarks.find(JOB)
    assert (found.at, found.value, found.previous) == (START, "2020-02-01", "2020-01-01")
    assert (found.origin, found.run_id) == ("run", "run-2")
    assert before <= found.changed_at <= datetime.now(UTC)


def test_inputs_with_the_same_context_and_keys_have_values_of_their_own(state):
    other = WatermarkKey(JOB, "refunds", "all_orders", "start")
    elsewhere = WatermarkKey("public/weekly/load", "orders", "all_orders", "start")
    for at, value in ((START, "1"), (other, "2"), (elsewhere, "3")):
        state.watermarks.set(at, value)
    assert state.watermarks.of_job(JOB) == {START: "1", other: "2"}
    assert [found.value for found in state.watermarks.find("load")] == ["1", "2", "3"]
    assert [found.value for found in state.watermarks.find("daily/load", "refunds")] == ["2"]


def test_a_rollback_brings_back_what_the_last_run_replaced_and_nothing_else(state):
    confirmed(state, "run-1", start="1", page="a")
    confirmed(state, "run-2", start="2")
    [rolled] = state.watermarks.rollback(JOB)
    assert (rolled.at, rolled.value, rolled.previous, rolled.origin) == (START, "1", "2", "rollback")
    assert stored(state) == {"start": "1", "page": "a"}


def test_a_rollback_of_the_first_run_leaves_no_value(state):
    confirmed(state, "run-1", start="1", page="a")
    state.watermarks.rollback("load")
    assert stored(state) == {}


def test_a_second_rollback_is_refused_because_one_previous_value_is_kept(state):
    confirmed(state, "run-1", start="1")
    state.watermarks.rollback(JOB)
    with pytest.raises(StateError, match=r"was rolled back on .* one previous value is kept"):
        state.watermarks.rollback(JOB)
    with pytest.raises(StateError, match="nothing is stored for nobody"):
        state.watermarks.rollback("nobody")


def test_a_value_set_by_hand_can_be_taken_back(state):
    confirmed(state, "run-1", start="1", page="a")
    assert state.watermarks.set(START, "9").origin == "set"
    state.watermarks.rollback(JOB, "orders")
    assert stored(state) == {"start": "1", "page": "a"}


def test_a_rollback_of_a_name_that_means_two_jobs_is_refused(state):
    elsewhere = WatermarkKey("public/weekly/load", "orders", "all_orders", "start")
    with state.database.writing() as session:
        advance(session, [(START, "1"), (elsewhere, "2")], "run-1")
    with pytest.raises(StateError, match="load means 2 jobs: public/daily/load, public/weekly/load"):
        state.watermarks.rollback("load")
    state.watermarks.rollback("daily/load")
    assert (stored(state), len(state.watermarks.of_job("public/weekly/load"))) == ({}, 1)


@pytest.mark.parametrize("change", ["set", "rollback"])
def test_what_a_run_is_about_to_move_cannot_be_changed(state, change):
    confirmed(state, "run-1", start="1")
    state.intents.claim(JOB, "", "run-2")
    with state.database.writing() as session:
        session.execute(update(IntentRow).values(host="elsewhere"))
    with pytest.raises(StateError, match="is being run by process"):
        state.watermarks.set(START, "0") if change == "set" else state.watermarks.rollback(JOB)
    assert stored(state) == {"start": "1"}
    state.intents.let_go(JOB)
    state.watermarks.set(START, "0") if change == "set" else state.watermarks.rollback(JOB)
    assert stored(state) == ({"start": "0"} if change == "set" else {})

"""Writes that are to happen exactly once: claimed by one process, noted, settled, confirmed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import update

from dataos_dagster.errors import StateError
from dataos_dagster.state.intents import InputWindow, Intent, scope_of
from dataos_dagster.state.models import IntentRow
from dataos_dagster.state.watermarks import WatermarkKey

JOB = "public/daily/load"
START = WatermarkKey(JOB, "orders", "all_orders", "start")
WINDOW = InputWindow("orders", "all_orders", {"start": "1", "end": "5"})
DATASETS = ("dataos://lakehouse:sales/orders", "dataos://lakehouse:sales/copy")


def planned(state, *, run: str = "run-1", scope: str = "") -> Intent:
    assert state.intents.claim(JOB, scope, run) is None
    return state.intents.plan(Intent(JOB, scope, run, (WINDOW,), ((START, "5"),)), DATASETS)


def begun(state, token: str) -> None:
    state.intents.begin(token, before="s1", marked=False)


def of_a_dead_process(state) -> None:
    """Make the claim look like one of a process that is gone."""
    with state.database.writing() as session:
        session.execute(update(IntentRow).values(process_started="another-boot:1"))


def test_what_a_run_that_died_was_about_to_write_is_found_by_the_next(state):
    intent = planned(state)
    begun(state, intent.writes[0].token)
    of_a_dead_process(state)
    left = state.intents.claim(JOB, "", "run-2")
    assert left is not None
    assert (left.run_id, left.window, left.advances) == ("run-1", (WINDOW,), ((START, "5"),))
    assert [(write.dataset, write.status, write.before) for write in left.writes] == [
        (DATASETS[0], "writing", "s1"),
        (DATASETS[1], "planned", None),
    ]
    assert {write.token for write in left.writes} == {write.token for write in intent.writes}


def test_a_watermark_moves_only_when_every_write_is_known_to_have_happened(state):
    intent = planned(state)
    first, second = (write.token for write in intent.writes)
    begun(state, first)
    state.intents.settle(first, written=True, after="s2")
    begun(state, second)
    with pytest.raises(StateError, match=f"not known to be written: {DATASETS[1]}"):
        state.intents.confirm(intent)
    assert state.watermarks.of_job(JOB) == {}
    state.intents.settle(second, written=True)
    state.intents.confirm(intent)
    assert state.watermarks.of_job(JOB) == {START: "5"}
    assert state.intents.find(JOB) is None
    assert state.intents.claim(JOB, "", "run-2") is None


def test_a_write_that_did_not_happen_may_begin_again_under_its_token(state):
    intent = planned(state)
    token = intent.writes[0].token
    begun(state, token)
    [pending] = state.intents.pending_on(DATASETS[0])
    assert (pending.token, pending.before, pending.marked) == (token, "s1", False)
    state.intents.settle(token, written=False)
    assert state.intents.pending_on(DATASETS[0]) == ()
    begun(state, token)
    assert len(state.intents.pending_on(DATASETS[0])) == 1


def test_two_runs_of_a_job_at_once_are_refused(state, settings):
    script = (
        "import os, sys; from pathlib import Path\n"
        "from dataos_dagster.settings import Settings; from dataos_dagster.state.database import State\n"
        "State.open(Settings(project=Path(os.environ['PROJECT']))).intents.claim(sys.argv[1], '', 'run-1')\n"
        "print('claimed', flush=True)\n"
        "sys.stdin.read()\n"
    )
    variables = {**os.environ, "PROJECT": str(settings.project)}
    if settings.state.url:
        variables["DATAOS_STATE__URL"] = settings.state.url.get_secret_value()
    other = subprocess.Popen(
        [sys.executable, "-c", script, JOB], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout.readline() == b"claimed\n"
        with pytest.raises(StateError, match=f"{JOB} is being run by process {other.pid}"):
            state.intents.claim(JOB, "", "run-2")
        with pytest.raises(StateError, match="is being run"):
            state.intents.abandon(JOB)
        with pytest.raises(StateError, match=r"is being run by .*\n  hint: wait until it has ended"):
            state.intents.let_go(JOB)
        with pytest.raises(StateError, match="is being run"):
            state.watermarks.set(START, "3")
        assert state.watermarks.of_job(JOB) == {}
        assert state.intents.claim(JOB, scope_of({"start": "1"}), "run-2") is None
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert state.intents.claim(JOB, "", "run-2") is None


def test_of_processes_of_another_machine_nothing_is_known_until_somebody_lets_them_go(state):
    planned(state)
    with state.database.writing() as session:
        session.execute(update(IntentRow).values(host="elsewhere"))
    with pytest.raises(StateError, match=r"on elsewhere, run run-1\n  hint: if elsewhere is gone: dataos flare"):
        state.intents.claim(JOB, "", "run-2")
    [freed] = state.intents.let_go("load")
    assert (freed.job, freed.scope, freed.run_id, freed.host) == (JOB, "", "run-1", "elsewhere")
    assert state.intents.claim(JOB, "", "run-2") is not None


def test_a_job_whose_lost_run_had_planned_nothing_yet_is_let_go_too(state):
    assert state.intents.claim(JOB, "", "run-1") is None
    with state.database.writing() as session:
        session.execute(update(IntentRow).values(host="elsewhere"))
    with pytest.raises(StateError, match="dataos flare state release"):
        state.intents.claim(JOB, "", "run-2")
    assert [freed.run_id for freed in state.intents.let_go(JOB)] == ["run-1"]
    assert state.intents.claim(JOB, "", "run-2") is None
    with pytest.raises(StateError, match="no process holds a job other"):
        state.intents.let_go("other")


def test_one_job_is_let_go_of_at_a_time(state):
    state.intents.claim(JOB, "", "run-1")
    state.intents.claim("public/weekly/load", "", "run-1")
    with pytest.raises(StateError, match="load means 2 jobs that a process holds: public/daily/load, public/weekly"):
        state.intents.let_go("load")


def test_a_run_lets_go_of_what_it_holds_itself_only(state):
    planned(state)
    with state.database.writing() as session:
        session.execute(update(IntentRow).values(host="elsewhere"))
    state.intents.release(JOB, "", "run-1")
    with pytest.raises(StateError, match="is being run by"):
        state.intents.claim(JOB, "", "run-2")


def test_a_run_that_lost_its_job_neither_plans_nor_writes_nor_confirms(state):
    intent = planned(state)
    token = intent.writes[0].token
    with state.database.writing() as session:
        session.execute(update(IntentRow).values(host="elsewhere"))
    with pytest.raises(StateError, match="does not hold the job any more"):
        begun(state, token)
    for write in intent.writes:
        state.intents.settle(write.token, written=True)
    with pytest.raises(StateError, match="does not hold the job any more"):
        state.intents.confirm(intent)
    with pytest.raises(StateError, match="does not hold the job any more"):
        state.intents.plan(intent, DATASETS)
    assert state.watermarks.of_job(JOB) == {}


def test_what_is_abandoned_is_not_taken_up_again(state):
    planned(state)
    state.intents.abandon(JOB)
    state.intents.abandon("public/daily/unknown")
    assert state.intents.find(JOB) is None
    assert state.intents.claim(JOB, "", "run-2") is None


def test_runs_with_given_keys_have_an_intent_of_their_own(state):
    scope = scope_of({"orders.start": "1", "orders.end": "2"})
    assert scope == scope_of({"orders.end": "2", "orders.start": "1"}) != scope_of({"orders.start": "1"})
    assert scope_of({}) == ""
    planned(state)
    planned(state, scope=scope)
    assert state.intents.find(JOB, scope) is not None


def test_a_write_that_nobody_noted_cannot_begin(state):
    with pytest.raises(StateError, match="no write 0815 is noted"):
        begun(state, "0815")


def test_of_many_processes_that_come_at_once_one_gets_the_job(state, settings):
    url = settings.state.url.get_secret_value() if settings.state.url else None
    context = multiprocessing.get_context("spawn")
    done, outcomes = context.Event(), context.Queue()
    processes = [
        context.Process(target=claim_once, args=(str(settings.project), url, done, outcomes)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    found = [outcomes.get(timeout=120) for _ in processes]
    done.set()
    for process in processes:
        process.join(60)
    assert sorted(found) == ["claimed", "refused", "refused", "refused"]


def claim_once(project: str, url: str | None, done, outcomes) -> None:
    from pathlib import Path

    from dataos_dagster.settings import Settings
    from dataos_dagster.state.database import State

    state = State.open(Settings(project=Path(project), **({"state": {"url": url}} if url else {})))
    try:
        state.intents.claim(JOB, "", f"run-{os.getpid()}")
        outcomes.put("claimed")
    except StateError:
        outcomes.put("refused")
    done.wait(100)  # a process that has ended would not hold the job any more

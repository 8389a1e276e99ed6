"""The record of runs: what they were to do, and what they have left."""

from __future__ import annotations

import subprocess
import sys

from sqlalchemy import update

from dataos_dagster.state.job_runs import JobRunStart
from dataos_dagster.state.models import RunRow

JOBS = ("public/wf/one", "public/wf/two", "public/wf/three")


def ended(state, run_id: str, job: str, outcome) -> None:
    start = JobRunStart(job, "public", "wf", "ann", run_id)
    state.job_runs.finish(state.job_runs.start(start), outcome, error=None if outcome == "succeeded" else "no")


def test_what_has_not_succeeded_is_left(state):
    assert state.runs.last() is None
    state.runs.begin("r1", JOBS)
    ended(state, "r1", JOBS[0], "succeeded")
    ended(state, "r1", JOBS[1], "failed")
    ended(state, "another", JOBS[2], "succeeded")
    state.runs.finish("r1", "interrupted")
    last = state.runs.last()
    assert (last.run_id, last.status, last.jobs) == ("r1", "interrupted", JOBS)
    assert last.left == JOBS[1:]
    assert last.begun == {JOBS[0], JOBS[1]}
    assert last.started_at <= last.finished_at


def test_of_several_tries_of_a_job_the_last_one_counts(state):
    state.runs.begin("r1", JOBS[:1])
    ended(state, "r1", JOBS[0], "failed")
    ended(state, "r1", JOBS[0], "succeeded")
    state.runs.finish("r1", "ended")
    assert state.runs.last().left == ()


def test_the_last_run_is_the_one_that_was_begun_last(state):
    state.runs.begin("r1", JOBS)
    state.runs.begin("r2", JOBS[:1])
    state.runs.finish("r1", "ended")
    assert state.runs.last().run_id == "r2"


def test_a_run_whose_process_is_gone_is_dead(state):
    state.runs.begin("r1", JOBS)
    assert state.runs.last().status == "running"
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    with state.database.writing() as session:
        session.execute(update(RunRow).values(pid=process.pid))
    assert state.runs.last().status == "dead"
    assert state.runs.last().left == JOBS

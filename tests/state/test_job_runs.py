"""The record of job runs: what goes in comes out, and what it says about runs that nobody finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from dataos_dagster import redaction
from dataos_dagster.errors import StateError
from dataos_dagster.state.job_runs import JobRunStart, OutputRecord
from dataos_dagster.state.models import JobRunRow


def start_of(job: str = "daily/delays", **values) -> JobRunStart:
    workflow = job.split("/", maxsplit=1)[0]
    return JobRunStart(
        job=f"public/{job}", workspace="public", workflow=workflow, principal="ann", run_id="run-1", **values
    )


def change(state, run: str, **values) -> None:
    with state.database.writing() as session:
        session.execute(update(JobRunRow).where(JobRunRow.id == run).values(values))


def test_a_run_is_read_back_as_it_was_recorded(state):
    before = datetime.now(UTC)
    run = state.job_runs.start(
        start_of(engine="sail", engine_reasons=("all constructs are proven",), inputs=("dataos://files:none/a.csv",))
    )
    outputs = (
        OutputRecord("dataos://lakehouse:flights/delays", 5_000_000_000, 2**40, "8731264", "main"),
        OutputRecord("dataos://lakehouse:flights/routes", 20),
    )
    state.job_runs.finish(run, "succeeded", outputs=outputs)
    [found] = state.job_runs.history()
    assert (found.id, found.job, found.workspace, found.workflow) == (run, "public/daily/delays", "public", "daily")
    assert (found.principal, found.run_id, found.dagster_run_id) == ("ann", "run-1", None)
    assert (found.engine, found.engine_reasons) == ("sail", ("all constructs are proven",))
    assert (found.inputs, found.outputs) == (("dataos://files:none/a.csv",), outputs)
    assert (found.rows, found.status, found.error) == (5_000_000_020, "succeeded", None)
    assert before <= found.started_at <= found.finished_at <= datetime.now(UTC)
    assert found.started_at.tzinfo is UTC
    assert found.seconds == (found.finished_at - found.started_at).total_seconds()


def test_rows_are_unknown_when_no_store_says(state):
    run = state.job_runs.start(start_of())
    state.job_runs.finish(run, "succeeded", outputs=[OutputRecord("s3://out/a")])
    assert state.job_runs.get(run).rows is None


def test_a_failed_run_keeps_what_it_wrote_before(state):
    run = state.job_runs.start(start_of())
    state.job_runs.finish(run, "failed", outputs=[OutputRecord("dataos://lakehouse:a/b", 3)], error="no such column")
    found = state.job_runs.get(run)
    assert (found.status, found.error, found.rows) == ("failed", "no such column", 3)


def test_the_engine_may_be_known_only_at_the_end(state):
    run = state.job_runs.start(start_of(inputs=("dataos://a:b/c",)))
    state.job_runs.finish(run, "succeeded", engine="spark", engine_reasons=["stack() is not proven"])
    found = state.job_runs.get(run)
    assert (found.engine, found.engine_reasons) == ("spark", ("stack() is not proven",))
    assert found.inputs == ("dataos://a:b/c",)


def test_secrets_are_masked_in_a_stored_error(state):
    redaction.register("tulip-mania-1637")
    run = state.job_runs.start(start_of())
    state.job_runs.finish(run, "failed", error="FATAL: cannot log in to postgresql://u:tulip-mania-1637@h/d")
    assert state.job_runs.get(run).error == "FATAL: cannot log in to postgresql://u:***@h/d"


def test_a_run_that_is_not_recorded_cannot_be_finished(state):
    with pytest.raises(StateError, match="no job run 0123 is recorded"):
        state.job_runs.finish("0123", "succeeded")
    assert state.job_runs.get("0123") is None


def test_history_is_newest_first_and_limited(state):
    runs = [state.job_runs.start(start_of(f"daily/job{number}")) for number in range(4)]
    assert [run.id for run in state.job_runs.history()] == runs[::-1]
    assert [run.id for run in state.job_runs.history(limit=2)] == runs[:1:-1]


def test_all_jobs_of_a_run_are_shown_unless_a_limit_is_given(state):
    for number in range(55):
        state.job_runs.start(start_of(f"daily/job{number}"))
    assert len(state.job_runs.history()) == 50
    assert len(state.job_runs.history(run="run-1")) == 55
    assert len(state.job_runs.history(3, run="run")) == 3


def test_the_beginning_of_many_ids_names_a_few_of_them_and_nothing_is_no_beginning(state):
    for number in range(7):
        run = state.job_runs.start(start_of())
        change(state, run, run_id=f"abc{number}")
    with pytest.raises(StateError) as raised:
        state.job_runs.history(run="abc")
    assert raised.value.message == "abc means 7 runs: abc0, abc1, abc2, abc3, abc4, …"
    with pytest.raises(StateError, match="the id of a run is empty"):
        state.job_runs.history(run="")


def test_history_finds_a_job_by_its_whole_name_or_its_last_parts(state):
    for job in ("daily/delays", "weekly/delays", "daily/my_delays", "daily/myXdelays", "daily/50%"):
        state.job_runs.start(start_of(job))

    def found(job):
        return sorted(run.job.removeprefix("public/") for run in state.job_runs.history(job=job))

    assert found("public/daily/delays") == ["daily/delays"]
    assert found("daily/delays") == ["daily/delays"]
    assert found("delays") == ["daily/delays", "weekly/delays"]
    assert found("my_delays") == ["daily/my_delays"]
    assert found("50%") == ["daily/50%"]
    assert found("%") == []


def test_a_run_of_a_living_process_is_running(state):
    run = state.job_runs.start(start_of())
    assert state.job_runs.get(run).status == "running"
    assert state.job_runs.get(run).seconds is None


def test_a_run_whose_process_was_killed_is_dead(state, settings):
    script = (
        "import os, signal; from pathlib import Path\n"
        "from dataos_dagster.settings import Settings\n"
        "from dataos_dagster.state.database import State\n"
        "from dataos_dagster.state.job_runs import JobRunStart\n"
        "settings = Settings(project=Path(os.environ['PROJECT']))\n"
        "State.open(settings).job_runs.start(JobRunStart('public/w/j', 'public', 'w', 'ann', 'run-9'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    variables = {**os.environ, "PROJECT": str(settings.project)}
    if settings.state.url:
        variables["DATAOS_STATE__URL"] = settings.state.url.get_secret_value()
    done = subprocess.run([sys.executable, "-c", script], env=variables, check=False)
    assert done.returncode == -signal.SIGKILL
    [found] = state.job_runs.history()
    assert (found.run_id, found.status, found.finished_at) == ("run-9", "dead", None)


def test_a_process_that_took_over_the_number_is_not_taken_for_the_run(state):
    run = state.job_runs.start(start_of())
    change(state, run, process_started="another-boot:1")
    assert state.job_runs.get(run).status == "dead"


def test_a_run_of_another_machine_is_left_as_it_is(state):
    run = state.job_runs.start(start_of())
    change(state, run, host="somewhere-else", process_started="another-boot:1")
    assert state.job_runs.get(run).status == "running"


def test_a_moment_without_a_zone_is_refused(state):
    run = state.job_runs.start(start_of())
    with pytest.raises(Exception, match="has no time zone"):
        change(state, run, finished_at=datetime(2030, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_moments_are_compared_across_zones(state):
    from datetime import timedelta, timezone

    run = state.job_runs.start(start_of())
    change(state, run, finished_at=datetime(2030, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    assert state.job_runs.get(run).finished_at == datetime(2030, 1, 1, tzinfo=UTC)

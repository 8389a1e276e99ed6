"""What a schedule does while an earlier run is still at work, through the real daemon, launcher and engine."""

from __future__ import annotations

import dagster as dg
import pytest
from daemon import running_daemon, wait_for
from manifest_builder import workflow
from shop import load_job, write_shop

from dataos_dagster.depots.locks import Holder, writing
from dataos_dagster.processes import start_time

EACH_MINUTE = "* * * * *"
# Four rows joined with themselves until nobody lives to see the end.
ENDLESS = " CROSS JOIN ".join(f"in_0 AS t{number}" for number in range(24))


def waiting(name: str):
    """Return a job whose write waits for the table's lock, which costs nothing."""
    job = load_job(name)
    job["spec"]["stackSpec"]["job"]["outputs"][0]["dataset"] = f"dataos://lakehouse:shop/{name}?acl=rw"
    return job


def computing(name: str):
    """Return a job that keeps its engine at work."""
    job = waiting(name)
    section = job["spec"]["stackSpec"]["job"]
    sql = f"SELECT sum(t0.amount * t1.amount) AS total FROM {ENDLESS}"
    section["steps"] = [{"sequence": [{"name": "total", "sql": sql}]}]
    section["outputs"][0]["name"] = "total"
    return job


def scheduled(name: str, policy: str, job):
    return workflow(name, job, schedule={"cron": EACH_MINUTE, "concurrencyPolicy": policy})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    files = {
        "forbid.yaml": scheduled("forbid", "Forbid", waiting("forbidden")),
        "allow.yaml": scheduled("allow", "Allow", waiting("allowed")),
        "replace.yaml": scheduled("replace", "Replace", computing("replaced")),
        "dataos.yaml": "limits: {lock_seconds: 600}\nengines: {default: sail}\n",
    }
    return write_shop(tmp_path_factory.mktemp("concurrency") / "shop", files=files)


@pytest.fixture(scope="module")
def instance(folder):
    """Run the daemon while somebody else holds two of the tables."""
    holder = Holder.this_process("somebody else", None, None)
    with (
        writing(lock_of(folder, "forbidden"), holder, seconds=1, what="forbidden"),
        writing(lock_of(folder, "allowed"), holder, seconds=1, what="allowed"),
        running_daemon(folder) as instance,
    ):
        yield instance
        for run in active_runs(instance):
            instance.run_launcher.terminate(run.run_id)
        wait_for(lambda: not active_runs(instance), folder)


def lock_of(folder, table):
    return folder / ".dataos" / "lakehouse" / "shop" / f".{table}.lock"


def active_runs(instance):
    return [run for run in instance.get_runs() if not run.is_finished]


def runs_of(instance, workflow):
    """Return the runs of a workflow, the first one first."""
    runs = instance.get_runs(filters=dg.RunsFilter(tags={"dataos/workflow": f"public/{workflow}"}))
    return list(reversed(runs))


def writer_of(folder, table):
    """Return who holds the table's lock, when it is a run whose engine is at work."""
    file = lock_of(folder, table)
    holder = Holder.parse(file.read_text()) if file.exists() else None
    return holder if holder and holder.engine_pid else None


def test_replace_ends_the_run_and_its_engine_before_the_next_one_works(instance, folder):
    first = wait_for(lambda: writer_of(folder, "replaced"), folder)
    [run] = runs_of(instance, "replace")
    assert first.operation == run.run_id
    assert start_time(first.engine_pid) == first.engine_started

    def second():
        holder = writer_of(folder, "replaced")
        return holder if holder and holder.operation != first.operation else None

    following = wait_for(second, folder)
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELED
    assert start_time(first.engine_pid) != first.engine_started, "the engine outlived its run"
    assert start_time(first.pid) != first.started, "the run's process outlived its run"
    assert [each.run_id for each in runs_of(instance, "replace")] == [first.operation, following.operation]
    assert instance.get_run_by_id(following.operation).status is dg.DagsterRunStatus.STARTED
    assert not (folder / ".dataos" / "lakehouse" / "shop" / "replaced" / "metadata").exists()


def test_forbid_skips_while_the_first_run_is_at_work(instance, folder):
    def skipped():
        found = [
            tick
            for state in instance.all_instigator_state()
            if state.instigator_name == "public__forbid"
            for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
            if tick.status.value == "SKIPPED"
        ]
        return found[:1]

    [tick] = wait_for(skipped, folder)
    [run] = runs_of(instance, "forbid")
    assert tick.skip_reason == f"the previous run is active ({run.run_id}) and concurrencyPolicy is Forbid"
    assert run.status is dg.DagsterRunStatus.STARTED


def test_allow_runs_beside_the_first_run(instance, folder):
    both = wait_for(lambda: runs_of(instance, "allow")[1:] and runs_of(instance, "allow"), folder)
    wait_for(lambda: instance.get_run_by_id(both[1].run_id).status is dg.DagsterRunStatus.STARTED, folder)
    assert instance.get_run_by_id(both[0].run_id).status is dg.DagsterRunStatus.STARTED

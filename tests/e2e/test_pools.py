"""A bound on the jobs of a depot holds across runs: the real daemon, its queue and its launcher."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest
from daemon import running_daemon, wait_for
from manifest_builder import file_depot, workflow
from shop import load_job, write_shop

from dataos_dagster.bundles.workspace import apply_changes, plan_workspace
from dataos_dagster.depots.locks import Holder, writing

SETTINGS = """\
limits: {lock_seconds: 600}
engines: {default: sail}
depots: {warehouse: {pool: warehouse}}
"""
JOBS = ("one", "other")


def scheduled(name: str):
    """Return a workflow that each minute writes a table of its own in one depot."""
    job = load_job(name)
    job["spec"]["stackSpec"]["job"]["outputs"][0]["dataset"] = f"dataos://warehouse:shop/{name}?acl=rw"
    return workflow(name, job, schedule={"cron": "* * * * *", "concurrencyPolicy": "Forbid"})


@pytest.fixture
def folder(tmp_path):
    warehouse = file_depot("warehouse", "warehouse")
    warehouse["depot"]["file"]["format"] = "ICEBERG"
    files = {f"{name}.yaml": scheduled(name) for name in JOBS}
    return write_shop(tmp_path / "shop", files=files | {"warehouse.yaml": warehouse, "dataos.yaml": SETTINGS})


def test_jobs_of_one_depot_go_one_after_the_other_through_its_pool(folder):
    somebody = Holder.this_process("somebody else", None, None)
    locks = (folder / "warehouse" / "shop" / f".{name}.lock" for name in JOBS)

    def first_runs():
        found = [instance.get_runs(dg.RunsFilter(tags={"dataos/workflow": f"public/{name}"})) for name in JOBS]
        return [runs[-1] for runs in found if runs]

    def statuses():
        return sorted(run.status.value for run in first_runs())

    apply_changes(plan_workspace(folder))
    # Before the daemon is there: both would make the database.
    subprocess.run(
        [Path(sys.executable).with_name("dagster"), "instance", "concurrency", "set", "warehouse", "1"],
        cwd=folder,
        env=os.environ | {"DAGSTER_HOME": str(folder)},
        check=True,
    )
    with ExitStack() as held, running_daemon(folder) as instance:
        for lock in locks:
            held.enter_context(writing(lock, somebody, seconds=1, what=lock.name))
        wait_for(lambda: statuses() == ["QUEUED", "STARTED"], folder)
        held.close()
        wait_for(lambda: statuses() == ["SUCCESS", "SUCCESS"], folder)
        stats = sorted((instance.get_run_stats(run.run_id) for run in first_runs()), key=lambda each: each.start_time)
        assert stats[0].end_time <= stats[1].start_time

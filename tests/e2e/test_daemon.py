"""The real daemon over a project's own files: a schedule's tick launches a run, and a broken manifest is reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import dagster as dg
import pytest
from manifest_builder import other
from shop import load_job, spend_job, write_shop

from dataos_dagster.bundles.quarantine import CHECK, manifest_key
from dataos_dagster.bundles.workspace import apply_changes, plan_workspace

# The schedule ticks each minute; the run then starts a process, and the sensor's first evaluation comes within 30 s.
PATIENCE = 240.0
ORDERS = dg.AssetKey(["lakehouse", "shop", "orders"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Work in a project with a schedule for each minute, a job that is not run, and a broken manifest."""
    folder = write_shop(
        tmp_path_factory.mktemp("daemon") / "shop",
        load_job(),
        other("register", dependencies=["load"]),
        spend_job(),
        schedule={"cron": "* * * * *", "concurrencyPolicy": "Forbid"},
        files={"broken.yaml": "name: [1\n"},
    )
    apply_changes(plan_workspace(folder))
    with pytest.MonkeyPatch.context() as here:
        # dagster.yaml keeps everything in .dataos, which counts from the folder that Dagster is started in.
        here.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def instance(folder):
    """Run the daemon in the project's folder, and return the instance that it works on."""
    environment = os.environ | {"DAGSTER_HOME": str(folder)}
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]
    with (folder / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            yield instance
    finally:
        daemon.send_signal(signal.SIGINT)
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)


def wait_for(look, folder):
    """Return what `look` finds as soon as it finds something; fails with the daemon's last words."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(1)
    pytest.fail((folder / "daemon.log").read_text()[-3000:])


def test_a_tick_launches_a_run_of_the_workflows_jobs(instance, folder):
    def finished():
        return [run for run in instance.get_runs() if run.is_finished]

    run = wait_for(finished, folder)[-1]
    assert run.status is dg.DagsterRunStatus.SUCCESS, (folder / "daemon.log").read_text()[-3000:]
    assert run.tags["dagster/schedule_name"] == "public__daily"
    assert run.tags["dataos/workflow"] == "public/daily"
    [record] = instance.fetch_materializations(ORDERS, limit=1).records
    assert record.asset_materialization.metadata["dagster/row_count"].value == 4


def test_a_broken_manifest_becomes_a_failed_check(instance, folder):
    key = dg.AssetCheckKey(manifest_key("broken.yaml"), CHECK)

    def evaluation():
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        return [record.event.dagster_event.asset_check_evaluation_data for record in records]

    [evaluated] = wait_for(evaluation, folder)
    assert not evaluated.passed

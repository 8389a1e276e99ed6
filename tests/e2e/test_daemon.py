"""The real daemon over a project's own files: a schedule's tick launches a run, and a broken manifest is reported."""

from __future__ import annotations

import dagster as dg
import pytest
from daemon import running_daemon, wait_for
from manifest_builder import other
from shop import load_job, spend_job, write_shop

from dataos_dagster.bundles.quarantine import CHECK, manifest_key

ORDERS = dg.AssetKey(["lakehouse", "shop", "orders"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Work in a project with a schedule for each minute, a job that is not run, and a broken manifest."""
    return write_shop(
        tmp_path_factory.mktemp("daemon") / "shop",
        load_job(),
        other("register", dependencies=["load"]),
        spend_job(),
        schedule={"cron": "* * * * *", "concurrencyPolicy": "Forbid"},
        files={"broken.yaml": "name: [1\n"},
    )


@pytest.fixture(scope="module")
def instance(folder):
    with running_daemon(folder) as instance:
        yield instance


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

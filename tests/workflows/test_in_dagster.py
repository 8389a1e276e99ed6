"""Jobs on the embedded engine in runs of Dagster: what a dry run and a failure look like there."""

from __future__ import annotations

import dagster as dg
import pytest
from shop import load_job, spend_job, write_shop

from dataos_dagster import load_definitions

SPEND = dg.AssetKey(["lakehouse", "shop", "spend"])


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def materialize(tmp_path, instance):
    """Return what writes a shop and materializes everything in it."""

    def run(*dag, settings="{}") -> dg.ExecuteInProcessResult:
        folder = write_shop(tmp_path / "shop", *dag, files={"dataos.yaml": settings})
        definitions = load_definitions(folder)
        job = definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(instance=instance, raise_on_error=False)

    return run


def test_a_dry_run_shows_its_plan_and_writes_nothing(materialize, tmp_path):
    dry = load_job()
    dry["spec"]["dryRun"] = True
    result = materialize(dry)
    assert result.success
    [made] = result.get_asset_materialization_events()
    assert made.asset_key == dg.AssetKey(["public", "daily", "load"])
    facts = {key: value.value for key, value in made.materialization.metadata.items()}
    assert facts["dry_run"] is True
    assert "write  in_0 → dataos://lakehouse:shop/orders (" in facts["plan"]
    assert not (tmp_path / "shop" / ".dataos" / "lakehouse").exists()


def test_a_failure_of_the_engine_is_its_message_without_a_stack_trace(materialize):
    result = materialize(load_job(), spend_job("SELECT nope FROM in_0"))
    assert not result.success
    [failed] = [event for event in result.all_node_events if event.is_step_failure]
    error = failed.step_failure_data.error
    assert "nope" in failed.step_failure_data.user_failure_data.description
    assert error.cause is None
    assert error.context is None
    assert "pyspark" not in error.to_string()
    assert "grpc" not in error.to_string()


def test_a_job_that_takes_too_long_is_stopped(materialize):
    endless = "SELECT sum(a.id * b.id) AS s FROM range(3000000) a CROSS JOIN range(3000000) b"
    result = materialize(load_job(), spend_job(endless), settings="run: {seconds_of: {daily/spend: 2}}")
    [failed] = [event for event in result.all_node_events if event.is_step_failure]
    told = failed.step_failure_data.user_failure_data
    assert "it took longer than 2 s and was stopped" in told.description
    assert told.metadata["error"].value == "JobTimedOut"


def test_rows_that_gave_way_without_being_asked_for_are_told_in_the_log(materialize, instance):
    for count in (0, 1):
        result = materialize(load_job())
        told = [entry.user_message for entry in instance.all_logs(result.run_id)]
        assert len([line for line in told if "no saveMode is given, so what was in" in line]) == count


@pytest.mark.parametrize(
    ("settings", "pool"),
    [
        ("depots: {shopfiles: {pool: files}}", "files"),
        ("depots: {shopfiles: {pool: files}, lakehouse: {pool: lake}}", "lake"),
        ("{depots: {shopfiles: {pool: files}}, computes: {runnable-default: {pool: nodes}}}", "nodes"),
        ("{}", None),
    ],
    ids=["of what it reads", "of what it writes first", "of its compute before all", "none"],
)
def test_a_job_is_in_the_pool_of_its_compute_or_of_a_depot(tmp_path, settings, pool):
    definitions = load_definitions(write_shop(tmp_path / "shop", load_job(), files={"dataos.yaml": settings}))
    [job] = [assets for assets in definitions.assets if isinstance(assets, dg.AssetsDefinition)]
    assert job.op.pool == pool


@pytest.mark.parametrize("limit", [None, 2])
def test_a_pool_without_a_limit_is_told(materialize, instance, limit):
    if limit:
        instance.event_log_storage.set_concurrency_slots("lake", limit)
    result = materialize(load_job(), settings="depots: {lakehouse: {pool: lake}}")
    assert result.success
    told = [
        entry.user_message
        for entry in instance.all_logs(result.run_id)
        if "the pool 'lake' has no limit" in entry.user_message
    ]
    assert len(told) == (0 if limit else 1)

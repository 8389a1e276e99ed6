"""Jobs on the embedded engine in runs of Dagster: what a dry run and a failure look like there."""

from __future__ import annotations

import dagster as dg
import pytest
from shop import load_job, spend_job, write_shop

from dataos_dagster import load_definitions

SPEND = dg.AssetKey(["lakehouse", "shop", "spend"])


@pytest.fixture
def materialize(tmp_path):
    """Return what writes a shop and materializes everything in it."""

    def run(*dag) -> dg.ExecuteInProcessResult:
        definitions = load_definitions(write_shop(tmp_path / "shop", *dag))
        job = definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(instance=instance, raise_on_error=False)

    with dg.DagsterInstance.ephemeral() as instance:
        yield run


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

"""Assertions in Dagster: each test is a check, with what was found and what it was compared with."""

from __future__ import annotations

import dagster as dg
import pytest
from shop import load_job, write_shop

from dataos_dagster import load_definitions

ORDERS = dg.AssetKey(["lakehouse", "shop", "orders"])


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def asserted(*tests: str, of_job: tuple[str, ...] = (), writes: bool = True):
    """Return the job that loads the orders, with tests of `amount` in front of its output and of its own."""
    job = load_job()
    section = job["spec"]["stackSpec"]["job"]
    section["outputs"][0]["assertions"] = [{"column": "amount", "tests": list(tests)}] if tests else []
    section["assertions"] = [{"column": "amount", "tests": list(of_job)}] if of_job else []
    if not writes:
        del section["outputs"]
    return job


def run(folder, instance):
    definitions = load_definitions(folder)
    dg.Definitions.validate_loadable(definitions)
    job = definitions.resolve_implicit_global_asset_job_def()
    return definitions, job.execute_in_process(instance=instance, raise_on_error=False)


def test_each_test_in_front_of_an_output_is_a_check_of_its_dataset(tmp_path, instance):
    definitions, result = run(write_shop(tmp_path, asserted("min > 0", "max < 100")), instance)
    assert result.success
    names = {key.name for key in definitions.get_repository_def().asset_graph.asset_check_keys}
    assert names == {"amount_min_gt_0", "amount_max_lt_100"}
    first, second = sorted(result.get_asset_check_evaluations(), key=lambda each: each.check_name, reverse=True)
    assert (first.asset_key, first.check_name, first.passed) == (ORDERS, "amount_min_gt_0", True)
    facts = {name: value.value for name, value in first.metadata.items()}
    assert (facts["value"], facts["operator"], facts["threshold"]) == (7.25, ">", 0.0)
    assert second.metadata["value"].value == 80.0


def test_a_failing_check_leaves_the_dataset_unwritten(tmp_path, instance):
    folder = write_shop(tmp_path, asserted("min > 0", "max < 50"))
    _, result = run(folder, instance)
    assert not result.success
    assert {each.check_name: each.passed for each in result.get_asset_check_evaluations()} == {
        "amount_min_gt_0": True,
        "amount_max_lt_50": False,
    }
    assert not (folder / ".dataos" / "lakehouse" / "shop" / "orders").exists()
    [failed] = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert "1 out of 2 assertions failed" in failed.error.message
    assert instance.fetch_materializations(ORDERS, limit=1).records == []


def test_a_job_that_only_asserts_has_checks_of_its_own_and_tells_its_input(tmp_path, instance):
    definitions, result = run(write_shop(tmp_path, asserted(of_job=("avg > 1",), writes=False)), instance)
    assert result.success
    own = dg.AssetKey(["public", "daily", "load"])
    assert definitions.get_repository_def().asset_graph.asset_check_keys == {dg.AssetCheckKey(own, "amount_avg_gt_1")}
    told = {(each.asset_key.to_user_string(), each.passed) for each in result.get_asset_check_evaluations()}
    assert told == {("public/daily/load", True), ("shopfiles/none/orders.csv", True)}


def test_of_tests_that_read_alike_the_first_keeps_the_plain_name(tmp_path, instance):
    definitions, result = run(write_shop(tmp_path, asserted("avg > 1", of_job=("avg > 1",))), instance)
    assert result.success
    keys = definitions.get_repository_def().asset_graph.asset_check_keys
    assert keys == {dg.AssetCheckKey(ORDERS, name) for name in ("amount_avg_gt_1", "amount_avg_gt_1__2")}


def test_a_profile_is_a_table_at_the_job_and_an_observation_of_its_dataset(tmp_path, instance):
    job = asserted(writes=False)
    job["spec"]["stackSpec"]["job"]["profile"] = {"level": "basic"}
    mails = "order_id,contact,amount\n1,ada@x.pt,12.5\n2,grace@x.pt,80\n3,ada@x.pt,7.25\n4,edsger@x.pt,19.9\n"
    _, result = run(write_shop(tmp_path, job, files={"data/orders.csv": mails}), instance)
    assert result.success
    [observed] = instance.fetch_observations(dg.AssetKey(["shopfiles", "none", "orders.csv"]), limit=1).records
    facts = {name: value.value for name, value in observed.asset_observation.metadata.items()}
    assert facts["profiled_rows"] == 4
    assert "| amount | double | 0 | 4 | 7.25 | 29.9125 | 80.0 |" in facts["profile"]
    assert "█" in facts["profile"]
    assert facts["suggested_attributes"] == ["contact: email (by its values)"]
    [written] = instance.fetch_materializations(dg.AssetKey(["public", "daily", "load"]), limit=1).records
    assert written.asset_materialization.metadata["profile"].value == facts["profile"]

"""Jobs in Dagster on a real engine: what is written, reported and recorded."""

import os
import subprocess
import sys

import dagster as dg
import pytest
from shop import ORDERS as ORDERS_TEXT
from shop import load_job, spend_job, write_shop

from dataos_dagster import DepotResource, load_definitions, load_settings
from dataos_dagster.bundles.workspace import apply_changes, plan_workspace
from dataos_dagster.engines.sail import start_sail
from dataos_dagster.state.database import State

ORDERS = dg.AssetKey(["lakehouse", "shop", "orders"])
SPEND = dg.AssetKey(["lakehouse", "shop", "spend"])


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(folder, instance, **options):
    job = load_definitions(folder).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False, **options)


def facts(instance, key):
    [record] = instance.fetch_materializations(key, limit=1).records
    return {name: value.value for name, value in record.asset_materialization.metadata.items()}


def history(folder):
    return State.open(load_settings(folder)).job_runs.history()


def test_jobs_run_in_order_and_say_what_they_wrote(tmp_path, instance):
    folder = write_shop(tmp_path / "shop")
    result = run(folder, instance)
    assert result.success
    orders, spend = facts(instance, ORDERS), facts(instance, SPEND)
    assert (orders["dagster/row_count"], spend["dagster/row_count"]) == (4, 3)
    assert orders["snapshot_id"] != spend["snapshot_id"]
    assert orders["engine"] == "sail"
    assert [column.name for column in spend["dagster/column_schema"].columns] == ["customer", "orders", "spent"]
    assert spend["dagster/column_lineage"].deps_by_column["spent"] == [dg.TableColumnDep(ORDERS, "amount")]
    assert [(each.job, each.status, each.rows) for each in reversed(history(folder))] == [
        ("public/daily/load", "succeeded", 4),
        ("public/daily/spend", "succeeded", 3),
    ]
    assert {each.dagster_run_id for each in history(folder)} == {result.run_id}


def test_all_jobs_of_a_run_share_one_engine_and_it_ends_with_the_run(tmp_path, instance, monkeypatch):
    started = []

    def counted(*arguments):
        started.append(start_sail(*arguments))
        return started[-1]

    monkeypatch.setattr("dataos_dagster.engines.sail.start_sail", counted)
    assert run(write_shop(tmp_path / "shop"), instance).success
    [endpoint] = started
    assert not endpoint.child.is_running()


def test_a_failing_statement_fails_the_step_with_the_line_and_the_sql(tmp_path, instance):
    folder = write_shop(tmp_path / "shop", load_job(), spend_job("SELECT amuont FROM in_0"))
    result = run(folder, instance)
    assert not result.success
    assert facts(instance, ORDERS)["dagster/row_count"] == 4
    [failure] = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data.description.startswith("daily.yaml:")
    assert "amuont" in failure.user_failure_data.metadata["sql"].value
    [failed] = [each for each in history(folder) if each.status == "failed"]
    assert "amuont" in failed.error


def test_a_run_that_is_done_again_from_its_failure_leaves_out_what_has_succeeded(tmp_path):
    late = load_job("late", dependencies=["load"])
    section = late["spec"]["stackSpec"]["job"]
    section["inputs"][0]["dataset"] = "dataos://shopfiles:none/late.csv"
    section["outputs"][0]["dataset"] = "dataos://lakehouse:shop/late?acl=rw"
    folder = write_shop(tmp_path / "shop", load_job(), late)
    (folder / "rerun.py").write_text(
        "import dagster as dg\nfrom dataos_dagster import load_definitions\n\n\n"
        "def job(folder):\n    every = dg.Definitions(jobs=[dg.define_asset_job('every')])\n"
        "    return dg.Definitions.merge(load_definitions(folder), every).resolve_job_def('every')\n"
    )
    job = dg.build_reconstructable_job("rerun", "job", (str(folder),), reconstructor_working_directory=str(folder))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        with dg.execute_job(job, instance) as first:
            assert not first.success
        (folder / "data" / "late.csv").write_text(ORDERS_TEXT)
        again = dg.ReexecutionOptions.from_failure(first.run_id, instance)
        with dg.execute_job(job, instance, reexecution_options=again) as second:
            assert second.success
        assert facts(instance, dg.AssetKey(["lakehouse", "shop", "late"]))["dagster/row_count"] == 4
    assert [(each.job, each.status) for each in reversed(history(folder))] == [
        ("public/daily/load", "succeeded"),
        ("public/daily/late", "failed"),
        ("public/daily/late", "succeeded"),
    ]


def test_what_a_job_is_handed_over_is_in_no_event_of_its_run(tmp_path, instance):
    job = load_job()
    job["spec"] |= {"envs": {"API_TOKEN": "tulip-1637"}, "dataosSecrets": [{"name": "git", "consumptionType": "file"}]}
    secret = {"name": "git", "version": "v1", "type": "secret", "secret": {"data": {"password": "rose-1845"}}}
    folder = write_shop(tmp_path / "shop", job, files={"secret.yaml": secret})
    result = run(folder, instance)
    assert result.success
    told = [dg.serialize_value(entry) for entry in instance.all_logs(result.run_id)]
    told.append(dg.serialize_value(instance.get_run_by_id(result.run_id)))
    assert told
    assert not any("tulip-1637" in text or "rose-1845" in text for text in told)


def test_one_asset_can_be_materialized_alone(tmp_path, instance):
    folder = write_shop(tmp_path / "shop")
    assert run(folder, instance).success
    assert run(folder, instance, asset_selection=[SPEND]).success
    assert len(instance.fetch_materializations(ORDERS, limit=5).records) == 1
    assert len(instance.fetch_materializations(SPEND, limit=5).records) == 2


def test_two_jobs_that_write_one_table_make_one_history(tmp_path, instance):
    append = load_job("again")
    append["spec"]["stackSpec"]["job"]["outputs"][0]["options"] = {"saveMode": "append"}
    folder = write_shop(tmp_path / "shop", load_job(), append | {"dependencies": ["load"]}, spend_job())
    assert run(folder, instance).success
    records = instance.fetch_materializations(ORDERS, limit=5).records
    counts = [record.asset_materialization.metadata for record in records]
    assert [(each["rows_written"].value, each["dagster/row_count"].value) for each in counts] == [(4, 8), (4, 4)]
    assert facts(instance, SPEND)["dagster/row_count"] == 3


def test_a_python_asset_reads_a_depot_by_its_resource(tmp_path, instance):
    folder = write_shop(tmp_path / "shop")

    @dg.asset(deps=[SPEND])
    def best_customer(depot__lakehouse: DepotResource) -> str:
        rows = depot__lakehouse.read("shop", "spend").collect()
        return max(rows, key=lambda row: row.spent).customer

    definitions = dg.Definitions.merge(load_definitions(folder), dg.Definitions(assets=[best_customer]))
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
    assert result.output_for_node("best_customer") == "grace"


def test_the_command_of_dagster_materializes(tmp_path):
    folder = write_shop(tmp_path / "shop")
    apply_changes(plan_workspace(folder))
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-f", "definitions.py", "--select", "*"]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / ".dataos" / "lakehouse" / "shop" / "spend" / "metadata").is_dir()
    assert (folder / ".dataos" / "dagster" / "history").is_dir()


def test_depots_are_checked_by_a_job(tmp_path, instance):
    folder = write_shop(tmp_path / "shop")
    job = load_definitions(folder).resolve_job_def("check_depots__shop")
    result = job.execute_in_process(instance=instance)
    assert result.output_for_node("check_depots__shop_op") == {"lakehouse": "active", "shopfiles": "active"}
    (folder / "data" / "orders.csv").unlink()
    (folder / "data").rmdir()
    failed = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not failed.success

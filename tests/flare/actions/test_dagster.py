"""Actions in Dagster: a job that deletes rows, and one that looks after a table, beside the job that writes it."""

from __future__ import annotations

import dagster as dg
import pytest

from dataos_dagster import load_definitions
from dataos_dagster.engines.session import Sessions
from dataos_dagster.workflows.execution import JobRunner

ORDERS = dg.AssetKey(["lakehouse", "retail", "orders"])
REPORT = dg.AssetKey(["lakehouse", "retail", "report"])
SOURCE = "dataos://lakehouse:retail/source"
LOAD = f"""
inputs: [{{name: source, dataset: "{SOURCE}"}}]
outputs: [{{name: source, dataset: "dataos://lakehouse:retail/orders", options: {{saveMode: overwrite}}}}]
"""
REPORTING = """
inputs: [{name: orders, dataset: "dataos://lakehouse:retail/orders"}]
outputs: [{name: orders, dataset: "dataos://lakehouse:retail/report", options: {saveMode: overwrite}}]
"""
FORGET = "{name: delete_from_dataset, deleteWhere: id > 6}"


def in_dagster(project, monkeypatch):
    """Let runs in Dagster use the warm engines of the tests."""
    project.write("dataos.yaml", f"engines: {{default: {project.engine}}}\n")
    monkeypatch.setattr(Sessions, "close", lambda _: None)
    monkeypatch.setattr(JobRunner, "sessions", property(lambda _: project.sessions))
    return load_definitions(project.folder)


def facts(event):
    return {name: value.value for name, value in event.metadata.items()}


@pytest.fixture
def shop(sail_lake):
    """Return a project in which the job that deletes comes first in the order of the files."""
    sail_lake.jobs.seed(SOURCE, "SELECT id FROM range(10)")
    sail_lake.jobs.write_job(sail_lake.job(FORGET.replace("> 6", "> 7"), FORGET.replace("> 6", "= 7")), name="a-forget")
    sail_lake.jobs.write_job(LOAD, name="b-load")
    sail_lake.jobs.write_job(REPORTING, name="c-report")
    return sail_lake


def test_a_job_that_only_deletes_does_not_own_the_dataset_and_goes_before_its_readers(shop):
    graph = shop.jobs.graph

    load, forget, report = (f"public/wf-{name}/{name}" for name in ("b-load", "a-forget", "c-report"))
    assert graph.order() == (load, forget, report)
    assert graph.owners[tuple(ORDERS.path)] == load
    assert graph.nodes[forget].keys == (("public", "wf-a-forget", "a-forget"),)
    assert [str(address) for address in graph.nodes[forget].reported] == ["dataos://lakehouse:retail/orders"]
    assert {edge.upstream for edge in graph.nodes[report].upstream} == {load, forget}
    assert [found.code for found in graph.diagnostics] == ["several-writers"]


def test_a_dataset_that_nobody_here_writes_belongs_to_nobody(sail_lake):
    sail_lake.jobs.write_job(sail_lake.job(FORGET), name="forget")
    graph = sail_lake.jobs.graph

    assert graph.owners == {}
    assert "several-writers" not in {found.code for found in graph.diagnostics}
    assets = load_definitions(sail_lake.jobs.folder).get_repository_def().asset_graph
    assert not assets.get(ORDERS).is_executable


def test_deleted_rows_are_a_materialization_of_the_dataset(shop, monkeypatch):
    job = in_dagster(shop.jobs, monkeypatch).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
        written = instance.fetch_materializations(ORDERS, limit=5).records
        newest, first = (facts(record.asset_materialization) for record in written)
        [observed] = [instance.fetch_observations(ORDERS, limit=5).records]

    assert result.success
    assert (first["dagster/row_count"], first["rows_written"]) == (10, 10)
    assert (newest["dagster/row_count"], newest["rows_deleted"]) == (7, 3)
    assert newest["dataos/job"] == "public/wf-a-forget/a-forget"
    assert "rows_written" not in newest
    assert observed == []
    [own] = result.asset_materializations_for_node("public__wf_a_forget__a_forget")[-1:]
    told = "delete_from_dataset of dataos://lakehouse:retail/orders"
    assert facts(own)["actions"] == [f"{told}: 2 rows deleted", f"{told}: 1 row deleted"]
    assert facts(own)["outputs"] == [
        f"dataos://lakehouse:retail/orders: {rows} deleted" for rows in ("2 rows", "1 row")
    ]
    assert len(shop.jobs.table("dataos://lakehouse:retail/report")[1]) == 7


def test_maintenance_is_an_observation_of_the_dataset(spark_lake, monkeypatch):
    spark_lake.write("SELECT 1 AS id", "overwrite")
    spark_lake.write("SELECT 2 AS id")
    spark_lake.jobs.write_job(
        spark_lake.job(
            "{name: rewrite_dataset, options: {properties: {min-input-files: 2}}}",
            "{name: expire_snapshots, options: {olderThanTimestamp: '2100-01-01'}}",
        ),
        name="tidy",
    )
    job = in_dagster(spark_lake.jobs, monkeypatch).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
        records = instance.fetch_observations(ORDERS, limit=5).records
        expired, rewritten = (facts(record.asset_observation) for record in records)
        assert instance.fetch_materializations(ORDERS, limit=1).records == []

    assert result.success
    assert (rewritten["action"], rewritten["data_files_before"], rewritten["data_files_after"]) == (
        "rewrite_dataset",
        2,
        1,
    )
    assert rewritten["bytes_rewritten"] > 0
    assert (expired["action"], expired["snapshots_removed"], expired["snapshots_left"]) == ("expire_snapshots", 2, 1)
    assert expired["dataos/job"] == "public/wf-tidy/tidy"

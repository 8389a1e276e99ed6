"""Incremental jobs in Dagster: ordinary runs, runs with given keys, backfills over ranges."""

from __future__ import annotations

import dagster as dg
import pytest

from dataos_dagster import load_definitions
from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import SettingsError
from dataos_dagster.workflows.execution import JobRunner

TARGET = "dataos://lakehouse:shop/target"
KEY = dg.AssetKey(["lakehouse", "shop", "target"])
SEED = """
SELECT CAST(id AS BIGINT) AS id, CAST(placed AS TIMESTAMP) AS placed
FROM VALUES (1, '2020-01-05 10:00:00'), (2, '2020-02-10 00:00:00'), (3, '2020-03-15 12:00:00') AS t(id, placed)
"""
JOB = f"""
inputs:
  - name: orders
    dataset: dataos://lakehouse:shop/source
    incremental:
      context: all_orders
      sql: SELECT * FROM all_orders WHERE placed >= '$|start|' AND placed < '$|end|'
      keys:
        - {{name: start, sql: select '2020-01-01 00:00:00'}}
        - {{name: end, sql: select to_timestamp('$|start|') + INTERVAL '1' MONTH}}
      state:
        - {{key: start, value: end}}
outputs:
  - {{name: orders, dataset: "{TARGET}", options: {{saveMode: append}}}}
"""
SETTINGS = """
engines: {default: sail}
incremental:
  wf-job/job: {cadence: monthly, start: 2020-01-01T00:00:00, startKey: start, endKey: end}
"""


@pytest.fixture
def project(sail_project, monkeypatch):
    """Return a project with an incremental job, whose runs in Dagster use the warm Sail of the tests."""
    sail_project.seed("dataos://lakehouse:shop/source", SEED)
    sail_project.write_job(JOB)
    sail_project.write("dataos.yaml", SETTINGS)
    monkeypatch.setattr(Sessions, "close", lambda _: None)
    monkeypatch.setattr(JobRunner, "sessions", property(lambda _: sail_project.sessions))
    return sail_project


def launch(project, config=None, **tags):
    job = load_definitions(project.folder).resolve_implicit_global_asset_job_def()
    run_config = {"ops": {"public__wf_job__job": {"config": {"keys": config}}}} if config else None
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=run_config, instance=instance, tags=tags, raise_on_error=False)
        failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
        assert not failures, failures
        return [event.materialization for event in result.all_events if event.is_step_materialization]


def ids(project):
    return sorted(row[0] for row in project.table(TARGET)[1])


def stored(project):
    return [each.value for each in project.state.watermarks.find()]


def test_a_run_without_a_partition_is_an_ordinary_one(project):
    [event] = launch(project)
    assert event.metadata["incremental"].value == {
        "orders": {
            "values": {"start": "2020-01-01 00:00:00", "end": "2020-02-01 00:00:00"},
            "stored": {"start": "2020-02-01 00:00:00"},
        }
    }
    assert (ids(project), stored(project)) == ([1], ["2020-02-01 00:00:00"])


def test_a_range_of_partitions_is_read_in_one_run_and_moves_nothing(project):
    launch(project)
    tags = {
        "dagster/asset_partition_range_start": "2020-02-01-00:00",
        "dagster/asset_partition_range_end": "2020-03-01-00:00",
    }
    events = launch(project, **tags)
    assert {event.partition for event in events} == {"2020-02-01-00:00", "2020-03-01-00:00"}
    values = events[0].metadata["incremental"].value["orders"]
    assert values == {"values": {"start": "2020-02-01 00:00:00", "end": "2020-04-01 00:00:00"}, "stored": {}}
    assert (ids(project), stored(project)) == ([1, 2, 3], ["2020-02-01 00:00:00"])


def test_one_partition_is_a_range_of_one(project):
    launch(project, **{"dagster/partition": "2020-03-01-00:00"})
    assert (ids(project), stored(project)) == ([3], [])


def test_keys_given_in_the_configuration_of_a_run_win(project):
    launch(project, {"orders.start": "2020-02-01", "end": "2020-02-28"})
    assert (ids(project), stored(project)) == ([2], [])


def test_a_key_that_the_job_has_not_is_refused_by_dagster(project):
    with pytest.raises(dg.DagsterInvalidConfigError, match="begin"):
        launch(project, {"begin": "2020-02-01"})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("startKey: strt, endKey: end", "startKey 'strt' is no key of the job.*did you mean start?"),
        ("startKey: start, endKey: until", "endKey 'until' is no key of the job.*its keys: start, orders.start, end"),
        ("startKey: start, endKey: start", "startKey and endKey are the same"),
    ],
)
def test_a_bound_that_is_no_key_of_the_job_is_refused_when_the_project_is_loaded(project, wrong, said):
    project.write("dataos.yaml", SETTINGS.replace("startKey: start, endKey: end", wrong))
    with pytest.raises(SettingsError, match=f"(?s){said}"):
        load_definitions(project.folder)

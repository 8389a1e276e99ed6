"""Jobs that ran without Dagster appear in it: every write once, with what the state database knows of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from manifest_builder import flare, workflow, write_project

from dataos_dagster import load_definitions
from dataos_dagster.settings import load_settings
from dataos_dagster.state import job_runs
from dataos_dagster.state.database import State
from dataos_dagster.state.job_runs import ColumnRecord, JobRunStart, OutputRecord

ORDERS = dg.AssetKey(["lakehouse", "shop", "orders"])
TABLE = "dataos://lakehouse:shop/orders"


@pytest.fixture
def folder(tmp_path):
    """Return a project with a job that owns a dataset, and one that writes it too."""
    jobs = [flare("load", writes="orders"), flare("mend", reads="orders", writes="orders")]
    return write_project(tmp_path, {"wf.yaml": workflow("wf", *jobs)})


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def ran(folder, job="load", *, rows=4, error=None, in_dagster=None, outputs=(TABLE,)) -> str:
    """Record a run of a job, and return its id."""
    runs = State.open(load_settings(folder)).job_runs
    run = runs.start(JobRunStart(f"public/wf/{job}", "public", "wf", "ann", "r", in_dagster, "sail", ("proven",)))
    columns = (ColumnRecord("id", "int", comment="of the order"),)
    written = [OutputRecord(dataset, rows, 10, "77", columns=columns, total_rows=rows + 100) for dataset in outputs]
    runs.finish(run, "failed" if error else "succeeded", outputs=written, error=error)
    return run


def tick(folder, instance, cursor=None) -> dg.SensorResult | dg.SkipReason:
    """Evaluate the sensor and store its events, as the daemon does."""
    [sensor] = load_definitions(folder).get_repository_def().sensor_defs
    result = sensor(dg.build_sensor_context(instance, cursor=cursor))
    for event in result.asset_events if isinstance(result, dg.SensorResult) else ():
        instance.report_runless_asset_event(event)
    return result


def stored(instance, key=ORDERS) -> list[dg.AssetMaterialization]:
    return [record.asset_materialization for record in instance.fetch_materializations(key, limit=50).records]


def test_a_write_is_reported_with_rows_snapshot_columns_and_engine(folder, instance):
    run = ran(folder)
    tick(folder, instance)
    [event] = stored(instance)
    told = {key: value.value for key, value in event.metadata.items()}
    assert (told["dagster/row_count"], told["rows_written"], told["snapshot_id"]) == (104, 4, "77")
    assert (told["engine"], told["principal"]) == ("sail", "ann")
    assert told["dagster/column_schema"].columns[0] == dg.TableColumn("id", "int", "of the order")
    assert told["dataos/job_run"] == run


def test_each_write_is_reported_once(folder, instance):
    ran(folder)
    first = tick(folder, instance)
    assert isinstance(tick(folder, instance, first.cursor), dg.SkipReason)
    ran(folder, rows=5)
    second = tick(folder, instance, first.cursor)
    assert isinstance(tick(folder, instance, second.cursor), dg.SkipReason)
    assert [event.metadata["rows_written"].value for event in stored(instance)] == [5, 4]


def test_a_write_that_dagster_has_overtaken_does_not_look_like_the_latest(folder, instance):
    ran(folder)
    instance.report_runless_asset_event(dg.AssetMaterialization(ORDERS, metadata={"snapshot_id": "78"}))
    tick(folder, instance)
    assert [event.metadata["snapshot_id"].value for event in stored(instance)] == ["78"]
    [record] = instance.fetch_observations(ORDERS, limit=5).records
    assert record.asset_observation.metadata["snapshot_id"].value == "77"

    ran(folder, rows=5)
    assert isinstance(tick(folder, instance), dg.SensorResult)
    assert [event.metadata["snapshot_id"].value for event in stored(instance)] == ["77", "78"]
    assert len(instance.fetch_observations(ORDERS, limit=5).records) == 1


def test_a_run_that_ended_after_dagsters_write_is_the_latest_however_early_it_began(folder, instance):
    runs = State.open(load_settings(folder)).job_runs
    run = runs.start(JobRunStart("public/wf/load", "public", "wf", "ann", "r", None, "sail", ("proven",)))
    instance.report_runless_asset_event(dg.AssetMaterialization(ORDERS, metadata={"snapshot_id": "78"}))
    runs.finish(run, "succeeded", outputs=[OutputRecord(TABLE, 4, 10, "79")])
    tick(folder, instance)
    assert [event.metadata["snapshot_id"].value for event in stored(instance)] == ["79", "78"]


def test_a_daemon_that_died_before_it_kept_the_cursor_reports_nothing_twice(folder, instance):
    for rows in (1, 2):
        ran(folder, rows=rows)
    tick(folder, instance)
    ran(folder, rows=3)
    tick(folder, instance)
    assert [event.metadata["rows_written"].value for event in stored(instance)] == [3, 2, 1]


def test_a_run_that_is_stored_late_is_still_reported(folder, instance, monkeypatch):
    """Two processes end at nearly the same time, and the first to end is the last to be stored."""
    ran(folder, rows=1)
    first = tick(folder, instance)

    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):  # noqa: ARG003 - the interface of datetime
            return datetime.now(UTC) - timedelta(minutes=1)

    monkeypatch.setattr(job_runs, "datetime", Earlier)
    ran(folder, rows=2)
    tick(folder, instance, first.cursor)
    assert [event.metadata["rows_written"].value for event in stored(instance)] == [2, 1]


def test_runs_of_dagster_and_of_unknown_jobs_are_left_out(folder, instance):
    ran(folder, in_dagster="abc")
    ran(folder, "gone")
    result = tick(folder, instance)
    assert result.asset_events == []
    assert stored(instance) == []


def test_a_job_that_owns_nothing_is_reported_itself_and_as_writer_of_the_dataset(folder, instance):
    ran(folder, "mend")
    tick(folder, instance)
    [event] = stored(instance)
    assert event.metadata["dataos/job"].value == "public/wf/mend"
    assert len(stored(instance, dg.AssetKey(["public", "wf", "mend"]))) == 1


def test_what_a_failed_run_wrote_is_reported_as_of_a_failed_job(folder, instance):
    ran(folder, error="no column", outputs=(TABLE, "/tmp/a/path"))
    tick(folder, instance)
    [event] = stored(instance)
    assert event.metadata["job_failed"].value is True


def test_maintenance_outside_of_dagster_is_an_observation_that_is_told_once(folder, instance):
    runs = State.open(load_settings(folder)).job_runs
    run = runs.start(JobRunStart("public/wf/mend", "public", "wf", "ann", "r", None, "spark", ()))
    done = OutputRecord(TABLE, action="expire_snapshots", summary="2 of 3 expired", counts={"snapshots_removed": 2})
    runs.finish(run, "succeeded", outputs=[done])

    for _ in range(2):  # the second time as a daemon that has lost its cursor
        tick(folder, instance)

    assert stored(instance) == []
    [record] = instance.fetch_observations(ORDERS, limit=5).records
    told = {key: value.value for key, value in record.asset_observation.metadata.items()}
    assert (told["action"], told["snapshots_removed"], told["dataos/job"]) == ("expire_snapshots", 2, "public/wf/mend")
    [event] = stored(instance, dg.AssetKey(["public", "wf", "mend"]))
    assert event.metadata["actions"].value == [f"expire_snapshots of {TABLE}: 2 of 3 expired"]

"""Streams in Dagster: external assets with a check, and the sensor that keeps them running and says how they are."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import pytest
from depot_manifests import kafka_depot
from manifest_builder import write_project

from dataos_dagster.bundles.definitions import load_definitions
from dataos_dagster.flare.streaming import service as stream_service_module
from dataos_dagster.settings import load_settings
from dataos_dagster.workflows.supervisor.definitions import CHECK, metadata_of
from dataos_dagster.workflows.supervisor.processes import ProcessRuntime
from dataos_dagster.workflows.supervisor.records import Records
from dataos_dagster.workflows.supervisor.service import Actual, Report

KEY = dg.AssetKey(["lakehouse", "shop", "orders"])
JOB = "public/wf/job"
JOB_KEY = ("public", "wf", "job")
DEPOT = kafka_depot("h:1")


def stream(trigger="ProcessingTime"):
    job = {
        "streaming": {"triggerMode": trigger, "triggerDuration": "10 seconds"},
        "inputs": [{"name": "orders", "dataset": "dataos://events:default/orders", "isStream": True}],
        "outputs": [{"name": "orders", "dataset": "dataos://lakehouse:shop/orders?acl=rw", "format": "iceberg"}],
    }
    spec = {"stack": "flare:7.0", "stackSpec": {"job": job}}
    return {"name": "wf", "version": "v1", "type": "workflow", "workflow": {"dag": [{"name": "job", "spec": spec}]}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a project with one stream, whose process only sleeps: what it does is tested with the stream itself."""
    original = stream_service_module.Service

    def sleeping(**values):
        return original(**values | {"command": (sys.executable, "-c", "import time; time.sleep(60)")})

    monkeypatch.setattr(stream_service_module, "Service", sleeping)
    write_project(tmp_path, {"depot.yaml": DEPOT, "wf.yaml": stream()})
    yield tmp_path
    actual = runtime(tmp_path).actual(JOB)
    if actual.pid:
        os.kill(actual.pid, signal.SIGKILL)


def runtime(folder):
    return ProcessRuntime.of(load_settings(folder))


def tick(defs, instance, cursor=None):
    [sensor] = [sensor for sensor in defs.sensors if sensor.name.startswith("dataos_services__")]
    repository = defs.get_repository_def()
    with dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository) as context:
        return sensor.evaluate_tick(context)


def test_the_dataset_of_a_stream_is_an_external_asset_with_its_lineage_and_a_check(folder):
    graph = load_definitions(folder).resolve_asset_graph()
    node = graph.get(KEY)
    assert not node.is_executable
    assert node.parent_keys == {dg.AssetKey(["events", "default", "orders"])}
    assert {key.name for key in node.check_keys} == {CHECK}
    assert "stream" in node.kinds


def test_a_stream_that_ends_is_an_ordinary_job(tmp_path):
    write_project(tmp_path, {"depot.yaml": DEPOT, "wf.yaml": stream("AvailableNow")})
    defs = load_definitions(tmp_path)
    assert defs.resolve_asset_graph().get(KEY).is_executable
    assert not [sensor for sensor in defs.sensors if sensor.name.startswith("dataos_services__")]


def test_the_sensor_starts_a_stream_observes_it_and_starts_it_no_second_time(folder):
    defs = load_definitions(folder)
    with dg.instance_for_test() as instance:
        first = tick(defs, instance)
        pid = runtime(folder).actual(JOB).pid
        assert pid is not None
        observed, checked = first.asset_events
        assert observed.metadata["state"].value == "starting"
        assert (checked.check_name, checked.passed) == (CHECK, True)

        second = tick(load_definitions(folder), instance, first.cursor)
        assert not second.asset_events
        assert runtime(folder).actual(JOB).pid == pid

        metrics = {"dataset": "dataos://lakehouse:shop/orders", "rows_per_second": 12.5, "behind": 3, "batch": 4}
        Records(runtime(folder).records(JOB).folder).tell(Report(datetime.now(UTC), "running", None, (metrics,)))
        [event] = tick(defs, instance, second.cursor).asset_events
        assert {name: event.metadata[name].value for name in ("state", "rows_per_second", "behind", "batch")} == {
            "state": "running",
            "rows_per_second": 12.5,
            "behind": 3,
            "batch": 4,
        }


def test_each_dataset_shows_the_figures_of_the_query_that_writes_it_and_of_no_other():
    figures = (
        {"dataset": "dataos://lakehouse:shop/all_orders", "batch": 7},
        {"dataset": "dataos://lakehouse:shop/orders", "batch": 4},
        {"dataset": "dataos://lakehouse:hr/orders", "batch": 2},
        {"dataset": "s3a://bucket/orders", "batch": 9},
    )
    actual = Actual(JOB, "here", "g1", 7, report=Report(datetime.now(UTC), "running", None, figures))
    shown = {
        dataset: metadata_of(actual, ("lakehouse", *dataset)) for dataset in [("shop", "orders"), ("hr", "orders")]
    }
    assert {dataset: found["batch"] for dataset, found in shown.items()} == {("shop", "orders"): 4, ("hr", "orders"): 2}
    assert "batch" not in metadata_of(actual, ("lakehouse", "shop", "returns"))
    # A job without any dataset of a depot is the asset.
    assert metadata_of(replace(actual, report=replace(actual.report, metrics=figures[-1:])), JOB_KEY)["batch"] == 9


def test_a_stream_that_dies_fails_its_check_and_says_when_it_is_started_again(folder):
    defs = load_definitions(folder)
    with dg.instance_for_test() as instance:
        cursor = tick(defs, instance).cursor
        os.kill(runtime(folder).actual(JOB).pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while runtime(folder).actual(JOB).is_running:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        observed, checked = tick(defs, instance, cursor).asset_events
        assert observed.metadata["state"].value == "waiting"
        assert "next_start" in observed.metadata
        assert (checked.passed, checked.severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert json.loads(tick(defs, instance, cursor).cursor)[JOB]["healthy"] is False


def test_the_last_stream_of_a_location_ends_with_its_manifest_and_not_with_a_mistake_in_it(folder):
    instance = dg.DagsterInstance.ephemeral()
    tick(load_definitions(folder), instance)
    pid = runtime(folder).actual(JOB).pid
    (folder / "wf.yaml").write_text("name: wf\n  version: v1\n")
    result = tick(load_definitions(folder), instance)
    assert (result.skip_message, runtime(folder).actual(JOB).pid) == ("every service is as it was", pid)
    (folder / "wf.yaml").unlink()
    result = tick(load_definitions(folder), instance)
    assert result.skip_message == f"{JOB}: stop"
    deadline = time.monotonic() + 10
    while runtime(folder).actual(JOB).is_running:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not [found for found in load_definitions(folder).sensors if found.name.startswith("dataos_services__")]


def test_the_check_can_be_run_by_hand(folder):
    defs = load_definitions(folder)
    runtime(folder).records(JOB).note_wish("stopped")
    [checks] = [found for found in defs.asset_checks if found.node_def.name.startswith("dataos_services__")]
    result = dg.materialize([checks], selection=dg.AssetSelection.checks(checks), raise_on_error=False)
    [evaluation] = result.get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert evaluation.metadata["state"].value == "stopped"


def test_a_changed_manifest_makes_another_generation(folder):
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.workflows.building import build_graph
    from dataos_dagster.workflows.services import services_of

    def generation():
        settings = load_settings(folder)
        project = load_project(folder, settings=settings, use_cache=False)
        return services_of(build_graph(project), project, settings)[JOB].generation

    first = generation()
    assert generation() == first
    write_project(folder, {"depot.yaml": kafka_depot("other:1")})
    moved = generation()
    changed = stream()
    changed["workflow"]["dag"][0]["spec"]["stackSpec"]["job"]["streaming"]["triggerDuration"] = "20 seconds"
    write_project(folder, {"wf.yaml": changed})
    assert len({first, moved, generation()}) == 3

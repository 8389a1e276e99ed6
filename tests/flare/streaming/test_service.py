"""A stream without an end, in its own process: it works, tells how far it is, and drains when it is stopped."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.services import services_of
from dataos_dagster.workflows.supervisor.processes import ProcessRuntime
from dataos_dagster.workflows.supervisor.reconcile import Supervisor

JOB = """
    streaming: {{triggerMode: ProcessingTime, triggerDuration: 1 second, checkpointLocation: checkpoints/live}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson,
         schemaString: 'id bigint', options: {{startingOffsets: earliest}}}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw", options: {{saveMode: append}}}}
    """
NAME = "public/wf/job"


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.fixture
def live(streams):
    """Return the supervisor of a project whose stream runs, its services and its topic; all of it ends with the test."""
    topic = streams.kafka.create_topic()
    streams.write("dataos.yaml", 'engines: {spark: {master: "local[2]", conf: {spark.sql.shuffle.partitions: "2"}}}\n')
    streams.job(JOB.format(topic=topic))
    settings = load_settings(streams.folder)
    project = load_project(streams.folder, settings=settings, use_cache=False)
    services = services_of(build_graph(project), project, settings)
    supervisor = Supervisor(ProcessRuntime.of(settings), "tests")
    supervisor.reconcile(services)
    yield supervisor, services, topic
    runtime = supervisor.runtime
    if runtime.actual(NAME).is_running:
        runtime.kill(NAME)


def test_a_live_stream_reads_what_comes_tells_how_far_it_is_and_drains(streams, live):
    supervisor, services, topic = live
    runtime = supervisor.runtime

    def figures():
        actual = runtime.actual(NAME)
        assert actual.is_running, runtime.log(NAME, 30)
        report = actual.report
        return report.metrics[0] if report and report.state == "running" and "batch" in report.metrics[0] else None

    streams.produce(topic, *({"id": number} for number in range(50)))
    first = until(figures)
    assert first["dataset"] == "dataos://lakehouse:shop/orders"
    assert set(first) == {
        "dataset",
        "batch",
        "rows",
        "rows_per_second",
        "batch_seconds",
        "behind",
        "behind_seconds",
        "last_checkpoint",
    }
    assert datetime.fromisoformat(first["last_checkpoint"]).tzinfo is not None
    assert runtime.actual(NAME).state == "running"

    streams.produce(topic, {"id": 50})
    until(lambda: figures()["batch"] > first["batch"])
    runtime.records(NAME).note_wish("stopped")
    assert supervisor.settle(services, wish="stopped", seconds=60)
    assert "has ended, as it was asked to" in runtime.log(NAME, 5)
    assert runtime.actual(NAME).failures == 0
    assert streams.table("dataos://lakehouse:shop/orders") == sorted(((n,) for n in range(51)), key=repr)

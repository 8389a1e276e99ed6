"""A stream without an end, in its own process: kept by the sensor and by hand, through a crash, until nobody wants it."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import datetime

import dagster as dg
import pytest
from typer.testing import CliRunner

from dataos_dagster.bundles.definitions import load_definitions
from dataos_dagster.cli.streams import app
from dataos_dagster.settings import load_settings
from dataos_dagster.workflows.supervisor.processes import ProcessRuntime

JOB = """
    streaming: {{triggerMode: ProcessingTime, triggerDuration: 1 second, checkpointLocation: checkpoints/live}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson,
         schemaString: 'id bigint', options: {{startingOffsets: earliest}}}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw", options: {{saveMode: append}}}}
      - {{name: orders, dataset: "dataos://events:default/{copies}?acl=rw", format: kafkajson}}
    """
NAME = "public/wf/job"
TABLE, FIGURES = (
    "dataos://lakehouse:shop/orders",
    {"dataset", "batch", "rows", "rows_per_second", "batch_seconds", "behind", "behind_seconds", "last_checkpoint"},
)


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


class Live:
    """A project with one stream, its sensor and its commands."""

    def __init__(self, streams) -> None:
        self.streams, self.folder = streams, streams.folder
        self.topic, self.copies = streams.kafka.create_topic(), streams.kafka.create_topic()
        streams.write(
            "dataos.yaml", 'engines: {spark: {master: "local[2]", conf: {spark.sql.shuffle.partitions: "2"}}}\n'
        )
        self.manifest = streams.job(JOB.format(topic=self.topic, copies=self.copies))
        self.runtime = ProcessRuntime.of(load_settings(self.folder))
        self.instance, self.cursor = dg.DagsterInstance.ephemeral(), None

    @property
    def actual(self):
        return self.runtime.actual(NAME)

    def tick(self):
        """Load the location and let its sensor look once; return observations by asset and what it did."""
        defs = load_definitions(self.folder)
        [sensor] = [found for found in defs.sensors if found.name.startswith("dataos_services__")]
        repository = defs.get_repository_def()
        with dg.build_sensor_context(self.instance, self.cursor, repository_def=repository) as context:
            result = sensor.evaluate_tick(context)
        self.cursor = result.cursor
        observed = [event for event in result.asset_events if isinstance(event, dg.AssetObservation)]
        told = result.skip_message or ""
        return {event.asset_key.path[-1]: event.metadata for event in observed}, told if NAME in told else None

    def call(self, command):
        result = CliRunner().invoke(app, [command, "--project", str(self.folder), "--json"])
        assert result.exit_code == 0, result.output
        [found] = json.loads(result.output)["streams"]
        return found

    def figures(self, batches):
        """Return what both queries say of themselves once each has done so many batches; None before."""
        assert self.actual.is_running, self.runtime.log(NAME, 30)
        report = self.actual.report
        if report is None or report.state != "running" or report.at < self.actual.since:
            return None
        found = [metrics for metrics in report.metrics if metrics.get("batch", -1) + 1 >= batches]
        return found if len(found) == len(report.metrics) else None

    def end(self, number=signal.SIGKILL):
        os.kill(self.actual.pid, number)
        until(lambda: not self.actual.is_running)


@pytest.fixture
def live(streams):
    """Return a stream that nobody has started; whatever a test does with it, it has ended afterwards."""
    found = Live(streams)
    yield found
    if found.actual.is_running:
        found.end()


def test_a_live_stream_is_started_told_about_revived_by_hand_and_ended_with_its_manifest(streams, live):
    streams.produce(live.topic, *({"id": number} for number in range(50)))
    assert live.tick()[1] == f"{NAME}: start"
    first = until(lambda: live.figures(1))
    assert "is read as a stream, because its depot is one of streams" in live.runtime.log(NAME, 50)
    assert [found["dataset"] for found in first] == [TABLE, f"dataos://events:default/{live.copies}"]
    assert set(first[0]) == FIGURES
    assert datetime.fromisoformat(first[0]["last_checkpoint"]).tzinfo is not None

    # Each dataset shows the figures of the query that writes it.
    streams.produce(live.topic, {"id": 50})
    until(lambda: live.figures(max(found["batch"] for found in first) + 2))
    observed, said = live.tick()
    assert said is None
    assert set(observed) == {"orders", live.copies}
    assert {observed[name]["dataset"].value for name in observed} == {found["dataset"] for found in first}
    assert {observed[name]["state"].value for name in observed} == {"running"}

    # It dies; somebody stops it, and the sensor leaves it so; then it is started by hand, without a pause.
    live.end()
    streams.produce(live.topic, {"id": 51})
    assert (live.call("list")["state"], live.call("list")["failures_in_a_row"]) == ("waiting", 1)
    assert live.call("stop")["state"] == "stopped"
    assert live.tick()[1] is None
    assert not live.actual.is_running
    assert live.call("start")["failures_in_a_row"] == 0
    until(lambda: live.figures(1))
    until(lambda: streams.table(TABLE)[-1:] and len(streams.table(TABLE)) == 52)

    live.manifest.unlink()
    assert live.tick()[1] == f"{NAME}: stop"
    until(lambda: not live.actual.is_running)
    assert "has ended, as it was asked to" in live.runtime.log(NAME, 5)
    assert live.actual.failures == 0
    assert sorted(row[0] for row in streams.table(TABLE)) == list(range(52))
    # A topic cannot tell a message that came twice; none is missing.
    copies = {json.loads(value)["id"] for _, value in streams.kafka.consume(live.copies)}
    assert copies == set(range(52))

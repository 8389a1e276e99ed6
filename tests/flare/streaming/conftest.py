"""Fixtures of streams: a project whose jobs run on Spark, with a Kafka broker behind the depot `events`."""

from __future__ import annotations

import json
import textwrap
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from depot_manifests import kafka_depot

from dataos_dagster.address import Address
from dataos_dagster.depots.requests import ReadRequest, Target
from dataos_dagster.errors import DataOSError
from dataos_dagster.identity import Principal
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.execution import JobRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from servers.kafka import KafkaServer

    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.flare.streaming.run import RunningQuery
    from dataos_dagster.workflows.graph import JobNode
    from dataos_dagster.workflows.results import JobResult

SOMEBODY = Principal("tester", "settings")


@dataclass
class StreamProject:
    """A project in a folder of its own; its streams run on the Spark of this test process."""

    folder: Path
    sessions: Sessions
    kafka: KafkaServer

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), "utf-8")
        return file

    def job(self, body: str, *, workflow: str = "wf", head: str = "") -> Path:
        """Write a workflow with one job, given what stands below `job:`, and what stands above `dag:`."""
        lines = [f"name: {workflow}", "version: v1", "type: workflow", "workflow:"]
        lines += [f"  {line}" for line in textwrap.dedent(head).strip().splitlines()]
        lines += ["  dag:", "    - name: job", "      spec:", "        stack: flare:7.0", "        stackSpec:"]
        lines += ["          job:", textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 12)]
        return self.write(f"{workflow}.yaml", "\n".join(lines) + "\n")

    def node(self, workflow: str = "wf") -> JobNode:
        """Return the job of a workflow."""
        project = load_project(self.folder, settings=load_settings(self.folder), use_cache=False)
        graph = build_graph(project)
        found = [node for node in graph.nodes.values() if node.job.workflow.name == workflow]
        assert found, [str(error) for error in project.errors]
        return found[0]

    def run(self, workflow: str = "wf") -> JobResult:
        """Run the job of a workflow; its error is raised."""
        with self.runner() as runner:
            return runner.run(self.node(workflow), "run")

    def plan(self, workflow: str = "wf") -> Any:
        """Return the plan of the job of a workflow."""
        node = self.node(workflow)
        assert node.stack is not None or node.service is not None
        with self.runner() as runner:
            return (node.stack or node.service).plan(node.job, runner.context("plan", record=False))

    def error(self, workflow: str = "wf") -> DataOSError:
        """Run the job of a workflow and return its error."""
        with pytest.raises(DataOSError) as raised:
            self.run(workflow)
        return raised.value

    def runner(self) -> JobRunner:
        """Return a runner that uses the warm Spark of the tests."""
        settings = load_settings(self.folder)
        runner = JobRunner(load_project(self.folder, settings=settings, use_cache=False), settings)
        runner.__dict__["sessions"] = self.sessions
        return runner

    @contextmanager
    def live(self, workflow: str = "wf") -> Iterator[tuple[RunningQuery, ...]]:
        """Run the queries of a stream without an end for the block's time; then they are drained."""
        from dataos_dagster.flare.job import PlanRun
        from dataos_dagster.flare.streaming.job import started_queries
        from dataos_dagster.flare.streaming.run import keep_running

        plan, stop, failures = self.plan(workflow), threading.Event(), []

        def keep(queries: tuple[RunningQuery, ...]) -> None:
            try:
                keep_running(queries, stop, lambda _: None)
            except DataOSError as error:
                failures.append(error)

        with self.runner() as runner, self.sessions.lease(plan.configuration) as session:
            run = PlanRun(plan, runner.context("live", record=False), session)
            try:
                with started_queries(run, plan.stream, stop=stop) as queries:
                    thread = threading.Thread(target=keep, args=(queries,))
                    thread.start()
                    try:
                        yield queries
                    finally:
                        stop.set()
                        thread.join()
            finally:
                run.forget_views()
        if failures:
            raise failures[0]

    def until(self, condition: Callable[[], Any], seconds: float = 90) -> Any:
        """Wait for a condition, and return what it gives."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return found

    def produce(self, topic: str, *rows: dict[str, Any]) -> None:
        """Write rows to a topic, as JSON."""
        self.kafka.produce(topic, map(json.dumps, rows))

    def table(self, address: str) -> list[tuple[Any, ...]]:
        """Return the sorted rows of a dataset of the lakehouse."""
        from dataos_dagster.depots.requirements import session_configuration

        with self.runner() as runner:
            request = ReadRequest(Target(Address.parse(address)))
            session = self.sessions.get(session_configuration("spark", runner.door.requirements([request])))
            frame = runner.door.read(request, session, SOMEBODY)
            return sorted((tuple(row) for row in frame.collect()), key=repr)


@pytest.fixture
def streams(tmp_path: Path, sessions: Sessions, spark_session: EngineSession, kafka: KafkaServer) -> StreamProject:
    """Return an empty project whose depot `events` is the broker of the tests."""
    project = StreamProject(tmp_path, sessions, kafka)
    project.write("depot.yaml", kafka_depot(kafka.bootstrap))
    return project

"""Fixtures of Flare's tests: functions applied on both engines, and jobs run in a project of their own."""

from __future__ import annotations

import sys
import textwrap
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dataos_dagster.address import Address
from dataos_dagster.depots.catalog import DepotCatalog
from dataos_dagster.depots.door import Door
from dataos_dagster.depots.requests import ReadRequest, Target, WriteRequest
from dataos_dagster.engines.availability import availability
from dataos_dagster.engines.session import SessionConfiguration
from dataos_dagster.flare.functions.registry import read_function
from dataos_dagster.identity import Principal
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings
from dataos_dagster.state.database import State
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.context import RunContext
from dataos_dagster.workflows.results import JobResult, Reporter
from dataos_dagster.workflows.runner import RunSummary, run_jobs
from dataos_dagster.workflows.selection import select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame

    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.errors import DataOSError
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.stacks import Plan

SOMEBODY = Principal("tester", "settings")
ICEBERG = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"


@pytest.fixture
def rows_of(engine_session: EngineSession) -> Callable[..., tuple[list[str], list[tuple[object, ...]]]]:
    """Return columns with types, and rows, of a query after functions."""

    def run(sql: str, *functions: dict[str, object]) -> tuple[list[str], list[tuple[object, ...]]]:
        frame: DataFrame = engine_session.spark.sql(sql)
        for entry in functions:
            parameters = {key: value for key, value in entry.items() if key != "name"}
            frame = read_function(str(entry["name"]), parameters).apply(frame, engine_session.engine)
        columns = [f"{field.name} {field.dataType.simpleString()}" for field in frame.schema.fields]
        return columns, [tuple(row) for row in frame.collect()]

    return run


@dataclass
class FlareProject:
    """A project in a folder of its own, whose jobs run on one engine."""

    folder: Path
    sessions: Sessions
    engine: Any
    reporter: Reporter = field(default_factory=Reporter)
    keys: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), "utf-8")
        return file

    def write_job(
        self, job: str, *, name: str = "job", extra: dict[str, Any] | None = None, beside: dict[str, Any] | None = None
    ) -> Path:
        """Write a workflow `wf-<name>` with one job, given what stands below `job:`, beside it, and beside `stack:`."""
        spec = {"job": yaml.safe_load(textwrap.dedent(job)), **(extra or {})}
        runnable = {"stack": "flare:7.0", "compute": "runnable-default", **(beside or {}), "stackSpec": spec}
        entry = {"name": name, "spec": runnable}
        manifest = {"name": f"wf-{name}", "version": "v1", "type": "workflow", "workflow": {"dag": [entry]}}
        return self.write(f"{name}.yaml", yaml.safe_dump(manifest, sort_keys=False))

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder)

    @property
    def state(self) -> State:
        return State.open(self.settings)

    @property
    def graph(self) -> JobGraph:
        project = load_project(self.folder, settings=self.settings, use_cache=False)
        graph = build_graph(project)
        assert graph.nodes, [str(error) for error in project.errors]
        return graph

    @property
    def context(self) -> RunContext:
        settings = self.settings
        project = load_project(self.folder, settings=settings, use_cache=False)
        return RunContext(
            door=Door(DepotCatalog.from_project(project, settings)),
            sessions=self.sessions,
            availability=availability(settings.engines),
            settings=settings,
            principal=SOMEBODY,
            run_id=uuid.uuid4().hex,
            state=self.state,
            engine=self.engine,
            keys=self.keys,
            reporter=self.reporter,
        )

    def run(self, *expressions: str) -> RunSummary:
        """Run jobs, all without expressions."""
        graph = self.graph
        return run_jobs(graph, select(graph, expressions), self.context)

    def run_job(self, job: str, **keywords: Any) -> JobResult:
        """Write one job, run it, and return its result; its error is raised."""
        self.write_job(job, **keywords)
        [outcome] = self.run(f"wf-{keywords.get('name', 'job')}").outcomes
        if outcome.error is not None:
            raise outcome.error
        assert outcome.result is not None, outcome
        return outcome.result

    def error_of(self, job: str, **keywords: Any) -> DataOSError:
        """Write one job, run it, and return its error."""
        self.write_job(job, **keywords)
        [outcome] = self.run(f"wf-{keywords.get('name', 'job')}").outcomes
        assert outcome.error is not None, outcome
        return outcome.error

    def plan(self, job: str, **keywords: Any) -> Plan:
        """Write one job and return its plan."""
        self.write_job(job, **keywords)
        [node] = self.graph.nodes.values()
        assert node.stack is not None, node.missing
        return node.stack.plan(node.job, self.context)

    def session(self) -> EngineSession:
        """Return a session on which datasets of the lakehouse can be read and written."""
        address = Address.parse("dataos://lakehouse:any/table")
        needed = self.context.door.requirements([ReadRequest(Target(address=address))])
        conf = tuple(sorted(needed.conf.get(self.engine, {}).items()))
        packages = tuple(sorted(needed.packages)) if self.engine == "spark" else ()
        return self.sessions.get(SessionConfiguration(self.engine, conf=conf, packages=packages))

    def seed(self, address: str, sql: str) -> None:
        """Write the rows of a query to a dataset."""
        session = self.session()
        request = WriteRequest(Target(address=Address.parse(address)), "overwrite")
        self.context.door.write(session.spark.sql(sql), request, session, SOMEBODY)

    def table(self, address: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Return columns with types, and sorted rows, of a dataset."""
        session = self.session()
        frame = self.context.door.read(ReadRequest(Target(address=Address.parse(address))), session, SOMEBODY)
        columns = [f"{field.name} {field.dataType.simpleString()}" for field in frame.schema.fields]
        return columns, sorted((tuple(row) for row in frame.collect()), key=repr)


@pytest.fixture
def project(tmp_path: Path, sessions: Sessions, engine_session: EngineSession) -> FlareProject:
    """Return an empty project whose jobs run on one engine, on both in turn."""
    return FlareProject(tmp_path, sessions, engine_session.engine)


@pytest.fixture
def sail_project(tmp_path: Path, sessions: Sessions, sail_session: EngineSession) -> FlareProject:
    """Return an empty project whose jobs run on Sail: for what no engine has a part in."""
    return FlareProject(tmp_path, sessions, sail_session.engine)


@pytest.fixture
def spark_project(tmp_path: Path, sessions: Sessions, spark_session: EngineSession) -> FlareProject:
    """Return an empty project whose jobs run on Spark: for stores that Sail has no connector for."""
    return FlareProject(tmp_path, sessions, spark_session.engine)


@pytest.fixture
def module_in() -> Iterator[Callable[[FlareProject, str, str], None]]:
    """Return what writes a module of functions into a project; afterwards this process has not imported it."""
    names = []

    def write(project: FlareProject, name: str, text: str) -> None:
        project.write(f"{name}.py", text)
        names.append(name)

    yield write
    for name in names:
        sys.modules.pop(name, None)

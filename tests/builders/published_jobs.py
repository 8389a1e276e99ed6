"""Published Flare jobs: planned on stand-ins, and run on generated rows where everything they name is on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from dataos_dagster.depots.catalog import DepotCatalog
from dataos_dagster.depots.requests import ReadRequest, Target, WriteRequest
from dataos_dagster.flare.plan import flare_spec
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import Settings
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.execution import JobRunner
from dataos_dagster.workflows.plans import Unplanned, plan_jobs
from dataos_dagster.workflows.stand_ins import catalog_with_stand_ins
from tests.builders.generated_rows import columns_of_inputs, query_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.results import JobResult

CORPUS = Path(os.environ.get("DATAOS_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))

# Column with its type to its values, in the order in which the engine returns rows.
Rows = dict[str, list[object]]


def files_with_jobs() -> list[Path]:
    """Return the published files that may hold a Flare job; none where there is no corpus."""
    found = (file for file in CORPUS.glob("*/*.y*ml") if file.parent.name != "_unparsed")
    return sorted(file for file in found if "flare" in file.read_text(encoding="utf-8").lower())


def written_jobs(file: Path) -> list[dict[str, Any]]:
    """Return the `stackSpec` of each Flare job of a file, read without this package."""

    def found(value: Any) -> Iterator[dict[str, Any]]:
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if isinstance(value, dict) and str(value.get("stack", "")).startswith("flare"):
            yield value.get("stackSpec") or value.get("flare") or {}
        for child in children:
            yield from found(child)

    documents = yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [spec for document in documents for spec in found(document)]


@dataclass
class PublishedJobs:
    """The Flare jobs of one published file, in a project of their own that has none of their depots."""

    runner: JobRunner
    graph: JobGraph
    catalog: DepotCatalog

    @classmethod
    def read(
        cls,
        file: Path,
        folder: Path,
        engine: Literal["sail", "spark", "auto"] = "sail",
        *,
        sessions: Sessions | None = None,
    ) -> PublishedJobs:
        """Read a file.

        Args:
            file: The file.
            folder: Of the project, which takes what the jobs write.
            engine: Which runs the jobs.
            sessions: Warm engines to run the jobs on; they are planned only without.
        """
        settings = Settings(project=folder, flare={"data_root": "data"})
        project = load_project(
            file, settings=settings, environment={}, allow_placeholders=True, fill_placeholders=True, use_cache=False
        )
        graph = build_graph(project)
        catalog: DepotCatalog
        catalog, _ = catalog_with_stand_ins(project, graph, settings)
        if sessions is not None:
            # What stands in for depots are folders of this machine, which can be used like any.
            catalog = DepotCatalog(catalog, catalog.secrets, settings)
        runner = JobRunner(project, settings, engine=engine, catalog=catalog)
        if sessions is not None:
            runner.sessions = sessions
        return cls(runner, graph, catalog)

    def plans(self) -> dict[str, JobPlan | Unplanned]:
        """Return the plan of each Flare job, or why there is none."""
        jobs = [job_id for job_id, node in self.graph.nodes.items() if node.job.stack == "flare"]
        found: dict[str, Any] = dict(plan_jobs(self.graph, jobs, self._context()))
        return found

    def local(self) -> dict[str, JobPlan]:
        """Return the plans of the batch jobs that only name what a folder of this machine can hold."""
        return {
            job_id: plan
            for job_id, plan in self.plans().items()
            if not isinstance(plan, Unplanned)
            and not plan.findings
            and plan.stream is None
            and self.graph.nodes[job_id].is_run
            and self._is_local(plan)
        }

    def seed(self, plan: JobPlan) -> None:
        """Write generated rows for the inputs of a job, and the schemas that it reads from files."""
        columns = columns_of_inputs(flare_spec(plan.job))
        context, session = self._context(), self.runner.sessions.get(plan.configuration)
        for planned in plan.inputs:
            table = planned.address.path[-1] if planned.implicit and planned.address else planned.name
            rows = session.spark.sql(query_of(columns.get(table.lower()) or {"a": "'1'"}))
            if planned.schema is not None:
                rows = rows.selectExpr(*(f"cast(`{name}` as string) as `{name}`" for name in rows.columns))
                self._file_of(planned.schema).write_text(_avro_schema(rows.columns), encoding="utf-8")
            request = WriteRequest(planned.request.target, "overwrite", format=planned.request.format)
            context.door.write(rows, request, session, context.principal)

    def run(self, job_id: str) -> JobResult:
        """Run a job; its error is raised."""
        return self.runner.run(self.graph.nodes[job_id], "run")

    def by_hand(self, plan: JobPlan) -> list[Rows]:
        """Return the rows of each output's view, made by the plan's own queries and functions, one after the other.

        What a run adds is compared with it: its order, its views, its types and its writing. What functions make is
        compared with plain Python elsewhere.
        """
        context, session = self._context(), self.runner.sessions.get(plan.configuration)
        for planned in plan.inputs:
            _read(planned, context, session).createOrReplaceTempView(planned.name)
        for step in plan.steps:
            frame = session.spark.sql(step.sql)
            for function in step.functions:
                frame = function.apply(frame, session.engine)
            frame.createOrReplaceTempView(step.name)
        return [_collected(session.spark.table(plan.views[output.name.lower()])) for output in plan.outputs]

    def written(self, plan: JobPlan) -> list[Rows]:
        """Return the rows of each dataset that a job has written."""
        context, session = self._context(), self.runner.sessions.get(plan.configuration)
        requests = [ReadRequest(output.request.target, format=output.request.format) for output in plan.outputs]
        return [_collected(context.door.read(request, session, context.principal)) for request in requests]

    def _context(self) -> RunContext:
        return self.runner.context("published", record=False)

    def _is_local(self, plan: JobPlan) -> bool:
        targets = [planned.request.target for planned in (*plan.inputs, *plan.outputs)]
        depots = {target.address.depot for target in targets if target.address is not None}
        return all(_is_folder(target) for target in targets) and all(
            self.catalog.find(depot).type == "file" for depot in depots
        )

    def _file_of(self, request: ReadRequest) -> Path:
        place = self._context().door.folder(request.target).place.local
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


def _is_folder(target: Target) -> bool:
    place = target.path or target.warehouse or ""
    return target.jdbc is None and target.source is None and "://" not in place


def _read(planned: PlannedInput, context: RunContext, session: EngineSession) -> DataFrame:
    request = planned.request
    if planned.schema is not None:
        [schema] = context.door.read(planned.schema, session, context.principal).collect()
        request = planned.with_schema(schema[0])
    frame = context.door.read(request, session, context.principal)
    if planned.increment is None:
        return frame
    frame.createOrReplaceTempView(planned.increment.view)
    values: dict[str, str] = {}
    for key in planned.increment.keys:
        statement = planned.increment.key_statement(key, values) if key.sql is not None else None
        values[key.name] = key.default or "" if statement is None else str(session.spark.sql(statement.sql).first()[0])
    return session.spark.sql(planned.increment.statement(values).sql)


def _collected(frame: DataFrame) -> Rows:
    rows = frame.collect()
    return {
        f"{field.name.lower()} {field.dataType.simpleString()}": [row[index] for row in rows]
        for index, field in enumerate(frame.schema.fields)
    }


def rows_of(found: Rows, columns: Iterable[str]) -> list[tuple[object, ...]]:
    """Return the rows of some columns, in an order of their own."""
    return sorted(zip(*(found[column] for column in sorted(columns)), strict=True), key=repr)


def _avro_schema(columns: list[str]) -> str:
    fields = [{"name": name, "type": ["null", "string"], "default": None} for name in columns]
    return json.dumps({"type": "record", "name": "row", "fields": fields})

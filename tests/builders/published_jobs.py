"""Published Flare jobs: planned on stand-ins, and run on generated rows where everything they name is on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dataos_dagster.depots.requests import WriteRequest
from dataos_dagster.flare.spec import flare_spec
from dataos_dagster.flare.stand_ins import catalog_with_stand_ins
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import Settings
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.execution import JobRunner
from dataos_dagster.workflows.plans import Unplanned, plan_jobs
from tests.builders.generated_rows import columns_of_inputs, query_of

if TYPE_CHECKING:
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.results import JobResult

CORPUS = Path(os.environ.get("DATAOS_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


def files_with_jobs() -> list[Path]:
    """Return the published files that may hold a Flare job; none where there is no corpus."""
    found = (file for file in CORPUS.glob("*/*.y*ml") if file.parent.name != "_unparsed")
    return sorted(file for file in found if "flare" in file.read_text(encoding="utf-8").lower())


@dataclass
class PublishedJobs:
    """The Flare jobs of one published file, in a project of their own that has none of their depots."""

    runner: JobRunner
    graph: JobGraph
    catalog: DepotCatalog

    @classmethod
    def read(cls, file: Path, folder: Path, engine: Literal["sail", "auto"] = "sail") -> PublishedJobs:
        """Read a file; `folder` takes what the jobs write."""
        settings = Settings(project=folder, flare={"data_root": "data"})
        project = load_project(
            file, settings=settings, environment={}, allow_placeholders=True, fill_placeholders=True, use_cache=False
        )
        graph = build_graph(project)
        catalog, _ = catalog_with_stand_ins(project, graph, settings)
        return cls(JobRunner(project, settings, engine=engine, catalog=catalog), graph, catalog)

    def plans(self) -> dict[str, JobPlan | Unplanned]:
        """Return the plan of each Flare job, or why there is none."""
        jobs = [job_id for job_id, node in self.graph.nodes.items() if node.job.stack == "flare"]
        return plan_jobs(self.graph, jobs, self.runner.context("plan", record=False))

    def local(self) -> dict[str, JobPlan]:
        """Return the plans of the jobs that only name what a folder of this machine can hold."""
        return {
            job_id: plan
            for job_id, plan in self.plans().items()
            if not isinstance(plan, Unplanned) and self.graph.nodes[job_id].is_run and self._is_local(plan)
        }

    def run(self, job_id: str, plan: JobPlan) -> JobResult:
        """Write generated rows for the inputs of a job and run it."""
        columns = columns_of_inputs(flare_spec(plan.job))
        context = self.runner.context("seed", record=False)
        session = self.runner.sessions.get(plan.configuration)
        for planned in plan.inputs:
            rows = session.spark.sql(query_of(columns.get(planned.name.lower(), {"a": "'1'"})))
            request = WriteRequest(planned.request.target, "overwrite", format=planned.request.format)
            context.door.write(rows, request, session, context.principal)
        return self.runner.run(self.graph.nodes[job_id], "run")

    def _is_local(self, plan: JobPlan) -> bool:
        targets = [planned.request.target for planned in (*plan.inputs, *plan.outputs)]
        depots = {target.address.depot for target in targets if target.address is not None}
        return all(target.jdbc is None for target in targets) and all(
            self.catalog.find(depot).type == "file" for depot in depots
        )

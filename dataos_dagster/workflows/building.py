"""From the jobs of a project to their graph.

Two things make a job wait for another: its manifest says so (`dependencies:`, nested workflows), or it reads what the
other writes. The graph is cut free of cycles before anybody orders or draws it, because one legal manifest that reads
and writes the same table would otherwise be a cycle.

- A job never waits for itself.
- Edges are added in this order: those that manifests state, then those that data implies, each in manifest order. One
  that would close a cycle is cut. So of a cycle the last edge goes, and what somebody wrote wins over what is inferred.
- A dataset belongs to the first job in manifest order that writes it, never to one that only deletes rows of it. A job
  that reads a dataset waits for all its writers; one that reads and writes it waits for the owner only, so that jobs
  which maintain one table do not wait for each other in circles.
- A job with `dryRun` writes nothing: its datasets are those of other jobs, or come from elsewhere.
- A job that runs until it is stopped has its datasets, but nobody waits for it: what it writes is there at any time.
- A job whose stack is not yet run is in the graph, but nobody waits for it: who depends on it waits for what it
  depends on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from dataos_dagster.depots.streams import STREAM_TYPES
from dataos_dagster.workflows.cycles import cut_cycles
from dataos_dagster.workflows.graph import Edge, JobGraph, JobNode, jobs_by_dataset
from dataos_dagster.workflows.jobs import DEFAULT_WORKSPACE, resolve_jobs
from dataos_dagster.workflows.stacks import stack_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataos_dagster.address import Address
    from dataos_dagster.errors import NotYetRun
    from dataos_dagster.manifests.diagnostics import Diagnostic
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.workflows.graph import AssetPath
    from dataos_dagster.workflows.jobs import Job, JobSet
    from dataos_dagster.workflows.stacks import Stack


def build_graph(project: Project, *, default_workspace: str = DEFAULT_WORKSPACE) -> JobGraph:
    """Return the graph of all jobs of a project. Linear in jobs and edges; touches no data."""
    return _Building(project, resolve_jobs(project, default_workspace=default_workspace)).result()


def _service(job: Job) -> NotYetRun:
    """Return why a job that runs until it is stopped is no part of a run."""
    from dataos_dagster.errors import NotYetRun

    return NotYetRun(
        f"{job.label} runs until it is stopped, and is no part of a run",
        hint=f"in Dagster a sensor keeps it running; by hand: dataos streams start {job.label}. "
        "`streaming: {triggerMode: AvailableNow}` makes it a job that ends",
        location=job.location(),
    )


@dataclass
class _Building:
    """One pass from jobs to nodes."""

    project: Project
    job_set: JobSet
    jobs: dict[str, Job] = field(default_factory=dict)
    writers: dict[AssetPath, tuple[str, ...]] = field(default_factory=dict)
    stacks: dict[str, Stack | None] = field(default_factory=dict)
    reads: dict[str, tuple[Address, ...]] = field(default_factory=dict)
    writes: dict[str, tuple[Address, ...]] = field(default_factory=dict)
    deleters: set[tuple[AssetPath, str]] = field(default_factory=set)
    missing: dict[str, NotYetRun] = field(default_factory=dict)
    services: dict[str, Stack] = field(default_factory=dict)

    def result(self) -> JobGraph:
        self.jobs = {job.id: job for job in self.job_set.jobs}
        for job in self.jobs.values():
            stack = stack_of(job)
            missing = stack.not_yet_run(job) if stack else ()
            if missing:
                stack, self.missing[job.id] = None, missing[0]
            self.reads[job.id] = stack.reads(job) if stack else ()
            if stack and not job.spec.dry_run:
                self.writes[job.id] = stack.writes(job)
                self.deleters.update((address.key, job.id) for address in stack.deletes_from(job))
            else:
                self.writes[job.id] = ()
            if stack and stack.keeps_running(job, self.stream_depots):
                self.services[job.id], self.missing[job.id] = stack, _service(job)
                stack = None
            self.stacks[job.id] = stack
        self.writers = jobs_by_dataset(self.writes.items())
        # Whoever makes a dataset goes before those that only delete rows of it.
        for key in dict.fromkeys(key for key, _ in self.deleters):
            self.writers[key] = tuple(sorted(self.writers[key], key=lambda name: (key, name) in self.deleters))
        owners = {key: names[0] for key, names in self.writers.items() if (key, names[0]) not in self.deleters}
        kept, cut = cut_cycles([*self._stated_edges(), *self._data_edges()])
        nodes = self._nodes(owners, _by_downstream(kept), _by_downstream(cut))
        return JobGraph(nodes, owners, self.job_set.members, self.job_set.diagnostics)

    @cached_property
    def stream_depots(self) -> frozenset[str]:
        """Return the names of depots whose datasets are streams unless a job says otherwise."""
        depots = self.project.of_kind("depot")
        return frozenset(depot.name.lower() for depot in depots if (depot.section.type or "").lower() in STREAM_TYPES)

    def _stated_edges(self) -> Iterator[Edge]:
        passed: dict[str, tuple[str, ...]] = {}
        for job in self.jobs.values():
            if self.stacks[job.id] is None:
                continue
            waits_for = {run: None for name in job.dependencies for run in self._run_by(name, passed)}
            for upstream in waits_for:
                if upstream != job.id:
                    yield Edge(upstream, job.id, "dependency")

    def _run_by(self, job_id: str, passed: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return the job, or what it depends on when it is not run itself."""
        if self.stacks[job_id] is not None:
            return (job_id,)
        if job_id not in passed:
            passed[job_id] = ()  # a cycle of jobs that are not run leads nowhere
            through = {run: None for name in self.jobs[job_id].dependencies for run in self._run_by(name, passed)}
            passed[job_id] = tuple(through)
        return passed[job_id]

    def _data_edges(self) -> Iterator[Edge]:
        for job in self.jobs.values():
            if job.id in self.services:
                continue
            written = {address.key for address in self.writes[job.id]}
            seen: set[AssetPath] = set()
            for address in self.reads[job.id]:
                if address.key in seen:
                    continue
                seen.add(address.key)
                writers = (name for name in self.writers.get(address.key, ()) if name not in self.services)
                for upstream in islice(writers, 1) if address.key in written else writers:
                    if upstream != job.id:
                        yield Edge(upstream, job.id, "data", address)

    def _nodes(
        self, owners: Mapping[AssetPath, str], kept: Mapping[str, list[Edge]], cut: Mapping[str, list[Edge]]
    ) -> dict[str, JobNode]:
        blocked = _errors_inside(self.project, self.jobs.values())
        nodes = {}
        for job in self.jobs.values():
            unique = {address.key: address for address in self.writes[job.id]}
            owned = tuple(address for key, address in unique.items() if owners.get(key) == job.id)
            reported = tuple(address for key, address in unique.items() if owners.get(key) != job.id)
            nodes[job.id] = JobNode(
                job=job,
                stack=self.stacks[job.id],
                reads=self.reads[job.id],
                writes=self.writes[job.id],
                owned=owned,
                reported=reported,
                upstream=tuple(kept.get(job.id, ())),
                cut=tuple(cut.get(job.id, ())),
                blocked=tuple(blocked.get(job.id, ())),
                missing=self.missing.get(job.id),
                service=self.services.get(job.id),
            )
        return nodes


def _by_downstream(edges: Iterable[Edge]) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.downstream, []).append(edge)
    return found


def _errors_inside(project: Project, jobs: Iterable[Job]) -> dict[str, list[Diagnostic]]:
    """Return the error diagnostics that stand inside a job that is there all the same."""
    errors: dict[str, list[Diagnostic]] = {}
    for diagnostic in project.errors:
        errors.setdefault(diagnostic.file, []).append(diagnostic)
    found: dict[str, list[Diagnostic]] = {}
    for job in jobs if errors else ():
        document, path = job.workflow.document, job.workflow.origin(job.path)
        inside = [problem for problem in errors.get(document.name, ()) if problem.path[: len(path)] == path]
        if inside:
            span = document.range_of(path)  # one file may hold several documents
            inside = [problem for problem in inside if span.start.line <= problem.line <= span.end.line]
        if inside:
            found[job.id] = inside
    return found

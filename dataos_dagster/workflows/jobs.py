"""Jobs of a project: the entries of every `dag`, with nested workflows resolved.

A dag entry with `file:` stands for the jobs of the workflow in that file. They exist once, under their own workflow,
however often they are nested: whoever depends on the entry waits for all of them, all of them wait for what the entry
depends on, and the entry's `retry` holds for each that has none of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dataos_dagster.manifests.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dataos_dagster.errors import Location
    from dataos_dagster.manifests.diagnostics import Diagnostic, DocumentPath
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.manifests.resource import Resource
    from dataos_dagster.workflows.manifest import DagEntry, JobSpec, Retry, WorkflowSection

    WorkflowResource = Resource[WorkflowSection]

DEFAULT_WORKSPACE = "public"


@dataclass(frozen=True, slots=True)
class Job:
    """One entry of a `dag` that has a `spec`.

    Attributes:
        id: `workspace/workflow/job`, unique in a project.
        path: Where the entry stands in its document: `("workflow", "dag", index)`.
        dependencies: Ids of the jobs that it is told to wait for, nested workflows spelled out.
        retry: Its own policy, or that of the entry that nests its workflow.
    """

    id: str
    workflow: WorkflowResource
    entry: DagEntry
    spec: JobSpec
    path: DocumentPath
    workspace: str
    dependencies: tuple[str, ...] = ()
    retry: Retry | None = None

    @property
    def name(self) -> str:
        """Return the job's name, unique in its workflow."""
        return self.entry.name

    @property
    def label(self) -> str:
        """Return `workflow/job`, as people name it."""
        return f"{self.workflow.name}/{self.entry.name}"

    @property
    def stack(self) -> str:
        """Return the stack's name in lower case, without language and version."""
        return self.spec.stack.name.lower()

    def location(self, path: DocumentPath = (), *, key: bool = False) -> Location:
        """Return where a value of the entry (or its key) stands; `path` begins below the entry."""
        return self.workflow.location((*self.path, *path), key=key)


@dataclass(frozen=True, slots=True)
class JobSet:
    """All jobs of a project.

    Attributes:
        jobs: In manifest order: path of the file, document, entry.
        members: Identifier of a workflow to the ids of its jobs, those of workflows that it nests included.
        diagnostics: What is wrong with names.
    """

    jobs: tuple[Job, ...]
    members: Mapping[str, tuple[str, ...]]
    diagnostics: tuple[Diagnostic, ...]


def jobs_of(project: Project, *, default_workspace: str = DEFAULT_WORKSPACE) -> tuple[Job, ...]:
    """Return the jobs of a project in manifest order, with nested workflows resolved."""
    return resolve_jobs(project, default_workspace=default_workspace).jobs


def resolve_jobs(project: Project, *, default_workspace: str = DEFAULT_WORKSPACE) -> JobSet:
    """Return the jobs of a project, which workflow has which, and what is wrong with them."""
    return _Resolution(project, default_workspace).result()


def job_diagnostic(
    workflow: WorkflowResource, path: DocumentPath, code: str, severity: Severity, message: str, hint: str = ""
) -> Diagnostic:
    """Return a diagnostic about a value of a workflow; `path` begins at the manifest's root."""
    return workflow.document.diagnostic(code, severity, workflow.origin(path), message, hint)


@dataclass
class _Resolution:
    """One pass over the workflows of a project; linear in the number of entries."""

    project: Project
    default_workspace: str
    jobs: dict[str, Job] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    # Ids that a job waits for because an entry that nests its workflow does.
    inherited: dict[str, list[str]] = field(default_factory=dict)
    enclosing_retry: dict[str, Retry] = field(default_factory=dict)
    by_file: dict[Path, list[WorkflowResource]] = field(default_factory=dict)

    def result(self) -> JobSet:
        workflows: tuple[WorkflowResource, ...] = self.project.of_kind("workflow")
        for workflow in workflows:
            self._collect(workflow)
        # Resolving a path costs system calls, so it is done only where something is nested.
        if any(entry.spec is None for workflow in workflows for entry in workflow.section.dag):
            for workflow in workflows:
                self.by_file.setdefault(workflow.document.file.resolve(), []).append(workflow)
        for workflow in workflows:
            self._members(workflow, ())
        for workflow in workflows:
            self._connect(workflow)
        return JobSet(tuple(self._finished()), self.members, tuple(self.diagnostics))

    def _collect(self, workflow: WorkflowResource) -> None:
        for index, entry in enumerate(workflow.section.dag):
            if entry.spec is None:
                continue
            path = ("workflow", "dag", index)
            job_id = self._id(workflow, entry)
            if job_id in self.jobs:
                message = f"there is a job {job_id!r} already, at {self.jobs[job_id].location()}"
                place, hint = (*path, "name"), "give it another name"
                self.diagnostics.append(job_diagnostic(workflow, place, "duplicate-job", Severity.ERROR, message, hint))
                continue
            workspace = workflow.workspace or self.default_workspace
            self.jobs[job_id] = Job(job_id, workflow, entry, entry.spec, path, workspace, retry=entry.retry)

    def _members(self, workflow: WorkflowResource, inside: tuple[str, ...]) -> tuple[str, ...]:
        """Return the ids of a workflow's jobs; `inside` are the workflows that are being entered."""
        known = self.members.get(workflow.identifier)
        if known is not None:
            return known
        ids: dict[str, None] = {}
        for entry in workflow.section.dag:
            if entry.spec is not None:
                ids[self._id(workflow, entry)] = None
            for nested in self._nested(workflow, entry):
                # Workflows that nest each other are reported where manifests are read.
                if nested.identifier not in (*inside, workflow.identifier):
                    ids.update(dict.fromkeys(self._members(nested, (*inside, workflow.identifier))))
        self.members[workflow.identifier] = tuple(job_id for job_id in ids if job_id in self.jobs)
        return self.members[workflow.identifier]

    def _connect(self, workflow: WorkflowResource) -> None:
        by_name = {entry.name: self._ids(workflow, entry) for entry in workflow.section.dag}
        for entry in workflow.section.dag:
            upstream = [job_id for name in entry.dependencies for job_id in by_name.get(name, ())]
            for job_id in by_name[entry.name]:
                self.inherited.setdefault(job_id, []).extend(upstream)
                if entry.retry is not None:
                    self.enclosing_retry.setdefault(job_id, entry.retry)

    def _ids(self, workflow: WorkflowResource, entry: DagEntry) -> tuple[str, ...]:
        """Return the ids of the jobs that one entry stands for."""
        if entry.spec is not None:
            return (self._id(workflow, entry),)
        nested = self._nested(workflow, entry)
        return tuple(job_id for inner in nested for job_id in self.members.get(inner.identifier, ()))

    def _nested(self, workflow: WorkflowResource, entry: DagEntry) -> list[WorkflowResource]:
        # A relative path counts from the referring file, then from the project.
        if entry.spec is not None or not entry.file:
            return []
        folders = (workflow.document.file.parent, self.project.root)
        candidates = ((folder / entry.file).resolve() for folder in folders)
        return next((self.by_file[file] for file in candidates if file in self.by_file), [])

    def _finished(self) -> Iterator[Job]:
        for job in self.jobs.values():
            waits_for = dict.fromkeys(self.inherited.get(job.id, ()))
            dependencies = tuple(job_id for job_id in waits_for if job_id in self.jobs and job_id != job.id)
            retry = job.retry or self.enclosing_retry.get(job.id)
            yield replace(job, dependencies=dependencies, retry=retry) if dependencies or retry else job

    def _id(self, workflow: WorkflowResource, entry: DagEntry) -> str:
        return f"{workflow.workspace or self.default_workspace}/{workflow.name}/{entry.name}"

"""What the graph of a project's jobs had to decide, as diagnostics: read from its nodes, when somebody asks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.workflows.jobs import job_diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.diagnostics import Diagnostic
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.workflows.graph import JobGraph, JobNode

# Code, severity, message, hint.
Finding = tuple[str, Severity, str, str]


def with_job_diagnostics(project: Project) -> Project:
    """Return a project whose diagnostics include those about the graph of its jobs."""
    from dataos_dagster.workflows.building import build_graph

    found = (*project.diagnostics, *build_graph(project).diagnostics)
    return replace(project, diagnostics=tuple(sorted(found, key=lambda one: (one.file, one.line, one.column))))


def graph_diagnostics(graph: JobGraph) -> tuple[Diagnostic, ...]:
    """Return where edges were cut, datasets have several writers, or jobs are not run; in manifest order."""
    return tuple(
        job_diagnostic(node.job.workflow, (*node.job.path, "name"), *finding)
        for node in graph.nodes.values()
        for finding in _findings(graph, node)
    )


def _findings(graph: JobGraph, node: JobNode) -> Iterator[Finding]:
    if node.service is not None:
        hint = "nothing needs to be done; `streaming: {triggerMode: AvailableNow}` makes it a job that ends"
        yield "runs-until-stopped", Severity.INFO, f"{node.job.label} runs until it is stopped: no run has it", hint
    elif not node.is_run:
        yield _not_run(node)
    deleted = {address.key for address in node.stack.deletes_from(node.job)} if node.stack else set()
    written = {address.key for address in node.writes} - deleted
    for address in {address.key: address for address in node.reads if address.key in written}.values():
        message = f"{node.job.label} reads and writes {address}; it does not wait for itself"
        yield "self-dependency", Severity.INFO, message, ""
    for address in (reported for reported in node.reported if reported.key in graph.owners):
        first = graph.nodes[graph.owners[address.key]].job
        message = f"{address} belongs to {first.label} ({first.location()}), which is the first to write it"
        hint = f"{node.job.label} appears under its own name and reports what it writes to {address}"
        yield "several-writers", Severity.INFO, message, hint
    for edge in node.cut:
        hint = "state the order that you want with `dependencies:`, or give one of the jobs another dataset"
        yield "data-cycle", Severity.WARNING, f"dependencies run in a circle; cut here: {edge}", hint


def _not_run(node: JobNode) -> Finding:
    message = f"jobs of the stack {node.job.stack!r} are read and not yet run"
    if node.missing is not None:
        message = f"{node.missing.message} ({node.missing.location})"
    return "stack-not-run", Severity.INFO, message, "it is shown, and nothing waits for it"

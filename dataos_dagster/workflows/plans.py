"""Plans of jobs: what each would do and where, without touching data or starting an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, NotYetRun
from dataos_dagster.workflows.execution import planned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import JobGraph, JobNode
    from dataos_dagster.workflows.stacks import Plan


def plan_jobs(graph: JobGraph, selected: Iterable[str], context: RunContext) -> dict[str, Plan | DataOSError]:
    """Return the plan of each job in running order, or why there is none."""
    return {job_id: _plan(graph.nodes[job_id], context) for job_id in graph.order(selected)}


def _plan(node: JobNode, context: RunContext) -> Plan | DataOSError:
    job = node.job
    if node.missing is not None:
        return node.missing
    if node.stack is None:
        return NotYetRun(f"jobs of the stack {job.stack!r} are read and not yet run", location=job.location())
    try:
        return planned(node, node.stack, context)
    except DataOSError as error:
        return error

"""Plans of jobs: what each would do and where, without touching data or starting an engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, NotYetRun
from dataos_dagster.workflows.runner import blocked_error, principal_of_job

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
    if node.blocked:
        return blocked_error(node)
    try:
        return node.stack.plan(job, replace(context, principal=principal_of_job(job, context.settings)))
    except DataOSError as error:
        return error

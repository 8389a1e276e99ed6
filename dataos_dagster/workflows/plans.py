"""Plans of jobs: what each would do and where, without reading rows.

The embedded engine is started where the choice of an engine depends on the columns of inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, NotYetRun
from dataos_dagster.workflows.execution import blocked_errors, planned
from dataos_dagster.workflows.stacks import stack_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dataos_dagster.errors import JobError
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import JobGraph, JobNode
    from dataos_dagster.workflows.stacks import Plan, Stack


@dataclass(frozen=True, slots=True)
class Unplanned:
    """Why a job has no plan.

    Attributes:
        errors: All that is wrong with it, in the order of its manifest; at least one.
    """

    errors: tuple[DataOSError, ...]

    @property
    def is_left_out(self) -> bool:
        """Tell whether the job only asks for what this version does not run."""
        return all(isinstance(error, NotYetRun) for error in self.errors)


def plan_jobs(graph: JobGraph, selected: Iterable[str], context: RunContext) -> dict[str, Plan | Unplanned]:
    """Return the plan of each job in running order, or why there is none."""
    return {job_id: _plan(graph.nodes[job_id], context) for job_id in graph.order(selected)}


def _plan(node: JobNode, context: RunContext) -> Plan | Unplanned:
    job = node.job
    # Also of a job that is left out, or runs as a service: its plan says all that is missing, or how it would run.
    stack = node.stack or stack_of(job)
    if stack is None:
        left_out = NotYetRun(f"jobs of the stack {job.stack!r} are read and not yet run", location=job.location())
        return Unplanned((*blocked_errors(node), left_out))
    try:
        return planned(node, stack, context)
    except DataOSError as error:
        return Unplanned(_all_errors(node, stack, context, error))


def _all_errors(node: JobNode, stack: Stack, context: RunContext, first: DataOSError) -> tuple[DataOSError, ...]:
    """Return what is wrong with a job: what its manifest was told, and what its plan finds in other lines of it."""
    told = blocked_errors(node)
    if not told:
        return stack.plan_errors(node.job, context, first)
    found = stack.plan_errors(node.job, context, told[0])
    return (*told, *(error for error in found if not _is_told(error, told)))


def _is_told(error: DataOSError, told: Sequence[JobError]) -> bool:
    """Return whether something is told of the line of an error; that of an included file stands in the message."""
    if error.location is None:
        return error in told
    file, line = error.location.file, error.location.line
    return any(
        (each.location and (each.location.file, each.location.line) == (file, line))
        or each.message.startswith(f"{file}:{line}:")
        for each in told
    )

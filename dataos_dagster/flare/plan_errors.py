"""All that keeps a job from being planned: its plan stops at the first error, and people mend several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.flare.plan_findings import Findings
from dataos_dagster.flare.plan_parts import plan_parts
from dataos_dagster.flare.spec import flare_spec

if TYPE_CHECKING:
    from dataos_dagster.errors import DataOSError
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job


def plan_errors(job: Job, context: RunContext, first: DataOSError) -> tuple[DataOSError, ...]:
    """Return everything that is wrong with a job whose plan has failed, in the order of the manifest.

    Args:
        job: The job.
        context: What it was planned with.
        first: The error that ended its plan.
    """
    findings = Findings(collect=True)
    plan_parts(job, flare_spec(job), door=context.door, settings=context.settings, keys=context.keys, findings=findings)
    if not findings.is_at(first):
        findings.add([first])
    return findings.errors

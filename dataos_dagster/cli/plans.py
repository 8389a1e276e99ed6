"""What `dataos run --plan` shows: what each job would do and on which engine, or all that keeps it from that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from dataos_dagster.cli.failures import error_json
from dataos_dagster.errors import NotYetRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataos_dagster.errors import DataOSError
    from dataos_dagster.manifests.diagnostics import Diagnostic
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.plans import Unplanned
    from dataos_dagster.workflows.stacks import Plan


def print_plans(plans: Mapping[str, Plan | Unplanned], graph: JobGraph, stand_ins: Sequence[str]) -> None:
    """Print plans to standard output, and what is wrong with the jobs that have none to standard error."""
    from dataos_dagster.cli.run_display import print_error
    from dataos_dagster.workflows.plans import Unplanned

    if stand_ins:
        typer.echo(f"stand-ins, which no manifest declares: {', '.join(stand_ins)}\n")
    for number, (job_id, found) in enumerate(plans.items()):
        if number:
            typer.echo()
        if isinstance(found, Unplanned):
            for error in found.errors:
                print_error(job_id, error, graph)
        else:
            typer.echo(found.as_text())
            for finding in found.findings:
                hint = f" ({finding.hint})" if finding.hint else ""
                typer.echo(f"  {_kind(finding):6} {finding.location}: {finding.message}{hint}")


def _kind(finding: DataOSError) -> str:
    """Return whether something stands in for what is missing, or it is left out."""
    return "absent" if isinstance(finding, NotYetRun) else "assume"


def plans_json(
    plans: Mapping[str, Plan | Unplanned], graph: JobGraph, project: Project, stand_ins: Sequence[str]
) -> dict[str, Any]:
    """Return plans as plain values.

    A plan on stand-ins has `findings`: what keeps the job from running, and was stood in for or left out. A job without
    a plan has `errors` instead, all of them; errors of manifests that hold no job stand in `manifests`.
    """
    from dataos_dagster.cli.check import diagnostic_json
    from dataos_dagster.workflows.plans import Unplanned

    values: list[dict[str, Any]] = []
    for job_id, found in plans.items():
        if isinstance(found, Unplanned):
            place = str(graph.nodes[job_id].job.location())
            values.append({"job": job_id, "location": place, "errors": [error_json(each) for each in found.errors]})
        else:
            values.append(found.as_json() | {"findings": [error_json(each) for each in found.findings]})
    return {
        "plans": values,
        "stand_ins": list(stand_ins),
        "manifests": [diagnostic_json(found) for found in errors_outside(graph, project)],
    }


def errors_outside(graph: JobGraph, project: Project) -> tuple[Diagnostic, ...]:
    """Return the errors of manifests that stand in no job, so that no plan tells of them."""
    inside = {id(found) for node in graph.nodes.values() for found in node.blocked}
    return tuple(found for found in project.errors if id(found) not in inside)

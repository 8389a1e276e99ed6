"""A plan as lines for people, and as plain values for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.request_json import read_json, write_json
from dataos_dagster.workflows.environment import described_environment

if TYPE_CHECKING:
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.plan import JobPlan


def plan_json(plan: JobPlan) -> dict[str, Any]:
    """Return the plan as plain values, for `--plan --json`."""
    return {
        "job": plan.job.id,
        "location": str(plan.job.location()),
        "engine": plan.engine,
        "reasons": list(plan.route.reasons),
        "inputs": [
            {"view": planned.name, "dataset": planned.dataset, "implicit": planned.implicit}
            | read_json(planned.request)
            | _prospect(plan, planned.label)
            for planned in plan.inputs
        ],
        "steps": [
            {
                "view": step.name,
                "reads": [relation.name for relation in step.statement.relations],
                "functions": [function.name for function in step.functions],
                "location": str(step.location),
            }
            for step in plan.steps
        ],
        "outputs": [
            {"view": output.name, "dataset": output.dataset, "mode": _mode_of(output.request)}
            | write_json(output.request)
            for output in plan.outputs
        ],
        "actions": [
            {"name": action.name, "dataset": action.dataset, "details": list(action.details)}
            | ({"branch": action.request.branch} if action.request.branch else {})
            | _prospect(plan, action.label)
            for action in plan.actions
        ],
        "environment": list(described_environment(plan.job)),
        "assertions": [test.text for each in plan.assertions for query in each.queries for test in query.tests],
        "notes": list(plan.notes),
    } | ({"stream": plan.stream.as_json()} if plan.stream else {})


def plan_lines(plan: JobPlan) -> list[str]:
    """Return the plan as lines for people."""
    lines = [f"{plan.job.id} on {plan.engine}", *(f"  because {reason}" for reason in plan.route.reasons)]
    lines += [f"  given  {described}" for described in described_environment(plan.job)]
    for planned in plan.inputs:
        lines.append(f"  read   {planned.name} ← {planned.dataset}{_how(planned)}")
        lines += [f"    new  {told}" for told in plan.prospects.get(planned.label, ())]
    for step in plan.steps:
        functions = "".join(f" → {function.name}" for function in step.functions)
        lines.append(f"  step   {step.name} ({step.location}){functions}")
    if plan.profile is not None:
        lines.append(f"  profile {plan.profile.dataset}")
    for each in plan.assertions:
        tests = ", ".join(test.text for query in each.queries for test in query.tests)
        lines.append(f"  test   {each.dataset}: {tests}")
    for action in plan.actions:
        told = "; ".join((*action.details, *plan.prospects.get(action.label, ())))
        lines.append(f"  action {action.name} {action.dataset}{f': {told}' if told else ''}")
    if plan.stream is not None:
        lines += plan.stream.as_lines()
    else:
        lines += [f"  write  {out.name} → {out.dataset} ({_mode_of(out.request)})" for out in plan.outputs]
    return [*lines, *(f"  note   {note}" for note in plan.notes)]


def _prospect(plan: JobPlan, label: str) -> dict[str, Any]:
    """Return what an action or an incremental input would do now, where there is something to say."""
    told = plan.prospects.get(label)
    return {"prospect": list(told)} if told else {}


def _mode_of(request: WriteRequest) -> str:
    """Return how a request writes, in one word or two."""
    if request.merge is not None:
        return "merge"
    if request.statement is not None:
        return "a statement for each row"
    return "overwrite partitions" if request.mode == "overwrite" and request.dynamic_overwrite else request.mode


def _how(planned: PlannedInput) -> str:
    if planned.request.query is not None:
        return f": {' '.join(planned.request.query.sql.split())}"
    return " (named in SQL)" if planned.implicit else ""

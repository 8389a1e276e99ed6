"""What `dataos run --json` prints: a run as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.cli.failures import error_json

if TYPE_CHECKING:
    from dataos_dagster.workflows.profiles import ProfileResult
    from dataos_dagster.workflows.results import ActionResult, AssertionResult, JobOutcome, OutputResult, WindowResult
    from dataos_dagster.workflows.runner import RunSummary


def summary_json(summary: RunSummary) -> dict[str, Any]:
    """Return a run as plain values."""
    return {
        "run_id": summary.run_id,
        "seconds": round(summary.seconds, 3),
        "interrupted": summary.interrupted,
        "jobs": [_outcome_json(outcome) for outcome in summary.outcomes],
    }


def _outcome_json(outcome: JobOutcome) -> dict[str, Any]:
    result = outcome.result
    return {
        "job": outcome.job_id,
        "state": outcome.state,
        "location": str(outcome.location),
        "seconds": round(outcome.seconds, 3),
        "engine_seconds": _rounded(result.engine_seconds) if result else None,
        "reason": outcome.reason or None,
        "error": error_json(outcome.error) if outcome.error else None,
        "engine": result.engine if result else None,
        "engine_reasons": list(result.engine_reasons) if result else [],
        "principal": result.principal.name if result else None,
        "inputs": [entry.dataset for entry in result.inputs] if result else [],
        "outputs": [_output_json(output) for output in result.outputs] if result else [],
        "actions": [_action_json(each) for each in result.actions] if result else [],
        "assertions": [_assertion_json(each) for each in result.assertions] if result else [],
        "profile": _profile_json(result.profile) if result and result.profile else None,
        "notes": list(result.notes) if result else [],
        "incremental": [_window_json(window) for window in result.windows] if result else [],
        "explain": dict(result.explain) if result else {},
        "plan": outcome.plan.as_json() if outcome.plan else None,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _profile_json(profile: ProfileResult) -> dict[str, Any]:
    return {
        "dataset": profile.dataset,
        "filters": list(profile.filters),
        "rows": profile.rows,
        "seconds": round(profile.seconds, 3),
        "columns": [{"name": each.name, "type": each.type} | each.statistics() for each in profile.columns],
    }


def _action_json(action: ActionResult) -> dict[str, Any]:
    return {
        "name": action.name,
        "dataset": action.dataset,
        "summary": action.summary,
        "counts": dict(action.counts),
        "snapshot_id": action.snapshot_id,
        "files": list(action.files),
        "seconds": round(action.seconds, 3),
    }


def _assertion_json(result: AssertionResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "dataset": result.dataset,
        "column": result.column,
        "test": result.test,
        "value": result.value,
        "operator": result.operator,
        "limit": result.limit,
        "passed": result.passed,
        "location": str(result.location),
    }


def _window_json(window: WindowResult) -> dict[str, Any]:
    return {
        "input": window.input,
        "values": dict(window.values),
        "origins": dict(window.origins),
        "stored": dict(window.stored),
    }


def _output_json(output: OutputResult) -> dict[str, Any]:
    return {
        "dataset": output.dataset,
        "rows": output.rows,
        "bytes": output.bytes,
        "snapshot_id": output.snapshot_id,
        "branch": output.branch,
        "rows_deleted": output.rows_deleted,
        "created": output.created,
        "replaced": output.replaced,
        "seconds": round(output.seconds, 3),
        "schema": [{"name": column.name, "type": column.type} for column in output.schema],
    }

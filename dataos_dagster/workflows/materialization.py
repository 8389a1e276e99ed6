"""Run a job inside a Dagster op, and say what it did in Dagster's words.

Datasets that the job owns are materialized by its op; those that an earlier job owns get a materialization event of
their own, so that the history of a dataset is whole. What was written before a failure is reported too: it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from dataos_dagster.dagster_compat import PlainFailure, is_bounded, with_known_signature
from dataos_dagster.errors import DataOSError, StepError
from dataos_dagster.manifests.console import count_of
from dataos_dagster.redaction import redact_exception
from dataos_dagster.workflows.backfills import given_keys
from dataos_dagster.workflows.metadata import (
    action_metadata,
    assertion_metadata,
    by_dataset,
    job_metadata,
    output_metadata,
    problem_metadata,
    profile_metadata,
)
from dataos_dagster.workflows.results import Reporter
from dataos_dagster.workflows.retries import RUN_RETRIES_OFF, retry_plan
from dataos_dagster.workflows.translator import JOB_KEY, MANIFEST_CHECK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.definitions import Compute
    from dataos_dagster.workflows.execution import JobRunner
    from dataos_dagster.workflows.graph import JobNode
    from dataos_dagster.workflows.results import ActionResult, AssertionResult, JobResult, OutputResult


# A pool is made by naming it, and bounds nothing until its number is set.
_UNBOUNDED = (
    "the pool {pool!r} has no limit in this deployment, so that any number of its jobs run at the same time: "
    "dagster instance concurrency set {pool} 1"
)
# What an op tells Dagster.
Told = dg.MaterializeResult[Any] | dg.AssetCheckResult


def build_compute(nodes: Mapping[str, JobNode], runner_key: str) -> Compute:
    """Return the function of every op of a location: it runs the job that its op stands for.

    Args:
        nodes: Op name to job.
        runner_key: Resource that runs jobs.
    """

    # Dagster judges the annotation of a parameter called `context`, and knows none that is written as a string.
    def compute(step: dg.AssetExecutionContext, _inputs: Mapping[str, Any]) -> Iterator[Told]:
        runner: JobRunner = getattr(step.resources, runner_key)
        yield from materialize_job(step, nodes[step.op_def.name], runner)

    return with_known_signature(compute)


def materialize_job(context: dg.AssetExecutionContext, node: JobNode, runner: JobRunner) -> Iterator[Told]:
    """Run a job and yield one materialization for each of its assets, and the results of its checks.

    Raises:
        dg.Failure: The job failed, or the project has an error inside it. It is tried again when its `retry` says so.
    """
    if node.blocked:
        yield from _blocked(node)
    if retry_plan(node.job).run_retries and not context.instance.run_retries_enabled:
        context.log.warning(RUN_RETRIES_OFF)
    pool = context.op_def.pool
    if pool and not is_bounded(context.instance, pool):
        context.log.warning(_UNBOUNDED.format(pool=pool))
    reporter = _Log(context)
    if node.is_dry_run:
        yield _planned(context, node, runner)
        return
    try:
        keys = given_keys(context, node, runner.settings)
        result = runner.run(node, context.run.run_id, reporter, in_dagster=True, keys=keys)
    except Exception as error:
        redact_exception(error)  # Dagster keeps the message of every error that this one was raised from
        yield from _materializations(context, node, reporter.outputs, {"job_failed": True})
        _observe_actions(context, node, reporter.actions)
        yield from _checks(context, node, reporter.assertions)
        if isinstance(error, DataOSError):
            # What it was raised from is the engine's client and its stack trace; the message says what the engine said.
            raise _failure(node, error, seconds=runner.seconds_since_first_start(node.job.id)) from None
        raise
    yield from _materializations(context, node, result.outputs, job_metadata(result))
    yield from _checks(context, node, result.assertions)
    if result.profile and result.profile.address:
        about = dg.AssetKey(result.profile.address.key)
        context.log_event(dg.AssetObservation(about, metadata=profile_metadata(result.profile)))
    _observe_actions(context, node, result.actions)
    if not node.owned:
        yield _job_itself(node, result)


def _planned(context: dg.AssetExecutionContext, node: JobNode, runner: JobRunner) -> dg.MaterializeResult[Any]:
    """Plan a job whose manifest says `dryRun`: the plan is about the job's own asset, and no dataset is written."""
    try:
        plan = runner.plan(node, context.run.run_id)
    except DataOSError as error:
        raise _failure(node, error, seconds=0.0) from None
    text = plan.as_text()
    context.log.info("%s says `dryRun: true`: it is planned, and nothing is written\n%s", node.job.id, text)
    metadata: dict[str, Any] = {"dry_run": True, "plan": dg.MetadataValue.md(f"```\n{text}\n```")}
    return dg.MaterializeResult(asset_key=dg.AssetKey(node.keys[0]), metadata=metadata)


def _blocked(node: JobNode) -> Iterator[dg.AssetCheckResult]:
    """Yield the failed check of a job that has errors inside it, and fail.

    Raises:
        PlainFailure: Always.
    """
    yield dg.AssetCheckResult(
        passed=False,
        asset_key=dg.AssetKey(node.keys[0]),
        check_name=MANIFEST_CHECK,
        metadata=problem_metadata(node.blocked),
    )
    told = "\n".join(map(str, node.blocked))
    raise PlainFailure(f"{node.job.label} cannot run:\n{told}")


def _materializations(
    context: dg.AssetExecutionContext,
    node: JobNode,
    outputs: tuple[OutputResult, ...] | list[OutputResult],
    about_job: Mapping[str, Any],
) -> Iterator[dg.MaterializeResult[Any]]:
    owned = {address.key for address in node.owned}
    written = by_dataset(outputs, lambda output: output.address.key if output.address else None)
    for key, output in written.items():
        metadata = output_metadata(output) | dict(about_job)
        if key in owned:
            yield dg.MaterializeResult(asset_key=dg.AssetKey(key), metadata=metadata)
        else:
            written_by = {JOB_KEY: node.job.id}
            context.log_event(dg.AssetMaterialization(dg.AssetKey(key), metadata=metadata | written_by))


def _observe_actions(context: dg.AssetExecutionContext, node: JobNode, actions: Iterable[ActionResult]) -> None:
    """Tell the history of each dataset what maintenance has done to it; deleted rows are a materialization of it."""
    for action in actions:
        if action.address is not None and not action.deletes_rows:
            metadata = action_metadata(action) | {JOB_KEY: node.job.id}
            context.log_event(dg.AssetObservation(dg.AssetKey(action.address.key), metadata=metadata))


def _checks(
    context: dg.AssetExecutionContext, node: JobNode, results: Iterable[AssertionResult]
) -> Iterator[dg.AssetCheckResult]:
    """Yield the results of tests as checks of the job's own assets.

    A test of a dataset that the job only reads is told in the history of that dataset too: a check of it could not be
    declared here, because it belongs to another op.
    """
    owned = {address.key for address in node.owned}
    for result in results:
        about = result.address.key if result.address else None
        key = about if about in owned else node.keys[0]
        metadata = assertion_metadata(result)
        yield dg.AssetCheckResult(
            passed=result.passed, asset_key=dg.AssetKey(key), check_name=result.name, metadata=metadata
        )
        if about is not None and about != key:
            context.log_event(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey(about),
                    check_name=result.name,
                    passed=result.passed,
                    metadata=metadata | {JOB_KEY: node.job.id},
                )
            )


def _job_itself(node: JobNode, result: JobResult) -> dg.MaterializeResult[Any]:
    metadata = job_metadata(result)
    if result.outputs:
        metadata["outputs"] = [f"{output.dataset}: {_rows(output)}" for output in result.outputs]
    return dg.MaterializeResult(asset_key=dg.AssetKey(node.keys[0]), metadata=metadata)


def _rows(output: OutputResult) -> str:
    if output.rows_deleted is not None:
        return f"{count_of(output.rows_deleted, 'row')} deleted"
    return "written" if output.rows is None else count_of(output.rows, "row")


def _failure(node: JobNode, error: DataOSError, *, seconds: float) -> dg.Failure:
    metadata: dict[str, Any] = {"error": type(error).__name__, "location": str(error.location or node.job.location())}
    if error.hint:
        metadata["hint"] = error.hint
    if isinstance(error, StepError):
        metadata["step"] = error.step
        if error.sql:
            metadata["sql"] = dg.MetadataValue.md(f"```sql\n{error.sql.rstrip()}\n```")
    plan = retry_plan(node.job)
    if plan.step_retries and plan.retries(error, seconds=seconds):
        return dg.Failure(str(error), metadata=metadata)
    return PlainFailure(str(error), metadata)


class _Log(Reporter):
    """Writes what a job reports into the run's log, and keeps its outputs and tests for when it fails.

    A job that starts again, on a new engine or on another one, tells its tests again: the last result of each counts,
    because Dagster takes one result of a check from an op.
    """

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._say: Callable[[str], None] = context.log.info
        self._tested: dict[str, AssertionResult] = {}
        self.outputs: list[OutputResult] = []
        self.actions: list[ActionResult] = []

    @property
    def assertions(self) -> tuple[AssertionResult, ...]:
        """Return the last result of each test."""
        return tuple(self._tested.values())

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        self._tested.clear()
        why = f": {'; '.join(reasons)}" if reasons else ""
        self._say(f"{job_id} runs on {engine}{why}")

    def step_finished(self, job_id: str, label: str, rows: int | None, seconds: float) -> None:  # noqa: ARG002 - one job
        count = "" if rows is None else f"{count_of(rows, 'row')}, "
        self._say(f"{label}: {count}{seconds:.2f} s")

    def output_written(self, job_id: str, output: OutputResult) -> None:  # noqa: ARG002 - one job an op
        self.outputs.append(output)
        if output.replaced:
            self._say(f"no saveMode is given, so what was in {output.dataset} was replaced")

    def assertions_evaluated(self, job_id: str, results: tuple[AssertionResult, ...]) -> None:  # noqa: ARG002 - one job an op
        self._tested |= {result.name: result for result in results}
        for result in results:
            self._say(f"{'passed' if result.passed else 'failed'}: {result}")

    def action_done(self, job_id: str, action: ActionResult) -> None:  # noqa: ARG002 - one job an op
        self.actions.append(action)
        self._say(f"{action.name} of {action.dataset}: {action.summary}")

    def note(self, job_id: str, message: str) -> None:  # noqa: ARG002 - one job an op
        self._say(message)

"""Keep a record of a job's run in the state database, also of what it wrote before it failed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dataos_dagster.state.job_runs import JobRunStart, OutputRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import JobNode
    from dataos_dagster.workflows.results import JobResult, OutputResult, Reporter


def record(node: JobNode, context: RunContext, *, dagster_run_id: str | None = None) -> JobResult:
    """Run a job of a stack that is run; when the context has a state database, leave a record there.

    Args:
        node: The job; its stack is there.
        context: What the job is given.
        dagster_run_id: The run of Dagster that it is part of.

    Raises:
        DataOSError: The job failed; the record says so and names what was written before.
        ValueError: Jobs of this stack are not run.
    """
    if node.stack is None:
        raise ValueError(f"jobs of the stack {node.job.stack!r} are not run")
    if context.state is None:
        return node.stack.run(node.job, context)
    runs = context.state.job_runs
    run = runs.start(_start(node, context, dagster_run_id))
    heard = _Listener(context.reporter)
    try:
        result = node.stack.run(node.job, replace(context, reporter=heard.reporter))
    except BaseException as error:  # an interrupt ends the job as well
        reasons = heard.reasons or None
        outputs = _outputs(heard.outputs)
        runs.finish(run, "failed", outputs=outputs, error=_text(error), engine=heard.engine, engine_reasons=reasons)
        raise
    runs.finish(
        run,
        "succeeded",
        outputs=_outputs(result.outputs),
        engine=result.engine,
        engine_reasons=result.engine_reasons,
        inputs=[read.dataset for read in result.inputs],
    )
    return result


def _start(node: JobNode, context: RunContext, dagster_run_id: str | None) -> JobRunStart:
    return JobRunStart(
        job=node.job.id,
        workspace=node.job.workspace,
        workflow=node.job.workflow.name,
        principal=context.principal.name,
        run_id=context.run_id,
        dagster_run_id=dagster_run_id,
        inputs=tuple(str(address) for address in node.reads),
    )


def _outputs(outputs: Iterable[OutputResult]) -> list[OutputRecord]:
    return [
        OutputRecord(output.dataset, output.rows, output.bytes, output.snapshot_id, output.branch) for output in outputs
    ]


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


@dataclass
class _Listener:
    """Remembers the engine and the outputs that a job tells to its reporter."""

    inner: Reporter
    engine: EngineName | None = None
    reasons: tuple[str, ...] = ()
    outputs: list[OutputResult] = field(default_factory=list)

    @property
    def reporter(self) -> Reporter:
        """Return a reporter that passes everything on."""
        reporter: Any = self
        return reporter  # type: ignore[no-any-return]  # the rest of the protocol is passed on by __getattr__

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        """Remember the engine."""
        self.engine, self.reasons = engine, reasons
        self.inner.job_started(job_id, engine, reasons)

    def output_written(self, job_id: str, output: OutputResult) -> None:
        """Remember the output."""
        self.outputs.append(output)
        self.inner.output_written(job_id, output)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

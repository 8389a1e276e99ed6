"""The record that a job leaves in the state database, written from what is reported while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataos_dagster.errors import DataOSError
    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.results import (
        ActionResult,
        AssertionResult,
        JobResult,
        OutputResult,
        Preview,
        Reporter,
    )
    from dataos_dagster.workflows.stacks import Plan, Stack


@dataclass
class JobRecord:
    """A reporter that passes everything on and keeps the record.

    The record begins when the job does: one that cannot even be planned is recorded as failed all the same, and one
    that is not run leaves none.

    Attributes:
        reporter: Who is told everything.
        outputs: What was written so far.
    """

    job: Job
    stack: Stack
    context: RunContext
    reporter: Reporter
    outputs: list[OutputResult] = field(default_factory=list)
    engine: EngineName | None = None
    reasons: tuple[str, ...] = ()
    _id: str | None = None

    def finish(self, *, error: str | None = None) -> None:
        """Close the record, as failed when there is an error.

        Raises:
            StateError: The state database cannot be written.
        """
        if self.context.state is None:
            return
        from dataos_dagster.state.job_runs import ColumnRecord, OutputRecord

        self.context.state.job_runs.finish(
            self._id or self._begin(),
            "failed" if error is not None else "succeeded",
            outputs=[
                OutputRecord(
                    output.dataset,
                    output.rows,
                    output.bytes,
                    output.snapshot_id,
                    output.branch,
                    tuple(
                        ColumnRecord(each.name, each.type, each.nullable, each.comment, each.tags)
                        for each in output.schema
                    ),
                    output.total_rows,
                    output.rows_deleted,
                )
                for output in self.outputs
            ],
            error=error,
            engine=self.engine,
            engine_reasons=self.reasons,
        )

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        """Begin the record; a job that starts again on another engine keeps its own."""
        self.engine, self.reasons = engine, reasons
        if self.context.state is not None and self._id is None:
            self._id = self._begin()
        self.reporter.job_started(job_id, engine, reasons)

    def step_started(self, job_id: str, label: str) -> None:
        """Pass it on."""
        self.reporter.step_started(job_id, label)

    def step_finished(self, job_id: str, label: str, rows: int | None, seconds: float) -> None:
        """Pass it on."""
        self.reporter.step_finished(job_id, label, rows, seconds)

    def output_written(self, job_id: str, output: OutputResult) -> None:
        """Keep it, and pass it on."""
        self.outputs.append(output)
        self.reporter.output_written(job_id, output)

    def preview(self, job_id: str, preview: Preview) -> None:
        """Pass it on."""
        self.reporter.preview(job_id, preview)

    def note(self, job_id: str, message: str) -> None:
        """Pass it on."""
        self.reporter.note(job_id, message)

    def assertions_evaluated(self, job_id: str, results: tuple[AssertionResult, ...]) -> None:
        """Pass it on."""
        self.reporter.assertions_evaluated(job_id, results)

    def action_done(self, job_id: str, action: ActionResult) -> None:
        """Pass it on."""
        self.reporter.action_done(job_id, action)

    def job_finished(self, result: JobResult) -> None:
        """Pass it on."""
        self.reporter.job_finished(result)

    def job_planned(self, job_id: str, plan: Plan) -> None:
        """Pass it on."""
        self.reporter.job_planned(job_id, plan)

    def job_failed(self, job_id: str, error: DataOSError) -> None:
        """Pass it on."""
        self.reporter.job_failed(job_id, error)

    def job_skipped(self, job_id: str, reason: str) -> None:
        """Pass it on."""
        self.reporter.job_skipped(job_id, reason)

    def _begin(self) -> str:
        from dataos_dagster.state.job_runs import JobRunStart

        assert self.context.state is not None  # noqa: S101 - both callers have asked
        return self.context.state.job_runs.start(
            JobRunStart(
                job=self.job.id,
                workspace=self.job.workspace,
                workflow=self.job.workflow.name,
                principal=self.context.principal.name,
                run_id=self.context.run_id,
                dagster_run_id=self.context.dagster_run_id,
                engine=self.engine,
                engine_reasons=self.reasons,
                inputs=tuple(str(address) for address in self.stack.reads(self.job)),
            )
        )

"""The record that a job leaves in the state database, written from what is reported while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.workflows.relay import Progress

if TYPE_CHECKING:
    from datetime import datetime

    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.stacks import Stack


@dataclass(kw_only=True)
class JobRecord(Progress):
    """A reporter that passes everything on and keeps the record.

    A job that cannot even be planned is recorded as failed all the same, and one that is not run leaves no record.

    Attributes:
        started_at: When the job was begun, UTC.
    """

    job: Job
    stack: Stack
    context: RunContext
    started_at: datetime
    _id: str | None = None

    def finish(self, ended_at: datetime, *, error: str | None = None) -> None:
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
                for output in self.outputs.values()
            ]
            + [
                OutputRecord(
                    each.dataset,
                    snapshot_id=each.snapshot_id,
                    action=each.name,
                    summary=each.summary,
                    counts=dict(each.counts),
                )
                for each in self.actions
                if not each.deletes_rows
            ],
            error=error,
            finished_at=ended_at,
            engine=self.engine,
            engine_reasons=self.reasons,
        )

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        """Begin the record; a job that starts again on another engine keeps its own."""
        self.engine, self.reasons = engine, reasons
        if self.context.state is not None and self._id is None:
            self._id = self._begin()
        super().job_started(job_id, engine, reasons)

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
                started_at=self.started_at,
                dagster_run_id=self.context.dagster_run_id,
                engine=self.engine,
                engine_reasons=self.reasons,
                inputs=tuple(str(address) for address in self.stack.reads(self.job)),
            )
        )

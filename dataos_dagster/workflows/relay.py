"""Who stands between a job and whoever listens, and keeps what is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

from dataos_dagster.workflows.results import JobResult, Reporter

if TYPE_CHECKING:
    from dataos_dagster.errors import DataOSError
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.results import (
        ActionResult,
        AssertionResult,
        OutputResult,
        Preview,
    )
    from dataos_dagster.workflows.stacks import Plan


class Written(NamedTuple):
    """What makes a write one of its own: of two that have this in common, the later one is how the dataset is now.

    Attributes:
        view: The view that was written.
        deletion: Snapshot of a deletion of rows: each counts. None for a write of rows.
    """

    view: str
    dataset: str
    branch: str | None
    deletion: str | None

    @classmethod
    def of(cls, output: OutputResult) -> Self:
        """Return what makes a write one of its own."""
        deletion = output.snapshot_id if output.rows_deleted is not None else None
        return cls(output.name, output.dataset, output.branch, deletion)


@dataclass
class _Relay(Reporter):
    """Passes on everything that it hears."""

    reporter: Reporter

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        self.reporter.job_started(job_id, engine, reasons)

    def step_started(self, job_id: str, label: str) -> None:
        self.reporter.step_started(job_id, label)

    def step_finished(self, job_id: str, label: str, rows: int | None, seconds: float) -> None:
        self.reporter.step_finished(job_id, label, rows, seconds)

    def output_written(self, job_id: str, output: OutputResult) -> None:
        self.reporter.output_written(job_id, output)

    def preview(self, job_id: str, preview: Preview) -> None:
        self.reporter.preview(job_id, preview)

    def note(self, job_id: str, message: str) -> None:
        self.reporter.note(job_id, message)

    def assertions_evaluated(self, job_id: str, results: tuple[AssertionResult, ...]) -> None:
        self.reporter.assertions_evaluated(job_id, results)

    def action_done(self, job_id: str, action: ActionResult) -> None:
        self.reporter.action_done(job_id, action)

    def job_ended(self, job_id: str, seconds: float) -> None:
        self.reporter.job_ended(job_id, seconds)

    def job_finished(self, result: JobResult) -> None:
        self.reporter.job_finished(result)

    def job_planned(self, job_id: str, plan: Plan) -> None:
        self.reporter.job_planned(job_id, plan)

    def job_failed(self, job_id: str, error: DataOSError, seconds: float) -> None:
        self.reporter.job_failed(job_id, error, seconds)

    def job_skipped(self, job_id: str, reason: str) -> None:
        self.reporter.job_skipped(job_id, reason)


@dataclass
class Progress(_Relay):
    """Keeps what a job has told so far, for when it fails.

    A job that starts again, on a new engine or on another one, tells its tests and notes again: the last result of each
    test counts, and each note is told once.

    Attributes:
        reporter: Who is told as well.
        seconds: How long its last try was, once that has ended.
    """

    engine: EngineName | None = None
    reasons: tuple[str, ...] = ()
    outputs: dict[Written, OutputResult] = field(default_factory=dict)
    tested: dict[str, AssertionResult] = field(default_factory=dict)
    actions: list[ActionResult] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    seconds: float | None = None

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        """Keep the engine."""
        self.engine, self.reasons = engine, reasons
        self.tested.clear()
        super().job_started(job_id, engine, reasons)

    def output_written(self, job_id: str, output: OutputResult) -> None:
        """Keep what was written, of each dataset what was written last; each deletion is one of its own."""
        self.outputs[Written.of(output)] = output
        super().output_written(job_id, output)

    def assertions_evaluated(self, job_id: str, results: tuple[AssertionResult, ...]) -> None:
        """Keep the results of tests."""
        self.tested |= {result.name: result for result in results}
        super().assertions_evaluated(job_id, results)

    def action_done(self, job_id: str, action: ActionResult) -> None:
        """Keep what was done."""
        self.actions.append(action)
        super().action_done(job_id, action)

    def note(self, job_id: str, message: str) -> None:
        """Keep the note, and pass it on when it is new."""
        if message not in self.notes:
            self.notes[message] = None
            super().note(job_id, message)

    def job_ended(self, job_id: str, seconds: float) -> None:
        """Keep how long it was."""
        self.seconds = seconds
        super().job_ended(job_id, seconds)

    def result(self, job_id: str, principal: Principal, seconds: float) -> JobResult | None:
        """Return what a job that has failed had done; None when it failed before its engine was chosen."""
        if self.engine is None:
            return None
        return JobResult(
            job_id=job_id,
            principal=principal,
            engine=self.engine,
            engine_reasons=self.reasons,
            inputs=(),
            outputs=tuple(self.outputs.values()),
            seconds=seconds,
            notes=tuple(self.notes),
            assertions=tuple(self.tested.values()),
            actions=tuple(self.actions),
        )

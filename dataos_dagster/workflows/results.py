"""What a job reports: while it runs (`Reporter`) and when it has ended (`JobResult`).

The command line, Dagster and the state database are fed from the same values. Nothing here holds a secret: options
and credentials of a depot never become part of a result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.address import Address
    from dataos_dagster.depots.door import Column
    from dataos_dagster.errors import DataOSError, Location
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.profiles import ProfileResult
    from dataos_dagster.workflows.stacks import Plan

# `planned`: the job's manifest says `dryRun`, so that it was planned and nothing was written.
JobState = Literal["succeeded", "planned", "failed", "skipped", "not_run"]


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """One column of a dataset that another column is computed from.

    Attributes:
        address: The dataset; None for a location without an address (a standalone path).
        dataset: The dataset as text: the address, or the standalone location.
        column: The column's name there.
    """

    address: Address | None
    dataset: str
    column: str


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """Where the columns of an output come from, as far as the SQL says it.

    Attributes:
        columns: Output column to its sources, in the order of the statement; an empty tuple is a constant.
        untraced: What could not be followed, and why; columns that depend on it are not in `columns`.
    """

    columns: Mapping[str, tuple[ColumnSource, ...]]
    untraced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of an input or step, shown because the manifest asks for it (`showPreviewLines`)."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """One test of a view, evaluated.

    Attributes:
        name: Unique in the job, made of letters, digits and underscores.
        test: As the manifest has it: `missing_count == 0`.
        column: What was measured; None for the value of a query.
        dataset: Address of the dataset, or the view, for people.
        address: The dataset that was tested, or that the view is to be written to; None for a view of the job.
        is_output: It stands in front of an output, which is not written when it fails.
        value: What was found; None when there is no value, a text when it is no number.
        location: Where the test stands.
    """

    name: str
    test: str
    column: str | None
    filter: str | None
    dataset: str
    address: Address | None
    is_output: bool
    value: float | str | None
    operator: str
    limit: float
    passed: bool
    location: Location

    def __str__(self) -> str:
        found = "no value" if self.value is None else f"{self.value:g}" if isinstance(self.value, float) else self.value
        about = f"{self.column}: " if self.column else ""
        rows = f" where {self.filter}" if self.filter else ""
        return f"{about}{self.test}{rows}, found {found}"


@dataclass(frozen=True, slots=True)
class InputResult:
    """A dataset that a job has read.

    Attributes:
        name: The view it was registered as.
        dataset: Address, or the standalone location.
        implicit: It stands in the SQL of a step and not in `inputs`.
    """

    name: str
    address: Address | None
    dataset: str
    implicit: bool = False


@dataclass(frozen=True, slots=True)
class OutputResult:
    """A dataset that a job has written.

    Attributes:
        name: The view that was written.
        dataset: Address, or the standalone location.
        rows: Rows that the write reports, not those the table has now; None when the store does not say.
        total_rows: Rows that the dataset has after the write, when the store says so.
        bytes: Bytes of the files written, when the store says so.
        schema: Columns of the dataset after the write.
        seconds: Wall time of the write; evaluation of the lazy steps before it is part of it.
        branch: Iceberg branch, when it is not the main one.
        rows_deleted: Rows that were deleted, where the job did that instead of writing rows.
        replaced: What was in the dataset gave way although the manifest does not say so: it has no `saveMode`.
    """

    name: str
    address: Address | None
    dataset: str
    rows: int | None
    bytes: int | None
    snapshot_id: str | None
    schema: tuple[Column, ...]
    lineage: ColumnLineage | None
    seconds: float
    created: bool = False
    preview: Preview | None = None
    branch: str | None = None
    total_rows: int | None = None
    rows_deleted: int | None = None
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What the maintenance of one dataset has done; where it deleted rows, there is an `OutputResult` of it too.

    Attributes:
        name: `rewrite_dataset`, `rewrite_manifest`, `expire_snapshots`, `remove_orphans` or `delete_from_dataset`.
        dataset: Address, or the standalone location.
        summary: In words, such as `12 data files became 1`.
        counts: What was counted, by name; sizes are in bytes.
        snapshot_id: Snapshot that it made; None when it made none.
        files: Files that are the point of it: orphans. Not all where there are very many.
    """

    name: str
    address: Address | None
    dataset: str
    summary: str
    counts: Mapping[str, int]
    seconds: float
    snapshot_id: str | None = None
    files: tuple[str, ...] = ()

    @property
    def deletes_rows(self) -> bool:
        """Return whether the rows of the dataset are others now; otherwise its readers see no difference."""
        return self.name == "delete_from_dataset"


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What an incremental input has read in one run.

    Attributes:
        input: Its name.
        values: Key to the value that its queries were given; None for one whose query returned none.
        origins: Key to where the value comes from: `given`, `repeated`, `stored`, `query` or `default`.
        stored: Key to the value that the next run begins with, as this run has stored it.
    """

    input: str
    values: Mapping[str, str | None]
    origins: Mapping[str, str]
    stored: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JobResult:
    """What one job did.

    Attributes:
        job_id: `workspace/workflow/job`.
        engine_reasons: Why this engine, in the user's words.
        outputs: In the order they were written.
        seconds: From when the job was begun to its end; its plan, and the start of an engine that was not there, are
            part of it.
        engine_seconds: Those of them in which it was at work on its engine.
        plan: The job's plan as text.
        explain: Label to the engine's physical plan, when the manifest asks for it (`explain`).
        notes: What was done otherwise than written, each a sentence.
        assertions: All tests of the job, those that only warned included.
        profile: Statistics of the columns of an input, when the manifest asks for them.
        windows: What its incremental inputs have read.
        actions: What the maintenance of datasets has done, in its order.
    """

    job_id: str
    principal: Principal
    engine: EngineName
    engine_reasons: tuple[str, ...]
    inputs: tuple[InputResult, ...]
    outputs: tuple[OutputResult, ...]
    seconds: float
    engine_seconds: float | None = None
    plan: str = ""
    explain: Mapping[str, str] = field(default_factory=dict)
    previews: tuple[Preview, ...] = ()
    notes: tuple[str, ...] = ()
    assertions: tuple[AssertionResult, ...] = ()
    profile: ProfileResult | None = None
    windows: tuple[WindowResult, ...] = ()
    actions: tuple[ActionResult, ...] = ()

    @property
    def rows(self) -> int | None:
        """Return the rows written by all outputs together; None when no output says."""
        counts = [output.rows for output in self.outputs if output.rows is not None]
        return sum(counts) if counts else None


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How one job of a run ended.

    Attributes:
        result: What it did; of a failed job the outputs, tests, actions and notes before the failure, or None when it
            failed before the engine was chosen.
        error: Why it failed.
        reason: Why it was skipped or is not run.
        plan: What it would have done, when it was only planned.
        location: Where the job stands in its manifest.
        seconds: From when it was begun to its end; of one that was tried again, in its last try.
    """

    job_id: str
    state: JobState
    location: Location
    seconds: float = 0.0
    result: JobResult | None = None
    error: DataOSError | None = None
    reason: str = ""
    plan: Plan | None = None


class Reporter:
    """Hears what happens while jobs run, and makes nothing of it: a listener overrides what matters to it.

    Jobs may run side by side, so it is called from several threads; what one job tells comes from one thread.
    """

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        """The job's plan is made and its engine chosen; data is touched from now on."""

    def step_started(self, job_id: str, label: str) -> None:
        """An input, a step or an output begins."""

    def step_finished(self, job_id: str, label: str, rows: int | None, seconds: float) -> None:
        """An input, a step or an output is done; `rows` only where something was written."""

    def output_written(self, job_id: str, output: OutputResult) -> None:
        """A dataset is committed; it stays, whatever happens to the job afterwards."""

    def preview(self, job_id: str, preview: Preview) -> None:
        """Rows that the manifest wants to be shown."""

    def note(self, job_id: str, message: str) -> None:
        """Something was done otherwise than written, or is worth knowing."""

    def assertions_evaluated(self, job_id: str, results: tuple[AssertionResult, ...]) -> None:
        """Tests of one view are done, whatever came out."""

    def action_done(self, job_id: str, action: ActionResult) -> None:
        """A dataset is maintained; that stays, whatever happens to the job afterwards."""

    def job_ended(self, job_id: str, seconds: float) -> None:
        """The job's work has ended, well or not, after so many seconds: those of its record."""

    def job_finished(self, result: JobResult) -> None:
        """The job succeeded."""

    def job_planned(self, job_id: str, plan: Plan) -> None:
        """The job's manifest says `dryRun`: this is what it would have done, and nothing was written."""

    def job_failed(self, job_id: str, error: DataOSError, seconds: float) -> None:
        """The job failed after so many seconds; outputs written before are as reported."""

    def job_skipped(self, job_id: str, reason: str) -> None:
        """The job was not tried."""

"""What `dataos run` shows: progress while jobs run, errors at their line, a table at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from dataos_dagster.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from dataos_dagster.errors import DataOSError
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.results import JobOutcome, JobResult, OutputResult, Preview
    from dataos_dagster.workflows.runner import RunSummary

_MARKS = {
    "succeeded": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "skipped": "[yellow]-[/]",
    "not_run": "[dim]·[/]",
}
_BYTES = ("B", "kB", "MB", "GB", "TB")
_KILO = 1000
_CONTEXT_LINES = 12


class Display:
    """A reporter that draws one line a job: its step, its rows, its seconds.

    On a terminal the lines change in place; anywhere else each finished job is one line.
    """

    def __init__(self, job_ids: Sequence[str], console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._width = max((len(_label(job_id)) for job_id in job_ids), default=0)
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[step]}", style="dim"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:  # noqa: ARG002 - `--plan` tells why
        """Draw the job's line."""
        self._started[job_id] = time.monotonic()
        description = f"{escape(_label(job_id)):{self._width}}  {engine}"
        self._tasks[job_id] = self._progress.add_task(description, total=None, step="starting")

    def step_started(self, job_id: str, label: str) -> None:
        """Show which step runs."""
        if job_id in self._tasks:
            self._progress.update(self._tasks[job_id], step=escape(label))

    def step_finished(self, job_id: str, label: str, rows: int | None, seconds: float) -> None:
        """Show how long it took."""
        if job_id in self._tasks:
            counted = f" {rows:,} rows" if rows is not None else ""
            self._progress.update(self._tasks[job_id], step=f"{escape(label)}{counted} {seconds:.1f} s")

    def output_written(self, job_id: str, output: OutputResult) -> None:
        """Say nothing: the closing table lists what was written."""

    def preview(self, job_id: str, preview: Preview) -> None:
        """Print the rows that the manifest wants to see."""
        table = Table(title=f"{_label(job_id)}: {preview.name}", title_justify="left", show_edge=False)
        for column in preview.columns:
            table.add_column(escape(column))
        for row in preview.rows:
            table.add_row(*(escape("NULL" if value is None else str(value)) for value in row))
        self.console.print(table)

    def note(self, job_id: str, message: str) -> None:
        """Print the note under the job's name."""
        self.console.print(f"[yellow]note[/]  {escape(_label(job_id))}: {escape(message)}", soft_wrap=True)

    def job_finished(self, result: JobResult) -> None:
        """Print the finished job's line."""
        self._close(result.job_id)
        rows = f"{result.rows:,} rows" if result.rows is not None else ""
        label = f"{escape(_label(result.job_id)):{self._width}}"
        self.console.print(f"{_MARKS['succeeded']} {label}  {result.engine:5}  {result.seconds:7.1f} s  {rows}")

    def job_failed(self, job_id: str, error: DataOSError) -> None:
        """Print that the job failed; why stands below the table."""
        self._close(job_id)
        self.console.print(
            f"{_MARKS['failed']} {escape(_label(job_id))}  {escape(_first_line(error.message))}", soft_wrap=True
        )

    def job_skipped(self, job_id: str, reason: str) -> None:
        """Print why the job was not tried."""
        self._close(job_id)
        self.console.print(f"{_MARKS['skipped']} {escape(_label(job_id))}  {escape(reason)}", soft_wrap=True)

    def _close(self, job_id: str) -> None:
        task = self._tasks.pop(job_id, None)
        if task is not None:
            self._progress.remove_task(task)


def print_summary(summary: RunSummary, graph: JobGraph, console: Console | None = None) -> None:
    """Print the closing table, then each failure with its line, its SQL and what to do."""
    console = console or Console(highlight=False)
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("")
    for column, justify in (("job", "left"), ("engine", "left"), ("written", "left"), ("rows", "right")):
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]  # a literal of rich
    table.add_column("size", justify="right")
    table.add_column("seconds", justify="right")
    for outcome in summary.outcomes:
        for row in _rows(outcome):
            table.add_row(*row)
    console.print()
    console.print(table)
    counts = _counts(summary)
    console.print(f"\n{counts} in {summary.seconds:.1f} s · run {summary.run_id}", soft_wrap=True)
    for outcome in summary.failed:
        if outcome.error is not None:
            print_error(outcome.job_id, outcome.error, graph)


def print_error(job_id: str, error: DataOSError, graph: JobGraph, console: Console | None = None) -> None:
    """Print an error with the line of the manifest, the SQL it is about, and what to do."""
    console = console or Console(stderr=True, highlight=False)
    console.print(f"\n[red bold]{escape(_label(job_id))}[/]: {escape(error.message)}", soft_wrap=True)
    if error.location is not None:
        console.print(f"  [blue]-->[/] {escape(str(error.location))}", soft_wrap=True)
        snippet = _snippet(error, job_id, graph)
        if snippet:
            console.print(escape(snippet), soft_wrap=True)
    if isinstance(error, StepError) and error.sql:
        console.print(f"  [dim]the SQL of {escape(error.step)}:[/]", soft_wrap=True)
        lines = error.sql.strip("\n").splitlines()
        for line in lines[:_CONTEXT_LINES]:
            console.print(f"    {escape(line)}", soft_wrap=True)
        if len(lines) > _CONTEXT_LINES:
            console.print(f"    [dim]… {len(lines) - _CONTEXT_LINES} more lines[/]")
    if error.hint:
        console.print(f"  [green]hint:[/] {escape(error.hint)}", soft_wrap=True)


def print_broken_manifests(project: Project) -> None:
    """Say which manifests could not be read; their jobs are not part of the run."""
    if not project.errors:
        return
    console = Console(stderr=True, highlight=False)
    console.print(f"\n[red]{len(project.errors)} errors in manifests[/]; `dataos check` shows them all:")
    for found in project.errors[:5]:
        console.print(f"  {escape(str(found))}", soft_wrap=True)


def summary_json(summary: RunSummary) -> dict[str, Any]:
    """Return a run as plain values, for `--json`."""
    return {
        "run_id": summary.run_id,
        "seconds": round(summary.seconds, 3),
        "jobs": [_outcome_json(outcome) for outcome in summary.outcomes],
    }


def error_json(error: DataOSError) -> dict[str, Any]:
    """Return an error as plain values."""
    return {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "location": str(error.location) if error.location else None,
        "step": error.step if isinstance(error, StepError) else None,
        "sql": error.sql if isinstance(error, StepError) else None,
        "retryable": error.retryable,
    }


def _outcome_json(outcome: JobOutcome) -> dict[str, Any]:
    result = outcome.result
    return {
        "job": outcome.job_id,
        "state": outcome.state,
        "location": str(outcome.location),
        "seconds": round(outcome.seconds, 3),
        "reason": outcome.reason or None,
        "error": error_json(outcome.error) if outcome.error else None,
        "engine": result.engine if result else None,
        "engine_reasons": list(result.engine_reasons) if result else [],
        "principal": result.principal.name if result else None,
        "inputs": [entry.dataset for entry in result.inputs] if result else [],
        "outputs": [_output_json(output) for output in result.outputs] if result else [],
        "notes": list(result.notes) if result else [],
    }


def _output_json(output: OutputResult) -> dict[str, Any]:
    return {
        "dataset": output.dataset,
        "rows": output.rows,
        "bytes": output.bytes,
        "snapshot_id": output.snapshot_id,
        "branch": output.branch,
        "created": output.created,
        "seconds": round(output.seconds, 3),
        "schema": [{"name": column.name, "type": column.type} for column in output.schema],
    }


def _rows(outcome: JobOutcome) -> list[tuple[str, ...]]:
    mark, label, result = _MARKS[outcome.state], escape(_label(outcome.job_id)), outcome.result
    if result is None:
        told = outcome.reason or (_first_line(outcome.error.message) if outcome.error else "")
        return [(mark, label, "", escape(told), "", "", f"{outcome.seconds:.1f}" if outcome.seconds else "")]
    seconds = f"{outcome.seconds:.1f}"
    if not result.outputs:
        return [(mark, label, result.engine, "", "", "", seconds)]
    rows: list[tuple[str, ...]] = []
    for index, output in enumerate(result.outputs):
        first = index == 0
        rows.append(
            (
                mark if first else "",
                label if first else "",
                result.engine if first else "",
                escape(output.dataset + (f" (branch {output.branch})" if output.branch else "")),
                "" if output.rows is None else f"{output.rows:,}",
                _size(output.bytes),
                seconds if first else "",
            )
        )
    return rows


def _counts(summary: RunSummary) -> str:
    words = {"succeeded": "succeeded", "failed": "failed", "skipped": "skipped", "not_run": "not run"}
    counted = {word: sum(outcome.state == state for outcome in summary.outcomes) for state, word in words.items()}
    return ", ".join(f"{count} {word}" for word, count in counted.items() if count) or "no jobs"


def _size(count: int | None) -> str:
    if count is None:
        return ""
    size, unit = float(count), 0
    while size >= _KILO and unit < len(_BYTES) - 1:
        size, unit = size / _KILO, unit + 1
    return f"{size:.0f} {_BYTES[unit]}" if unit == 0 else f"{size:.1f} {_BYTES[unit]}"


def _snippet(error: DataOSError, job_id: str, graph: JobGraph) -> str | None:
    from dataos_dagster.manifests.diagnostics import Position, Range

    node = graph.nodes.get(job_id)
    if node is None or error.location is None or node.job.workflow.document.name != error.location.file:
        return None
    start = Position(error.location.line, error.location.column)
    end = Position(error.location.line, error.location.column + 1)
    return node.job.workflow.document.snippet(Range(start, end))


def _label(job_id: str) -> str:
    """Return `workflow/job`, as people name a job."""
    return job_id.partition("/")[2] or job_id


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""

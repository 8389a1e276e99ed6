"""What `dataos run` shows: one table that grows while jobs run, and below it what went wrong.

A job's row is printed when the job has ended, with what it wrote; on a terminal the jobs that still run stand below the
table with their current step. Nothing is printed twice, so the table is the same on a terminal, in a pipe and in a log.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from dataos_dagster.cli.profile_display import print_profile
from dataos_dagster.cli.tables import INDENT, Column, Layout, layout, one_line, print_line, print_table
from dataos_dagster.depots.maintenance import size_in_words
from dataos_dagster.errors import JobInterrupted, StepError
from dataos_dagster.manifests.console import count_of
from dataos_dagster.state.run_ids import short_id
from dataos_dagster.workflows.results import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from dataos_dagster.errors import DataOSError
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.results import ActionResult, AssertionResult, JobResult, OutputResult, Preview
    from dataos_dagster.workflows.runner import RunSummary
    from dataos_dagster.workflows.stacks import Plan

_COLUMNS = (
    Column(""),
    Column("job"),
    Column("engine", rank=1),
    Column("rows", right=True),
    Column("seconds", right=True, rank=2),
    Column("written", rank=3, below=True),
)
_ENGINE, _ROWS, _SECONDS = len("connect"), len("100,000,000"), len("seconds")
_CONTEXT_LINES = 12
# Datasets that one remark names.
_SHOWN = 3


@dataclass
class _Told:
    """What a job has said so far; it is printed below the job's row."""

    engine: str = ""
    task: TaskID | None = None
    remarks: list[Text] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    written: list[OutputResult] = field(default_factory=list)
    done: list[ActionResult] = field(default_factory=list)


class Display(Reporter):
    """A reporter that prints one row a job when it has ended, and on a terminal shows what runs.

    Args:
        graph: All jobs of the project.
        job_ids: Those that are run: the widths of the table's columns are theirs.
        console: Where to print; default standard output.
    """

    def __init__(self, graph: JobGraph, job_ids: Sequence[str], console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        written = (str(address) for job_id in job_ids for address in graph.nodes[job_id].writes)
        widths = (1, _longest(map(label_of, job_ids)), _ENGINE, _ROWS, _SECONDS, _longest(written))
        self._layout: Layout = layout(_COLUMNS, widths, self.console.width if self.console.is_terminal else None)
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[step]}", style="dim", markup=False),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._told: dict[str, _Told] = {}
        # Jobs run side by side; what one of them prints stays together.
        self._printing = threading.Lock()

    def __enter__(self) -> Self:
        print_line(self._layout.header(), self.console)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:  # noqa: ARG002 - `--plan` tells why
        """Show the job among those that run; one that starts again on another engine stays where it is."""
        told = self._of(job_id)
        told.engine = engine
        if told.task is None:
            told.task = self._progress.add_task(label_of(job_id), total=None, step=f"{engine}: starting")

    def step_started(self, job_id: str, label: str) -> None:
        """Show which step runs."""
        told = self._of(job_id)
        if told.task is not None:
            self._progress.update(told.task, step=f"{told.engine}: {label}")

    def step_finished(self, job_id: str, label: str, rows: int | None, seconds: float) -> None:
        """Show how long it took."""
        told = self._of(job_id)
        if told.task is not None:
            counted = "" if rows is None else f" {rows:,} row{'' if rows == 1 else 's'}"
            self._progress.update(told.task, step=f"{told.engine}: {label}{counted} {seconds:.1f} s")

    def output_written(self, job_id: str, output: OutputResult) -> None:
        """Keep it: what a job has written before it fails stays."""
        self._of(job_id).written.append(output)

    def preview(self, job_id: str, preview: Preview) -> None:
        """Keep the rows that the manifest wants to see."""
        self._of(job_id).previews.append(preview)

    def note(self, job_id: str, message: str) -> None:
        """Keep the note."""
        self._of(job_id).remarks.append(Text.assemble(("note: ", "yellow"), message))

    def assertions_evaluated(self, job_id: str, results: tuple[AssertionResult, ...]) -> None:
        """Keep how many tests passed, and each that did not."""
        passed = sum(result.passed for result in results)
        remarks = self._of(job_id).remarks
        style = "green" if passed == len(results) else "red"
        remarks.append(
            Text.assemble(
                (f"{passed} of {count_of(len(results), 'assertion')} passed", style), f": {results[0].dataset}"
            )
        )
        remarks += [Text.assemble(("failed: ", "red"), str(result)) for result in results if not result.passed]

    def action_done(self, job_id: str, action: ActionResult) -> None:
        """Keep it, and the files that it found: what a job has done before it fails stays."""
        told = self._of(job_id)
        told.done.append(action)
        told.remarks += [Text(f"orphan: {name}", style="dim") for name in action.files[:_CONTEXT_LINES]]
        if len(action.files) > _CONTEXT_LINES:
            told.remarks.append(Text(f"… {len(action.files) - _CONTEXT_LINES} more", style="dim"))

    def job_finished(self, result: JobResult) -> None:
        """Print the job's row: what it wrote, and what its manifest wants to see."""
        told = self._ended(result.job_id)
        first, *others = (*_done(result.actions), *_written(result.outputs)) or [(Text(), Text())]
        with self._printing:
            self._row("✓", "green", result.job_id, result.engine, f"{result.seconds:.1f}", *first)
            for rows, dataset in others:
                self._print([Text(), Text(), Text(), rows, Text(), dataset])
            self._remarks(told, result.explain.items())
            if result.profile is not None:
                print_profile(result.profile, self.console)

    def job_planned(self, job_id: str, plan: Plan) -> None:
        """Print the plan of a job that is only planned."""
        told = self._ended(job_id)
        with self._printing:
            self._row("○", "cyan", job_id, "", "", Text(), Text("dry run: nothing is written"))
            for line in plan.as_text().splitlines():
                print_line(Text(f"    {line}", style="dim"), self.console)
            self._remarks(told, ())

    def job_failed(self, job_id: str, error: DataOSError, seconds: float) -> None:
        """Print that the job failed; why stands below the table."""
        told = self._ended(job_id)
        with self._printing:
            why = "interrupted" if isinstance(error, JobInterrupted) else "failed, see below"
            self._row("✗", "red", job_id, told.engine, f"{seconds:.1f}", Text(), Text(why, style="red"))
            for _, dataset in _done(told.done):
                self._print([Text(), Text(), Text(), Text(), Text(), Text.assemble(dataset, ", done before")])
            for rows, dataset in _written(told.written):
                self._print([Text(), Text(), Text(), rows, Text(), Text.assemble(dataset, ", written before")])
            self._remarks(told, ())

    def job_skipped(self, job_id: str, reason: str) -> None:
        """Print that the job was not tried, and why."""
        told = self._ended(job_id)
        with self._printing:
            self._row("-", "yellow", job_id, "", "", Text(), Text(f"not run: {reason}", style="dim"))
            self._remarks(told, ())

    def _of(self, job_id: str) -> _Told:
        return self._told.setdefault(job_id, _Told())

    def _ended(self, job_id: str) -> _Told:
        told = self._told.pop(job_id, None) or _Told()
        if told.task is not None:
            self._progress.remove_task(told.task)
        return told

    def _row(self, mark: str, style: str, job_id: str, engine: str, seconds: str, rows: Text, written: Text) -> None:
        label, cell = Text(label_of(job_id)), one_line(written)
        self._print([Text(mark, style=style), label, Text(engine), rows, Text(seconds), cell])

    def _print(self, cells: list[Text]) -> None:
        for line in self._layout.lines(cells):
            print_line(line, self.console)

    def _remarks(self, told: _Told, explained: Iterable[tuple[str, str]]) -> None:
        for remark in told.remarks:
            print_line(Text.assemble("    ", remark), self.console)
        for label, plan in explained:
            print_line(Text(f"    plan of {label}:", style="dim"), self.console)
            for line in plan.rstrip().splitlines():
                print_line(Text(f"      {line}"), self.console)
        for preview in told.previews:
            print_line(Text(f"    first rows of {preview.name}:", style="dim"), self.console)
            rows = [[Text("NULL" if value is None else str(value)) for value in row] for row in preview.rows]
            print_table([Column(name) for name in preview.columns], rows, self.console, indent=INDENT)


def print_end(summary: RunSummary, graph: JobGraph, console: Console | None = None) -> None:
    """Print how many jobs ended how, then each failure with its line, its SQL and what to do."""
    console = console or Console(highlight=False)
    told = f"{_counts(summary)} in {summary.seconds:.1f} s  run {short_id(summary.run_id)}"
    print_line(Text(f"\n{told}"), console)
    results = [outcome.result for outcome in summary.outcomes if outcome.result is not None]
    replaced = [*dict.fromkeys(each.dataset for result in results for each in result.outputs if each.replaced)]
    if replaced:
        told = f"no saveMode is given for {_listed(replaced)}, so what was there was replaced"
        print_line(Text.assemble(("note: ", "yellow"), told), console)
    for outcome in summary.failed:
        # Who has interrupted the run knows why these have not ended.
        if outcome.error is not None and not isinstance(outcome.error, JobInterrupted):
            print_error(outcome.job_id, outcome.error, graph)
    if summary.interrupted:
        print_line(Text("interrupted: `dataos run --from-failure` does what is left", "yellow"), console)


def print_error(job_id: str, error: DataOSError, graph: JobGraph, console: Console | None = None) -> None:
    """Print an error with the line of the manifest, the SQL it is about, and what to do."""
    console = console or Console(stderr=True, highlight=False)
    lines = [Text.assemble("\n", (label_of(job_id), "red bold"), f": {error.message}")]
    if error.location is not None:
        lines.append(Text.assemble(("  --> ", "blue"), str(error.location)))
        snippet = _snippet(error, job_id, graph)
        lines += [Text(snippet)] if snippet else []
    if isinstance(error, StepError) and error.sql:
        lines.append(Text(f"  the SQL of {error.step}:", style="dim"))
        sql = error.sql.strip("\n").splitlines()
        lines += [Text(f"    {line}") for line in sql[:_CONTEXT_LINES]]
        if len(sql) > _CONTEXT_LINES:
            lines.append(Text(f"    … {len(sql) - _CONTEXT_LINES} more lines", style="dim"))
    if error.hint:
        lines.append(Text.assemble(("  hint: ", "green"), error.hint))
    for line in lines:
        print_line(line, console)


def print_broken_manifests(project: Project) -> None:
    """Say which manifests could not be read; their jobs are not part of the run."""
    if not project.errors:
        return
    console = Console(stderr=True, highlight=False)
    print_line(
        Text(f"\n{count_of(len(project.errors), 'error')} in manifests; `dataos check` shows all:", "red"), console
    )
    for found in project.errors[:5]:
        print_line(Text(f"  {found}"), console)


def label_of(job_id: str) -> str:
    """Return `workflow/job`, as people name a job."""
    return job_id.partition("/")[2] or job_id


def _done(actions: Sequence[ActionResult]) -> list[tuple[Text, Text]]:
    """Return dataset and result of each action; it has no rows to count."""
    return [(Text(), Text(f"{action.dataset}: {action.summary}")) for action in actions]


def _written(outputs: Sequence[OutputResult]) -> list[tuple[Text, Text]]:
    """Return rows and dataset of each output; the size only where the store says it. Deleted rows are an action's."""
    return [
        (
            Text("" if output.rows is None else f"{output.rows:,}"),
            Text(
                output.dataset
                + (f" (branch {output.branch})" if output.branch else "")
                + ("" if output.bytes is None else f" ({size_in_words(output.bytes)})")
            ),
        )
        for output in outputs
        if output.rows_deleted is None
    ]


def _listed(datasets: Sequence[str]) -> str:
    shown = ", ".join(datasets[:_SHOWN])
    return shown if len(datasets) <= _SHOWN else f"{shown} and {len(datasets) - _SHOWN} more"


def _counts(summary: RunSummary) -> str:
    words = {
        "succeeded": "succeeded",
        "planned": "planned",
        "failed": "failed",
        "skipped": "skipped",
        "not_run": "not run",
    }
    counted = {word: sum(outcome.state == state for outcome in summary.outcomes) for state, word in words.items()}
    return ", ".join(f"{count} {word}" for word, count in counted.items() if count) or "no jobs"


def _snippet(error: DataOSError, job_id: str, graph: JobGraph) -> str | None:
    from dataos_dagster.manifests.diagnostics import Position, Range

    node = graph.nodes.get(job_id)
    document = node.job.workflow.document_named(error.location.file) if node and error.location else None
    if document is None or error.location is None:
        return None
    start = Position(error.location.line, error.location.column)
    end = Position(*(error.location.end or (error.location.line, error.location.column + 1)))
    return document.snippet(Range(start, end))


def _longest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)

"""What `dataos run` draws while jobs run."""

from __future__ import annotations

import io
import re

from rich.console import Console

from dataos_dagster.cli.run_display import Display
from dataos_dagster.errors import JobError
from dataos_dagster.identity import Principal
from dataos_dagster.workflows.results import JobResult, OutputResult, Preview

JOB = "public/wf/load[1]"


def drawn(*, terminal: bool, width: int = 120) -> tuple[Display, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, highlight=False)
    return Display([JOB], console), file


def plain(file: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())


def output(rows: int | None) -> OutputResult:
    return OutputResult("v", None, "dataos://lakehouse:a/b", rows, None, None, (), None, 0.5)


def result(*outputs: OutputResult) -> JobResult:
    return JobResult(JOB, Principal("me", "login"), "sail", (), (), outputs, 1.25)


def test_a_finished_job_is_one_line_with_rows_and_seconds():
    display, file = drawn(terminal=False)
    with display:
        display.job_started(JOB, "sail", ("because",))
        display.step_started(JOB, 'outputs[0] "v"')
        display.step_finished(JOB, 'outputs[0] "v"', 1234567, 0.5)
        display.job_finished(result(output(1_234_567)))
    [line] = plain(file).splitlines()
    assert line.split() == ["✓", "wf/load[1]", "sail", "1.2", "s", "1,234,567", "rows"]


def test_on_a_terminal_the_running_step_is_shown():
    display, file = drawn(terminal=True)
    with display:
        display.job_started(JOB, "spark", ())
        display.step_started(JOB, 'steps[0].sequence[1] "daily"')
        display._progress.refresh()
        display.job_finished(result())
    assert 'steps[0].sequence[1] "daily"' in plain(file)


def test_rows_that_the_store_does_not_count_are_left_out():
    display, file = drawn(terminal=False)
    with display:
        display.job_started(JOB, "sail", ())
        display.job_finished(result(output(None)))
    assert "rows" not in plain(file)


def test_text_from_manifests_is_never_taken_for_markup():
    display, file = drawn(terminal=False)
    with display:
        display.note(JOB, "[bold]as it is[/bold]")
        display.job_failed(JOB, JobError("[red]x[/red]\nsecond line"))
        display.job_skipped(JOB, "it waits for [a]")
        display.preview(JOB, Preview("v", ("[col]",), ((None,), ("[/x]",))))
    told = plain(file)
    for text in ("[bold]as it is[/bold]", "[red]x[/red]", "it waits for [a]", "[col]", "NULL", "[/x]"):
        assert text in told
    assert "second line" not in told

"""What `dataos run` prints while jobs run, in a pipe and on terminals of several widths."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from manifest_builder import flare, read_project, workflow
from rich.console import Console

from dataos_dagster.cli.run_display import Display, print_end, print_error
from dataos_dagster.errors import JobError, Location, StepError
from dataos_dagster.identity import Principal
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.profiles import Bin, ColumnProfile, Frequency, ProfileResult
from dataos_dagster.workflows.results import ActionResult, JobOutcome, JobResult, OutputResult, Preview
from dataos_dagster.workflows.runner import RunSummary

JOB = "public/wf/load"
LONG = "public/wf/delays-of-carriers-against-the-weather"
TABLE = "dataos://lakehouse:shop/delays_of_carriers_by_day"


@pytest.fixture
def graph(tmp_path):
    jobs = [flare("load", writes=TABLE), flare(LONG.rpartition("/")[2], reads=TABLE, writes="weather")]
    return build_graph(read_project(tmp_path, {"wf.yaml": workflow("wf", *jobs)}))


class Screen:
    """A console of some width, and what is on it."""

    def __init__(self, graph, *, terminal: bool = False, width: int = 80) -> None:
        self.file = io.StringIO()
        self.console = Console(file=self.file, force_terminal=terminal, width=width, highlight=False)
        self.display = Display(graph, [JOB, LONG], self.console)

    @property
    def text(self) -> str:
        drawn_over = re.sub(r"\r|\x1b\[2K|\x1b\[\d*A", "\n", self.file.getvalue())
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn_over)

    @property
    def rows(self) -> list[str]:
        return [line.rstrip() for line in self.text.splitlines()[1:] if line.strip()]


def output(rows: int | None, dataset: str = TABLE) -> OutputResult:
    return OutputResult("v", None, dataset, rows, None, None, (), None, 0.5)


def result(*outputs: OutputResult, job_id: str = JOB, **others: object) -> JobResult:
    return JobResult(job_id, Principal("me", "login"), "sail", (), (), outputs, 1.25, **others)


def test_in_a_pipe_a_job_is_one_line_however_long(graph):
    screen = Screen(graph)
    with screen.display as display:
        display.job_started(LONG, "sail", ("because",))
        display.step_started(LONG, 'outputs[0] "v"')
        display.step_finished(LONG, 'outputs[0] "v"', 1234567, 0.5)
        display.job_finished(result(output(1_234_567), job_id=LONG))
    assert screen.text.splitlines()[0].split() == ["job", "engine", "rows", "seconds", "written"]
    [row] = screen.rows
    assert re.split(r" {2,}", row) == ["✓", LONG.partition("/")[2], "sail", "1,234,567", "1.2", TABLE]


@pytest.mark.parametrize("width", [80, 60])
def test_on_a_narrow_terminal_nothing_is_cut(graph, width):
    screen = Screen(graph, terminal=True, width=width)
    with screen.display as display:
        display.job_started(LONG, "sail", ())
        display.job_finished(result(output(1_234_567), job_id=LONG))
    rows = [row for row in screen.rows if "starting" not in row]
    assert all(len(row) <= max(width, len(LONG) + 20) for row in rows)
    told = "\n".join(rows)
    for value in (LONG.partition("/")[2], "1,234,567", TABLE):
        assert value in told
    assert rows[-1] == f"    {TABLE}"


def test_on_a_terminal_the_running_step_is_shown(graph):
    screen = Screen(graph, terminal=True)
    with screen.display as display:
        display.job_started(JOB, "spark", ())
        display.step_started(JOB, 'steps[0].sequence[1] "daily"')
        display._progress.refresh()
        display.job_finished(result())
    assert 'spark: steps[0].sequence[1] "daily"' in screen.text


def test_each_dataset_of_a_job_has_a_line_with_its_rows(graph):
    screen = Screen(graph)
    with screen.display as display:
        display.job_finished(result(output(3), output(None, "dataos://lakehouse:shop/other")))
    first, second = screen.rows
    assert first.split()[-3:] == ["3", "1.2", TABLE]
    assert second.split() == ["dataos://lakehouse:shop/other"]


def test_what_a_job_says_stands_below_its_row(graph):
    screen = Screen(graph)
    with screen.display as display:
        display.job_started(JOB, "sail", ())
        display.note(JOB, "[bold]as it is[/bold]")
        display.preview(JOB, Preview("v", ("[col]",), ((None,), ("[/x]",))))
        display.job_finished(result(output(3), explain={'steps[0] "daily"': "Scan\n  [Filter]"}))
    row, *below = screen.rows
    assert row.startswith("✓")
    assert below == [
        "    note: [bold]as it is[/bold]",
        '    plan of steps[0] "daily":',
        "      Scan",
        "        [Filter]",
        "    first rows of v:",
        "    [col]",
        "    NULL",
        "    [/x]",
    ]


def test_what_was_written_before_a_failure_stands_below_its_row(graph):
    screen = Screen(graph)
    with screen.display as display:
        display.job_started(JOB, "sail", ())
        display.output_written(JOB, output(3))
        display.job_failed(JOB, StepError("no", step="steps[0]"), 1.5)
    row, written = screen.rows
    assert row.startswith("✗")
    assert written.split() == ["3", *f"{TABLE}, written before".split()]


def test_what_an_action_did_stands_in_the_row_of_its_job_and_orphans_below(graph):
    deleted = ActionResult("delete_from_dataset", None, TABLE, "2 rows deleted", {"rows_deleted": 2}, 0.1)
    orphans = ActionResult("remove_orphans", None, TABLE, "13 orphans removed", {}, 0.1, files=tuple("abcdefghijklm"))
    screen = Screen(graph)
    with screen.display as display:
        display.job_started(JOB, "sail", ())
        for action in (deleted, orphans):
            display.action_done(JOB, action)
        written = replace(output(None), rows_deleted=2)
        display.output_written(JOB, written)
        display.job_finished(result(written, actions=(deleted, orphans)))
        display.job_started(LONG, "sail", ())
        display.action_done(LONG, deleted)
        display.output_written(LONG, written)
        display.job_failed(LONG, StepError("no", step="steps[0]"), 1.5)
    first, second, *files, failed, before = screen.rows
    assert re.split(r" {2,}", first)[-1] == f"{TABLE}: 2 rows deleted"
    assert second.strip() == f"{TABLE}: 13 orphans removed"
    assert [line.strip() for line in files][-2:] == ["orphan: l", "… 1 more"]
    assert failed.startswith("✗")
    assert before.strip() == f"{TABLE}: 2 rows deleted, done before"


def test_a_profile_is_printed_with_its_histograms_and_suggestions(graph):
    screen = Screen(graph)
    columns = (
        ColumnProfile("id", "int", 0, 0, distinct=4, low="1", high="4", mean=2.5, bins=(Bin(1, 2, 2), Bin(2, 4, 1))),
        ColumnProfile(
            "mail", "string", 1, 1, distinct=2, frequent=(Frequency("x" * 60, 2),), attribute="email", why="name"
        ),
    )
    with screen.display as display:
        display.job_finished(replace(result(), profile=ProfileResult(TABLE, None, ("id > 0",), 4, columns, 0.1)))
    below = screen.rows[1:]
    assert below[0] == f"    profile of {TABLE}: 4 rows where id > 0"
    assert below[1].split()[:4] == ["column", "type", "missing", "distinct"]
    assert below[2].split() == ["id", "int", "0", "4", "1", "2.5", "4", "█▄"]
    assert below[3].split() == ["mail", "string", "1", "2", f"{'x' * 39}…"]
    assert below[4] == "    seems to be: mail: email (by its name)"


def test_a_failure_is_told_once(graph):
    screen = Screen(graph)
    error = StepError(
        "[red]no column[/red]", step="steps[0]", sql="SELECT nope", hint="look", location=Location("wf.yaml", 3, 1)
    )
    with screen.display as display:
        display.job_started(JOB, "sail", ())
        display.job_failed(JOB, error, 1.5)
    print_end(RunSummary("r", (JobOutcome(JOB, "failed", Location("wf.yaml", 1, 1), error=error),), 1.0), graph)
    assert "no column" not in screen.text
    print_error(JOB, error, graph, screen.console)
    told = screen.text
    for words in ("[red]no column[/red]", "SELECT nope", "look", "wf.yaml:3:1"):
        assert told.count(words) == 1
    assert "failed, see below" in told


def test_a_job_that_is_not_run_is_named_once(graph):
    screen = Screen(graph)
    with screen.display as display:
        display.job_skipped(JOB, "it waits for [a]")
        display.job_failed(LONG, JobError("x"), 1.5)
    assert screen.rows[0].split(maxsplit=2) == ["-", "wf/load", "not run: it waits for [a]"]


def test_the_end_counts_jobs_by_how_they_ended(graph, capsys):
    place = Location("wf.yaml", 1, 1)
    states = ("succeeded", "succeeded", "planned", "not_run")
    print_end(RunSummary("r1", tuple(JobOutcome(JOB, state, place) for state in states), 2.0), graph)
    assert capsys.readouterr().out.strip() == "2 succeeded, 1 planned, 1 not run in 2.0 s  run r1"

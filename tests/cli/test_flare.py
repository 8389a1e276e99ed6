"""`dataos flare state`."""

from __future__ import annotations

import json

import pytest
from manifest_builder import flare, workflow, write_project
from sqlalchemy import update
from typer.testing import CliRunner

from dataos_dagster.cli.flare import app
from dataos_dagster.settings import Settings
from dataos_dagster.state.database import State
from dataos_dagster.state.intents import InputWindow, Intent
from dataos_dagster.state.models import IntentRow
from dataos_dagster.state.watermarks import WatermarkKey, advance

JOB = "public/daily/load"
START = WatermarkKey(JOB, "in_0", "everything", "start")


def call(*arguments: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["state", *(str(argument) for argument in arguments)])


@pytest.fixture
def project(tmp_path):
    """Return a project with an incremental job that has run twice."""
    job = flare("load", reads="orders", writes="copy")
    job["spec"]["stackSpec"]["job"]["inputs"][0]["incremental"] = {
        "context": "everything",
        "sql": "select * from everything where id > $|start| and id <= $|end|",
        "keys": [{"name": "start", "sql": "select 0"}, {"name": "end", "sql": "select max(id) from everything"}],
        "state": [{"key": "start", "value": "end"}],
    }
    write_project(tmp_path, {"daily.yaml": workflow("daily", job)})
    for run, value in (("run-1", "5"), ("run-2", "9")):
        state = opened(tmp_path)
        with state.database.writing() as session:
            advance(session, [(START, value)], run)
    return tmp_path


def opened(project) -> State:
    return State.open(Settings(project=project))


def leave_unfinished(project) -> None:
    intents = opened(project).intents
    intents.claim(JOB, "", "run-3")
    window = InputWindow("in_0", "everything", {"start": "9", "end": "12"})
    intents.plan(Intent(JOB, "", "run-3", (window,), ((START, "12"),)), ["dataos://lakehouse:shop/copy"])
    intents.release(JOB, "", "run-3")


def test_what_is_stored_is_shown_with_the_value_before_it(project):
    lines = call("show", "load", "--project", project).stdout.splitlines()
    assert lines[0].split() == ["job", "input", "key", "value", "previous", "by", "changed", "(UTC)"]
    assert lines[1].split()[:7] == [JOB, "in_0", "start", "9", "5", "run", "run-2"]


def test_json_holds_values_and_unfinished_windows(project):
    leave_unfinished(project)
    found = json.loads(call("show", "--project", project, "--json").stdout)
    [value], [left] = found["state"], found["unfinished"]
    assert (value["key"], value["value"], value["previous"], value["origin"]) == ("start", "9", "5", "run")
    assert left["window"] == [{"input": "in_0", "values": {"start": "9", "end": "12"}}]
    assert left["outputs"] == [{"dataset": "dataos://lakehouse:shop/copy", "status": "planned"}]


def test_nothing_stored_is_said(project):
    assert call("show", "other", "--project", project).stdout == "nothing is stored for other\n"


@pytest.mark.parametrize("name", ["start", "in_0.start"])
def test_a_value_is_set_for_the_next_run(project, name):
    result = call("set", "daily/load", f"{name}=3", "--project", project)
    assert result.stdout == f"{JOB} in_0.start: the next run begins with 3 (was 9)\n"
    assert opened(project).watermarks.of_job(JOB) == {START: "3"}


@pytest.mark.parametrize(
    ("job", "assignment", "said"),
    [
        ("load", "start", "'start' is no KEY=VALUE"),
        ("load", "begin=1", "daily/load has no key 'begin'"),
        ("lead", "start=1", "the project has no job 'lead'"),
    ],
)
def test_a_key_that_nobody_reads_cannot_be_set(project, job, assignment, said):
    result = call("set", job, assignment, "--project", project)
    assert (result.exit_code, said in result.stderr) == (2, True)
    assert opened(project).watermarks.of_job(JOB) == {START: "9"}


def test_a_rollback_makes_the_next_run_read_the_last_window_again(project):
    result = call("rollback", "load", "--project", project)
    assert result.stdout == f"{JOB} in_0.start: the next run begins with 5 (was 9)\n"
    again = call("rollback", "load", "--project", project)
    assert (again.exit_code, "was rolled back on" in again.stderr) == (1, True)


@pytest.mark.parametrize("change", [("rollback", "load"), ("set", "load", "start=1")])
def test_an_unfinished_window_is_finished_or_given_up_first(project, change):
    leave_unfinished(project)
    refused = call(*change, "--project", project)
    assert (refused.exit_code, "run run-3 has left a window unfinished" in refused.stderr) == (1, True)
    assert "dataos flare state abandon daily/load" in refused.stderr
    given_up = call("abandon", "load", "--project", project)
    assert given_up.stdout.startswith(f"abandoned: {JOB}, run run-3: in_0 start=9, end=12 →")
    assert call(*change, "--project", project).exit_code == 0
    once_more = call("abandon", "load", "--project", project)
    assert (once_more.exit_code, "nothing of load is unfinished" in once_more.stderr) == (1, True)


def test_a_job_that_a_lost_machine_has_taken_is_let_go(project):
    opened(project).intents.claim(JOB, "", "run-3")  # and died before it knew its window
    with opened(project).database.writing() as session:
        session.execute(update(IntentRow).values(host="elsewhere"))
    refused = call("set", "load", "start=1", "--project", project)
    assert (refused.exit_code, "dataos flare state release" in refused.stderr) == (1, True)
    [freed] = json.loads(call("release", "load", "--project", project, "--json").stdout)["released"]
    assert (freed["job"], freed["run_id"], freed["host"]) == (JOB, "run-3", "elsewhere")
    assert call("set", "load", "start=1", "--project", project).exit_code == 0
    missing = call("release", "other", "--project", project)
    assert (missing.exit_code, "no process holds a job other" in missing.stderr) == (1, True)

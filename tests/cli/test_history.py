"""`dataos history`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from dataos_dagster.cli.history import app
from dataos_dagster.settings import Settings
from dataos_dagster.state.database import State
from dataos_dagster.state.job_runs import JobRunStart, OutputRecord

SECONDS_KEYS = {"id", "run_id", "started_at", "finished_at", "seconds"}


def call(*arguments: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def project(tmp_path):
    """Return a project with a run that succeeded and, after it, one that failed."""
    runs = State.open(Settings(project=tmp_path)).job_runs
    start = JobRunStart(
        "public/daily/delays", "public", "daily", "ann", "r1", engine="sail", engine_reasons=("proven",)
    )
    output = OutputRecord("dataos://lakehouse:flights/delays", 336_776, 4096, "77")
    maintained = OutputRecord("dataos://a:b/c", action="rewrite_manifest", summary="2 became 1", counts={"n": 1})
    runs.finish(runs.start(start), "succeeded", outputs=[output, maintained])
    other = JobRunStart("public/daily/[bold]odd", "public", "daily", "ann", "r1", inputs=("dataos://a:b/c",))
    runs.finish(runs.start(other), "failed", error="no column `x`\nat line 2")
    return tmp_path


def test_runs_are_shown_newest_first_with_what_they_did(project):
    lines = call(project).stdout.splitlines()
    assert lines[0].split() == ["started", "(UTC)", "job", "status", "engine", "rows", "seconds", "principal"]
    assert "public/daily/[bold]odd" in lines[1]
    assert "failed" in lines[1]
    assert lines[2].strip() == "no column `x`"
    assert lines[3].split()[2:] == ["public/daily/delays", "succeeded", "sail", "336,776", "0.0", "ann"]


def test_json_holds_everything_that_is_recorded(project):
    [run] = json.loads(call(project, "--job", "delays", "--json").stdout)["runs"]
    assert set(run) >= SECONDS_KEYS
    assert {key: value for key, value in run.items() if key not in SECONDS_KEYS} == {
        "dagster_run_id": None,
        "job": "public/daily/delays",
        "workspace": "public",
        "workflow": "daily",
        "principal": "ann",
        "engine": "sail",
        "engine_reasons": ["proven"],
        "inputs": [],
        "outputs": [
            {
                "dataset": "dataos://lakehouse:flights/delays",
                "rows": 336_776,
                "bytes": 4096,
                "snapshot_id": "77",
                "branch": None,
                "rows_deleted": None,
            }
        ],
        "actions": [
            {"name": "rewrite_manifest", "dataset": "dataos://a:b/c", "summary": "2 became 1", "counts": {"n": 1}}
        ],
        "rows": 336_776,
        "status": "succeeded",
        "error": None,
    }


def test_the_jobs_of_one_run_are_found_by_the_beginning_of_its_id(tmp_path):
    runs = State.open(Settings(project=tmp_path)).job_runs
    for run_id in ("5f0c2c1b77", "5f0d000000"):
        runs.finish(runs.start(JobRunStart(f"public/daily/{run_id}", "public", "daily", "ann", run_id)), "succeeded")
    [found] = json.loads(call(tmp_path, "--run", "5f0c", "--json").stdout)["runs"]
    assert found["run_id"] == "5f0c2c1b77"
    several = call(tmp_path, "--run", "5f0")
    assert several.exit_code == 1
    assert "error: 5f0 means 2 runs: 5f0c2c1b77, 5f0d000000" in several.stderr
    assert "no run 77 is recorded" in call(tmp_path, "--run", "77").stderr


def test_a_run_that_is_not_there_is_an_error_and_a_job_that_is_no_part_of_one_is_said_to_be_none(tmp_path):
    missing = call(tmp_path, "--run", "77")
    assert (missing.exit_code, "no run 77 is recorded" in missing.stderr) == (1, True)
    runs = State.open(Settings(project=tmp_path)).job_runs
    for name in ("one", "two"):
        runs.finish(runs.start(JobRunStart(f"public/daily/{name}", "public", "daily", "ann", f"{name}77")), "succeeded")
    assert call(tmp_path, "--run", "one", "--job", "two").stdout == "no runs of two are recorded as a part of run one\n"


def test_the_number_of_runs_is_limited(project):
    assert len(json.loads(call(project, "--limit", 1, "--json").stdout)["runs"]) == 1
    runs = State.open(Settings(project=project)).job_runs
    for number in range(21):
        runs.start(JobRunStart(f"public/many/{number}", "public", "many", "ann", "r2"))
    assert len(json.loads(call(project, "--json").stdout)["runs"]) == 20
    assert len(json.loads(call(project, "--run", "r2", "--json").stdout)["runs"]) == 21
    assert len(json.loads(call(project, "--run", "r2", "--limit", 2, "--json").stdout)["runs"]) == 2


def test_a_project_without_runs_says_so(tmp_path):
    assert call(tmp_path).stdout == "no runs are recorded\n"
    assert call(tmp_path, "--job", "x").stdout == "no runs of x are recorded\n"
    assert json.loads(call(tmp_path, "--json").stdout) == {"runs": [], "last_run": None}


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path):
    assert call(tmp_path / "nowhere").exit_code == 2


def test_a_database_that_cannot_be_read_ends_with_one_and_a_reason(tmp_path):
    (tmp_path / ".dataos" / "state.db").mkdir(parents=True)
    result = call(tmp_path)
    assert result.exit_code == 1
    assert "error: state database" in result.stderr
    assert "hint: the folder must be there and writable" in result.stderr
    error = json.loads(call(tmp_path, "--json").stdout)["error"]
    assert (error["type"], error["hint"]) == ("StateError", "the folder must be there and writable")


def test_wrong_settings_end_with_two(tmp_path):
    (tmp_path / "dataos.yaml").write_text("stat: 1\n")
    result = call(tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: dataos.yaml:1:1: unknown setting 'stat'")

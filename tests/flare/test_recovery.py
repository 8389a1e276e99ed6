"""A crashed engine is started once more, and the job with it, when nothing was committed."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field

import pytest
from sessions import engine_settings

from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import EngineCrashed
from dataos_dagster.workflows.results import Reporter

ORDERS = "dataos://lakehouse:sales/orders"
TARGET = "dataos://lakehouse:sales/target"
JOB = """
inputs:
  - {{name: orders, dataset: "dataos://lakehouse:sales/orders"}}
steps:
  - sequence:
      - {{name: made, sql: "SELECT count(*) AS n FROM orders a CROSS JOIN orders b CROSS JOIN orders c"}}
outputs:
  - {{name: made, dataset: "{target}", options: {{saveMode: {mode}}}}}
"""


@dataclass
class Killer(Reporter):
    """Kills the engine as the job begins to write, so many times."""

    sessions: Sessions
    times: int
    notes: list[str] = field(default_factory=list)

    def step_started(self, job_id: str, label: str) -> None:
        if self.times and label.startswith("outputs["):
            self.times -= 1
            [server] = self.sessions._servers
            os.kill(server.endpoint.child.process.pid, signal.SIGKILL)

    def note(self, job_id: str, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def crashing(sail_project, tmp_path):
    """Return a function that runs a job whose engine is killed so many times, and its project."""
    sail_project.seed(ORDERS, "SELECT id FROM range(50)")
    with Sessions(engine_settings(tmp_path)) as own:

        def run(times: int, *, target: str = f"{TARGET}?acl=rw", mode: str = "append"):
            sail_project.sessions, sail_project.reporter = own, Killer(own, times)
            return sail_project.run_job(JOB.format(target=target, mode=mode))

        yield sail_project, run


def test_a_job_whose_engine_is_killed_runs_once_more(crashing):
    project, run = crashing
    run(0)
    result = run(1)
    assert result.outputs[0].rows == 1
    [note] = [note for note in project.reporter.notes if "nothing was written, and the job starts again" in note]
    assert result.notes[0] == note
    assert project.table(TARGET)[1] == [(125000,), (125000,)]


def test_an_engine_that_is_killed_again_is_the_jobs_error_and_the_next_run_succeeds(crashing):
    project, run = crashing
    run(0)
    with pytest.raises(EngineCrashed, match="SIGKILL") as raised:
        run(2)
    assert "the table is as it was before" in raised.value.hint
    assert project.table(TARGET)[1] == [(125000,)]
    run(0)
    assert project.table(TARGET)[1] == [(125000,), (125000,)]


def test_files_that_are_added_to_are_not_written_twice(crashing):
    project, run = crashing
    project.write(
        "drop.yaml",
        "{name: drop, version: v2alpha, type: depot, depot: {type: file, file: {path: data, format: PARQUET}}}\n",
    )
    with pytest.raises(EngineCrashed):
        run(1, target="dataos://drop:none/made?acl=rw")
    assert run(1, target="dataos://drop:none/made?acl=rw", mode="overwrite").outputs[0].rows == 1

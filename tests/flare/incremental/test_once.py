"""Windows are written once: what a run left unfinished, the next one finishes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from depot_manifests import mysql_depot, postgresql_depot
from typer.testing import CliRunner

from dataos_dagster.cli.run import app
from dataos_dagster.errors import DataOSError
from dataos_dagster.state.intents import scope_of

SOURCE = "dataos://lakehouse:shop/source"
FIRST, SECOND = "dataos://lakehouse:shop/first", "dataos://lakehouse:shop/second"
JOB = "public/wf-job/job"
INPUT = f"""
inputs:
  - name: orders
    dataset: {SOURCE}
    incremental:
      context: all_orders
      sql: SELECT * FROM all_orders WHERE id > $|last| AND id <= $|newest|
      keys:
        - {{name: last, sql: select 0}}
        - {{name: newest, sql: select max(id) from all_orders where id > $|last|}}
      state:
        - {{key: last, value: newest}}
"""


def job_to(*datasets: str) -> str:
    outputs = "".join(f'  - {{name: orders, dataset: "{to}", options: {{saveMode: append}}}}\n' for to in datasets)
    return f"{INPUT}outputs:\n{outputs}"


def seed(project, count: int) -> None:
    project.seed(SOURCE, f"SELECT CAST(id AS BIGINT) AS id FROM range(1, {count} + 1)")


def ids(project, address):
    try:
        return sorted(row[0] for row in project.table(address)[1])
    except DataOSError:
        return []


def stored(project):
    return [each.value for each in project.state.watermarks.find()]


def broken_second(project) -> str:
    """Make the second table one that the rows do not fit, and return the job's error."""
    project.seed(SECOND, "SELECT CAST(0 AS BIGINT) AS id, 'x' AS more")
    return project.error_of(job_to(FIRST, SECOND)).message


def killed_before_the_note(project, **write) -> None:
    """Leave the state as if the process had been killed between the commit of the rows and the note of it."""
    from sqlalchemy import update

    from dataos_dagster.state.models import IntentOutputRow, IntentRow

    project.state.intents.claim(JOB, "", "run-2")
    with project.state.database.writing() as session:
        session.execute(update(IntentRow).values(status="open"))
        session.execute(update(IntentOutputRow).values(status="writing", **write))


def test_the_window_of_a_failed_run_is_repeated_for_the_outputs_that_are_missing(project):
    seed(project, 3)
    assert "second" in broken_second(project)
    assert (ids(project, FIRST), stored(project)) == ([1, 2, 3], [])
    seed(project, 5)  # what came meanwhile belongs to the next window
    project.seed("dataos://lakehouse:shop/aside", "SELECT 1 AS id")
    (project.folder / ".dataos/lakehouse/shop/second").rename(project.folder / "moved")
    result = project.run_job(job_to(FIRST, SECOND))
    assert [output.dataset for output in result.outputs] == [SECOND]
    assert result.windows[0].origins == {"last": "repeated", "newest": "repeated"}
    assert any("was interrupted: this run finishes its window" in note for note in result.notes)
    assert (ids(project, FIRST), ids(project, SECOND), stored(project)) == ([1, 2, 3], [1, 2, 3], ["3"])
    project.run_job(job_to(FIRST, SECOND))
    assert (ids(project, FIRST), ids(project, SECOND), stored(project)) == ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], ["5"])


def test_the_plan_of_a_window_without_a_newest_row_says_that_it_reads_nothing(sail_project):
    seed(sail_project, 0)
    broken_second(sail_project)
    [prospect] = sail_project.plan(job_to(FIRST, SECOND)).prospects.values()
    assert prospect[-1] == "reads nothing: the query of newest gave no value"
    assert prospect[1].startswith("newest has no value, of run ")


def test_a_run_that_is_refused_leaves_the_job_to_who_has_it(sail_project):
    seed(sail_project, 3)
    script = (
        "import sys; from pathlib import Path\n"
        "from dataos_dagster.settings import Settings; from dataos_dagster.state.database import State\n"
        "State.open(Settings(project=Path(sys.argv[1]))).intents.claim(sys.argv[2], '', 'other-run')\n"
        "print('claimed', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(sail_project.folder), JOB]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"claimed\n"
        for _run in range(2):
            assert f"is being run by process {other.pid}" in sail_project.error_of(job_to(FIRST)).message
        other.stdin.close()
        other.wait(60)
    assert ids(sail_project, FIRST) == []
    sail_project.run_job(job_to(FIRST))
    assert ids(sail_project, FIRST) == [1, 2, 3]


def test_other_outputs_than_those_of_an_unfinished_window_are_refused(sail_project):
    seed(sail_project, 3)
    broken_second(sail_project)
    error = sail_project.error_of(job_to(FIRST))
    assert "the job's outputs are others now" in error.message
    assert "dataos flare state abandon wf-job/job" in error.hint
    sail_project.state.intents.abandon(JOB)
    sail_project.run_job(job_to(FIRST))
    assert ids(sail_project, FIRST) == [1, 1, 2, 2, 3, 3]


def test_a_run_with_given_keys_that_failed_is_finished_by_the_same_values_only(sail_project):
    seed(sail_project, 3)
    sail_project.keys = {"last": "0", "newest": "2"}
    broken_second(sail_project)
    (sail_project.folder / ".dataos/lakehouse/shop/second").rename(sail_project.folder / "moved")
    assert sail_project.state.intents.find(JOB, scope_of(sail_project.keys)) is not None
    sail_project.run_job(job_to(FIRST, SECOND))
    assert (ids(sail_project, FIRST), ids(sail_project, SECOND), stored(sail_project)) == ([1, 2], [1, 2], [])


def test_a_database_knows_which_windows_it_holds(project, postgresql):
    database = postgresql.create_database()
    project.write("depot.yaml", postgresql_depot(postgresql, database))
    to = "dataos://shopdb:public/orders"
    seed(project, 3)
    project.run_job(job_to(to))

    def rows():
        return [row[0] for row in postgresql.execute("SELECT id FROM orders ORDER BY id", database=database)]

    [mark] = postgresql.execute("SELECT mark FROM dataos_writes WHERE dataset = 'orders'", database=database)[0]
    killed_before_the_note(project, token=mark, marked=True)
    result = project.run_job(job_to(to))
    assert any("after it had written everything" in note for note in result.notes)
    assert (rows(), stored(project)) == ([1, 2, 3], ["3"])


def test_a_store_that_shows_nothing_gets_its_window_once_more_and_the_run_says_so(spark_project, mariadb):
    project, database = spark_project, mariadb.create_database()
    project.write("depot.yaml", mysql_depot(mariadb))
    job = job_to(f"dataos://shopdb:{database}/orders")
    seed(project, 2)
    assert project.run_job(job).notes == ()
    assert stored(project) == ["2"]
    project.state.watermarks.set(project.state.watermarks.find()[0].at, "0")
    killed_before_the_note(project)
    notes = project.run_job(job).notes
    assert any("so it is written once more" in note for note in notes)
    rows = mariadb.execute("SELECT id FROM orders ORDER BY id", database=database)
    assert ([row[0] for row in rows], stored(project)) == ([1, 1, 2, 2], ["2"])


def test_the_command_line_gives_keys_for_one_run(sail_project):
    seed(sail_project, 5)
    sail_project.write_job(job_to(FIRST))
    sail_project.write("dataos.yaml", "engines: {default: sail}\n")
    call = [str(sail_project.folder), "--json", "--key", "last=1", "--key", "orders.newest=3"]
    done = CliRunner().invoke(app, call)
    [job] = json.loads(done.stdout)["jobs"]
    assert job["incremental"] == [
        {
            "input": "orders",
            "values": {"last": "1", "newest": "3"},
            "origins": {"last": "given", "newest": "given"},
            "stored": {},
        }
    ]
    assert (ids(sail_project, FIRST), stored(sail_project)) == ([2, 3], [])


@pytest.mark.parametrize(("key", "said"), [("lst=1", "did you mean last?"), ("last", "is no KEY=VALUE")])
def test_a_key_that_no_job_has_is_wrong_usage(sail_project, key, said):
    sail_project.write_job(job_to(FIRST))
    done = CliRunner().invoke(app, [str(sail_project.folder), "--key", key])
    assert (done.exit_code, said in done.stderr) == (2, True)

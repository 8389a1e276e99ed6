"""The schema of the state database: migrated when it is opened, the same on every database, and back again."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from dataos_dagster.errors import StateError
from dataos_dagster.state import __main__ as command
from dataos_dagster.state import schema
from dataos_dagster.state.database import State
from dataos_dagster.state.job_runs import JobRunStart
from dataos_dagster.state.models import Base

PROCESSES = 4


def run(state) -> str:
    return state.job_runs.start(JobRunStart("public/w/j", "public", "w", "ann", "run-1"))


def test_the_newest_migration_is_the_one_the_code_knows():
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD


def test_migrations_make_exactly_the_tables_of_the_models(state):
    with state.database.reading() as session:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(session.connection(), opts=options), Base.metadata) == []


def test_opening_again_changes_nothing_and_does_not_load_alembic(state, settings):
    kept = run(state)
    script = (
        "import sys; from dataos_dagster.settings import Settings; from dataos_dagster.state.database import State\n"
        "from pathlib import Path; import os\n"
        "State.open(Settings(project=Path(os.environ['PROJECT'])))\n"
        "assert 'alembic' not in sys.modules, 'alembic was loaded'\n"
    )
    subprocess.run([sys.executable, "-c", script], env=variables_of(settings), check=True)
    assert State.open(settings).job_runs.get(kept) is not None


def variables_of(settings) -> dict[str, str]:
    variables = {**os.environ, "PROJECT": str(settings.project)}
    if settings.state.url:
        variables["DATAOS_STATE__URL"] = settings.state.url.get_secret_value()
    return variables


def test_processes_that_open_and_write_at_once_all_succeed(settings):
    script = (
        "import sys, os; from pathlib import Path\n"
        "from dataos_dagster.settings import Settings; from dataos_dagster.state.database import State\n"
        "from dataos_dagster.state.job_runs import JobRunStart\n"
        "sys.stdin.read(1)\n"
        "state = State.open(Settings(project=Path(os.environ['PROJECT'])))\n"
        "for _ in range(20):\n"
        "    run = state.job_runs.start(JobRunStart('public/w/j', 'public', 'w', 'ann', str(os.getpid())))\n"
        "    state.job_runs.finish(run, 'succeeded')\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script], env=variables_of(settings), stdin=subprocess.PIPE)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.stdin.write(b".")
        process.stdin.close()
    assert [process.wait(120) for process in processes] == [0] * PROCESSES
    history = State.open(settings).job_runs.history(limit=1000)
    assert len(history) == PROCESSES * 20
    assert {found.status for found in history} == {"succeeded"}


def test_the_schema_goes_back_and_forth(state, settings):
    run(state)
    schema.downgrade(state.database, "base")
    with state.database.reading() as session:
        assert not inspect(session.connection()).has_table("job_runs")
    assert State.open(settings).job_runs.history() == []


def test_a_revision_that_does_not_exist_is_refused(state):
    with pytest.raises(StateError, match=r"no revision '0815'\n  hint: one of base, 0004, 0003, 0002, 0001"):
        schema.downgrade(state.database, "0815")


def test_a_database_of_a_newer_version_is_left_alone(state, settings):
    with state.database.writing() as session:
        session.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(
        StateError, match=rf"is at revision 9999, which this version does not know \(newest: {schema.HEAD}\)"
    ):
        State.open(settings)
    with pytest.raises(StateError, match="revision 9999"):
        schema.downgrade(state.database, "base")


def test_a_database_may_be_shared_with_dagster(state, settings):
    with state.database.writing() as session:
        session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        session.execute(text("INSERT INTO alembic_version VALUES ('dagster')"))
    schema.downgrade(state.database, "base")
    reopened = State.open(settings)
    with reopened.database.reading() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "dagster"


def test_a_migration_that_fails_leaves_nothing_behind(settings, monkeypatch):
    def fail(*_arguments):
        raise RuntimeError("killed half way")

    monkeypatch.setattr("sqlalchemy.schema.CreateIndex.__init__", fail)
    with pytest.raises(RuntimeError, match="killed half way"):
        State.open(settings)
    monkeypatch.undo()
    assert State.open(settings).job_runs.history() == []


def test_the_revision_can_be_looked_at_and_changed_from_the_command_line(settings, capsys, monkeypatch):
    if settings.state.url:
        monkeypatch.setenv("DATAOS_STATE__URL", settings.state.url.get_secret_value())
    project = ["--project", str(settings.project)]
    calls = (["current"], ["upgrade"], ["downgrade", "base"], ["downgrade", "0815"])
    outcomes = [(command.main([*project, *arguments]), capsys.readouterr()) for arguments in calls]
    assert [code for code, _ in outcomes] == [0, 0, 0, 1]
    assert [shown.out.strip().rpartition(": ")[2] for _, shown in outcomes] == ["base", schema.HEAD, "base", ""]
    assert "no revision '0815'" in outcomes[3][1].err
    assert "correct-horse" not in "".join(shown.out + shown.err for _, shown in outcomes)

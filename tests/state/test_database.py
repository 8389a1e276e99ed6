"""What is said when the state database cannot be used, and that nothing is half written then."""

from __future__ import annotations

import sqlite3

import pytest
from servers.process import free_port
from sqlalchemy import event, func, select, text

from dataos_dagster.errors import StateError
from dataos_dagster.settings import Settings
from dataos_dagster.state import database
from dataos_dagster.state.database import State
from dataos_dagster.state.job_runs import JobRunStart
from dataos_dagster.state.models import JobRunRow

START = JobRunStart("public/w/j", "public", "w", "ann", "run-1")


def failure(settings) -> StateError:
    with pytest.raises(StateError) as caught:
        State.open(settings)
    return caught.value


def at(tmp_path, url) -> Settings:
    return Settings(project=tmp_path, state={"url": url})


def test_a_block_that_raises_writes_nothing(state):
    run = state.job_runs.start(START)

    def delete_and_fail():
        with state.database.writing() as session:
            session.execute(text("DELETE FROM job_runs"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        delete_and_fail()
    assert state.job_runs.get(run) is not None


def test_reading_never_writes(state):
    state.job_runs.start(START)
    with state.database.reading() as session:
        session.execute(text("DELETE FROM job_runs"))
    assert len(state.job_runs.history()) == 1


def test_a_reader_is_not_held_up_by_a_writer(state):
    state.job_runs.start(START)
    with state.database.writing() as session:
        session.execute(text("UPDATE job_runs SET status = 'failed'"))
        assert state.job_runs.history()[0].status == "running"


def test_no_connection_is_kept(state):
    opened, closed = [], []
    event.listen(state.database.engine, "connect", lambda *_: opened.append(1))
    event.listen(state.database.engine, "close", lambda *_: closed.append(1))
    state.job_runs.start(START)
    state.job_runs.history()
    assert len(opened) == len(closed) == 2


def test_the_default_is_sqlite_in_the_state_folder(tmp_path):
    State.open(Settings(project=tmp_path)).job_runs.start(START)
    with sqlite3.connect(tmp_path / ".dataos" / "state.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT count(*) FROM job_runs").fetchone() == (1,)


def test_a_folder_with_odd_characters_is_no_problem(tmp_path):
    folder = tmp_path / "50% of täglich # ?x=1"
    folder.mkdir()
    assert State.open(Settings(project=folder)).job_runs.history() == []


def test_a_writer_that_holds_on_for_too_long_is_named_as_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    state = State.open(Settings(project=tmp_path))
    holder = sqlite3.connect(tmp_path / ".dataos" / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateError, match=r"another process has been writing for too long \(.*database is locked\)"):
        state.job_runs.start(START)
    holder.execute("ROLLBACK")
    assert state.job_runs.start(START)


def test_a_full_disk_leaves_the_records_as_they_were(tmp_path):
    state = State.open(Settings(project=tmp_path))
    state.job_runs.start(START)

    # SQLite reports a page limit exactly as it reports a disk without room.
    @event.listens_for(state.database.engine, "connect")
    def limit(connection, _record):
        connection.execute("PRAGMA max_page_count = 1")

    def fill():
        for _ in range(1000):
            state.job_runs.start(START)

    with pytest.raises(StateError, match="the disk is full"):
        fill()
    event.remove(state.database.engine, "connect", limit)
    with state.database.reading() as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        assert session.scalar(select(func.count()).select_from(JobRunRow)) == len(state.job_runs.history(limit=2000))


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    file = tmp_path / ".dataos" / "state.db"
    file.parent.mkdir()
    file.write_bytes(b"not a database " * 100)
    error = failure(Settings(project=tmp_path))
    assert "the file is not a SQLite database" in error.message
    assert file.read_bytes() == b"not a database " * 100


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / ".dataos" / "state.db").mkdir(parents=True)
    assert "the file cannot be opened" in failure(Settings(project=tmp_path)).message


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path):
    port = free_port()
    error = failure(at(tmp_path, f"postgresql://ann:tulip-1637@127.0.0.1:{port}/state"))
    assert "the server does not answer" in error.message
    assert f"127.0.0.1:{port}/state" in error.message
    assert "tulip-1637" not in str(error)
    assert error.hint == "start it, or check host and port of state.url"


def test_wrong_credentials_are_named_as_such(tmp_path, postgresql):
    url = postgresql.url(driver="postgresql").replace(postgresql.password, "tulip-1637")
    error = failure(at(tmp_path, url))
    assert "the server refuses the credentials" in error.message
    assert "tulip-1637" not in str(error)


def test_a_database_that_does_not_exist_is_named_as_such(tmp_path, postgresql):
    error = failure(at(tmp_path, postgresql.url("nowhere", driver="postgresql")))
    assert 'database "nowhere" does not exist' in error.message


def test_a_user_who_may_not_create_tables_is_told_so(tmp_path, postgresql):
    name = postgresql.create_database()
    postgresql.execute("CREATE ROLE guest LOGIN PASSWORD 'guest-pass'")
    error = failure(at(tmp_path, f"postgresql://guest:guest-pass@127.0.0.1:{postgresql.port}/{name}"))
    assert "the user lacks a right" in error.message
    postgresql.execute("DROP ROLE guest")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "state.url is not a database URL"),
        ("mysql://u:p@h/d", "state.url names mysql, which cannot keep the state"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(tmp_path, url, message):
    error = failure(at(tmp_path, url))
    assert error.message == message
    assert url not in str(error)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_postgresql_is_understood(tmp_path, postgresql, scheme):
    url = postgresql.url(postgresql.create_database(), driver=scheme)
    assert State.open(at(tmp_path, url)).job_runs.history() == []


def test_a_relative_file_is_one_of_the_project_wherever_the_process_works(tmp_path, monkeypatch):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert State.open(at(project, "sqlite:///mine.db")).job_runs.history() == []
    assert (project / "mine.db").exists()
    assert list(elsewhere.iterdir()) == []
    absolute = tmp_path / "absolute.db"
    State.open(at(project, f"sqlite:///{absolute}"))
    assert absolute.exists()

"""One writer a dataset: who waits, who is named, and what a writer that died leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest

from dataos_dagster.depots.locks import Holder, writing
from dataos_dagster.engines.elsewhere import WorkElsewhere
from dataos_dagster.engines.process import EngineProcess
from dataos_dagster.errors import DatasetLocked, EngineUnavailable, Location, StatementFailed, WriteFailed
from dataos_dagster.processes import start_time
from dataos_dagster.settings import ConnectSettings

HOLD = """
import sys, time
from pathlib import Path
from dataos_dagster.depots.locks import Holder, writing
from dataos_dagster.engines.process import EngineProcess

engine = EngineProcess.of(int(sys.argv[2])) if len(sys.argv) > 2 else None
with writing(Path(sys.argv[1]), Holder.this_process("bob", engine, "run-7"), seconds=5, what="orders"):
    print("held", flush=True)
    time.sleep(60)
"""


CLUSTER = ConnectSettings(url="sc://cluster:15002")
SESSION = ("cluster:15002", "ann", "3b1f8f2e-7d67-4c57-8c5e-1d1d6f3d6a11")


def me():
    return Holder.this_process("ann", None, None)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sales" / ".orders.lock"


@pytest.fixture
def hold():
    """Start other processes that hold a lock; they are ended with the test."""
    started = []

    def start(file, *engine):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(file), *map(str, engine)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_lock_is_free_again_after_its_writer(file):
    for _ in range(2):
        with writing(file, me(), seconds=0, what="orders") as left:
            assert left is None
            assert Holder.parse(file.read_text()).principal == "ann"
        assert file.read_text() == ""


def test_a_second_writer_waits_and_then_names_the_first(file, hold, monkeypatch):
    other = hold(file)
    naps: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(naps), sleep=naps.append)
    monkeypatch.setattr("dataos_dagster.depots.locks.time", clock)
    with pytest.raises(DatasetLocked) as refused, writing(file, me(), seconds=0.5, what="orders"):
        pass
    assert sum(naps) == pytest.approx(0.5, abs=max(naps))
    assert f"orders is being written by process {other.pid} on" in refused.value.message
    assert "for bob" in refused.value.message
    assert "operation run-7" in refused.value.message
    assert refused.value.retryable


def test_two_writers_of_one_process_exclude_each_other_too(file):
    with (
        writing(file, me(), seconds=1, what="orders"),
        pytest.raises(DatasetLocked),
        writing(file, me(), seconds=0.1, what="orders"),
    ):
        pass


def test_a_writer_that_was_killed_holds_nothing_and_is_told_of(file, hold):
    other = hold(file)
    other.send_signal(signal.SIGKILL)
    other.wait()
    with writing(file, me(), seconds=1, what="orders") as left:
        assert left is not None
        assert (left.pid, left.operation) == (other.pid, "run-7")


def test_the_engine_of_a_writer_that_was_killed_is_waited_for(file, hold):
    engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.5)"])
    # Reaped by somebody, as an orphan is by init.
    import threading

    threading.Thread(target=engine.wait, daemon=True).start()
    other = hold(file, engine.pid)
    other.kill()
    other.wait()
    with writing(file, me(), seconds=1, what="orders"):
        assert engine.poll() is not None


def test_an_engine_that_does_not_end_by_itself_is_ended(file, monkeypatch):
    monkeypatch.setattr("dataos_dagster.depots.locks.ORPHAN_SECONDS", 0.2)
    engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    import threading

    threading.Thread(target=engine.wait, daemon=True).start()
    process = EngineProcess.of(engine.pid)
    dead = replace(me(), pid=999_999_999, started="long ago", engine_pid=process.pid, engine_started=process.started)
    file.parent.mkdir()
    file.write_text(json.dumps(asdict(dead)))
    with writing(file, me(), seconds=1, what="orders"):
        assert not process.is_running()


def test_a_process_that_got_the_number_of_the_dead_engine_is_left_alone(file):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        dead = replace(
            me(), pid=999_999_999, started="long ago", engine_pid=stranger.pid, engine_started="another time"
        )
        file.parent.mkdir()
        file.write_text(json.dumps(asdict(dead)))
        with writing(file, me(), seconds=1, what="orders"):
            assert start_time(stranger.pid) is not None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', "\x00\x00", "[]"])
def test_a_lock_file_that_was_cut_off_is_no_obstacle(file, content):
    file.parent.mkdir()
    file.write_text(content)
    with writing(file, me(), seconds=0, what="orders") as left:
        assert left is None


def test_a_folder_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "sales").write_text("a file where a folder should be")
    with (
        pytest.raises(WriteFailed, match=r"its lock file .* cannot be made"),
        writing(tmp_path / "sales" / ".orders.lock", me(), seconds=0, what="orders"),
    ):
        pass


def test_a_child_that_was_forked_meanwhile_does_not_keep_the_lock(file):
    with writing(file, me(), seconds=0, what="orders"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(5)"])
    try:
        with writing(file, me(), seconds=0.1, what="orders"):
            assert file.exists()
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def ended(monkeypatch):
    """Return what is done to sessions on a cluster, in place of a cluster."""
    done: list[tuple[str, str]] = []
    monkeypatch.setattr(WorkElsewhere, "end", lambda work, _: done.append(("end", work.session)))
    monkeypatch.setattr(WorkElsewhere, "interrupt", lambda work, _: done.append(("interrupt", work.session)))
    return done


def fail_with(error, file, holder):
    with pytest.raises(WriteFailed), writing(file, holder, seconds=0, what="orders", cluster=CLUSTER):
        raise WriteFailed("orders was not written") from StatementFailed(error)


@pytest.mark.parametrize(("pid", "what"), [(None, "interrupt"), (999_999_999, "end")])
def test_what_a_cluster_may_still_do_after_a_lost_connection_is_ended_by_the_next_writer(file, ended, pid, what):
    fail_with("[UNAVAILABLE] failed to connect", file, replace(me(), work=SESSION, pid=pid or me().pid))
    with writing(file, me(), seconds=0, what="orders", cluster=CLUSTER) as left:
        assert tuple(left.work) == SESSION
        assert ended == [(what, SESSION[2])]
    assert file.read_text() == ""


def test_a_write_that_a_cluster_refused_leaves_nothing_to_end(file, ended):
    fail_with("[DIVIDE_BY_ZERO] Division by zero", file, replace(me(), work=SESSION))
    fail_with("[UNAVAILABLE] failed to connect", file, me())  # the engine is ours, and ends with us
    with writing(file, me(), seconds=0, what="orders", cluster=CLUSTER) as left:
        assert left is None
    assert ended == []


def test_work_that_cannot_be_ended_is_told_where_the_write_is_asked_for(file):
    file.parent.mkdir()
    file.write_text(json.dumps(asdict(replace(me(), pid=999_999_999, work=SESSION))))
    here = Location("wf.yaml", 3, 5)
    with (
        pytest.raises(EngineUnavailable) as refused,
        writing(file, me(), seconds=0, what="orders", location=here, cluster=ConnectSettings()),
    ):
        pass
    assert refused.value.location == here
    assert SESSION[2] in file.read_text()

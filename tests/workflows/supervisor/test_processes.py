"""Services as processes: one copy, found again by whoever comes back, drained, killed, restarted after a pause."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from textwrap import dedent

import pytest

from dataos_dagster.workflows.supervisor.logs import last_lines, turn_own_log
from dataos_dagster.workflows.supervisor.processes import ProcessRuntime
from dataos_dagster.workflows.supervisor.reconcile import Supervisor
from dataos_dagster.workflows.supervisor.service import Service

# What a service does, without a stream: it lives in its folder, and notes how often it began.
BODY = """
    import os, pathlib, signal, sys, time
    from dataos_dagster.workflows.supervisor.records import Records
    records = Records(pathlib.Path(os.environ["DATAOS_SERVICE_FOLDER"]))
    with records.living() as held:
        if not held:
            sys.exit(3)
        with (records.folder / "begun").open("a") as begun:
            begun.write(f"{os.getpid()}\\n")
        ended = []
        signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
        print("at work", flush=True)
        while not ended:
            time.sleep(0.02)
        print("drained", flush=True)
    """
NAME = "public/wf/job"


def service(generation="g1", body=BODY, drain_seconds=5.0):
    return Service(NAME, generation, (sys.executable, "-c", dedent(body)), drain_seconds=drain_seconds)


@pytest.fixture
def runtime(tmp_path):
    runtime = ProcessRuntime(tmp_path)
    yield runtime
    for name in runtime.names():
        if (pid := runtime.actual(name).pid) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begun(runtime):
    file = runtime.records(NAME).folder / "begun"
    return file.read_text().split() if file.exists() else []


def pass_(runtime, *services, now=None, scope="here"):
    return [change.action for change in Supervisor(runtime, scope).reconcile({s.name: s for s in services}, now)]


def test_a_second_supervisor_finds_the_process_and_starts_no_copy(runtime, tmp_path):
    assert pass_(runtime, service()) == ["start"]
    until(lambda: begun(runtime))
    # As after a restart of the daemon: nothing is remembered but what is in the folder.
    again = ProcessRuntime(tmp_path)
    assert pass_(again, service()) == []
    assert again.actual(NAME).pid == int(begun(runtime)[0])
    again.start(service(), "elsewhere")
    assert len(begun(runtime)) == 1


def test_a_copy_that_is_started_beside_the_records_ends_at_once(runtime):
    runtime.start(service(), "here")
    until(lambda: begun(runtime))
    folder = runtime.records(NAME).folder
    (folder / "process.json").unlink()
    done = subprocess.run(service().command, env={**os.environ, "DATAOS_SERVICE_FOLDER": str(folder)}, check=False)
    assert done.returncode == 3
    os.kill(int(begun(runtime)[0]), signal.SIGKILL)


def test_a_copy_whose_starter_died_before_noting_it_is_found_and_replaced_when_it_changes(runtime, tmp_path):
    crash = f"""
        import os, pathlib
        from dataos_dagster.workflows.supervisor import processes
        from dataos_dagster.workflows.supervisor.service import Service
        processes.start_time = lambda pid: os._exit(9)
        processes.ProcessRuntime(pathlib.Path({str(tmp_path)!r})).start(Service{(NAME, "g1", service().command)!r}, "here")
        """
    assert subprocess.run([sys.executable, "-c", dedent(crash)], check=False).returncode == 9
    until(lambda: begun(runtime))
    assert runtime.actual(NAME).pid == int(begun(runtime)[0])
    assert pass_(runtime, service()) == []
    assert pass_(runtime, service("g2")) == ["stop"]
    until(lambda: not runtime.actual(NAME).is_running)
    assert "drained" in runtime.log(NAME, 5)
    assert pass_(runtime, service("g2")) == ["start"]
    until(lambda: len(begun(runtime)) == 2)


def test_a_changed_service_is_drained_and_started_anew(runtime):
    pass_(runtime, service())
    until(lambda: begun(runtime))
    assert pass_(runtime, service("g2")) == ["stop"]
    until(lambda: not runtime.actual(NAME).is_running)
    assert "drained" in runtime.log(NAME, 5)
    assert pass_(runtime, service("g2")) == ["start"]
    until(lambda: len(begun(runtime)) == 2)
    assert runtime.actual(NAME).failures == 0


def test_a_service_that_nobody_wants_any_more_ends_but_not_that_of_another_location(runtime):
    pass_(runtime, service())
    until(lambda: begun(runtime))
    assert pass_(runtime, scope="elsewhere") == []
    assert pass_(runtime) == ["stop"]
    until(lambda: not runtime.actual(NAME).is_running)
    assert pass_(runtime) == []


def test_what_an_unreadable_manifest_may_want_goes_on_running(runtime):
    pass_(runtime, service(body=BODY.replace("ended.append(1)", "None")))
    until(lambda: begun(runtime))
    supervisor = Supervisor(runtime, "here")
    assert supervisor.reconcile({}, certain=False) == ()
    [stopped] = supervisor.reconcile({})
    assert stopped.action == "stop"
    # What was asked to end is seen to its end.
    [killed] = supervisor.reconcile({}, datetime.now(UTC) + timedelta(minutes=2), certain=False)
    assert killed.action == "kill"


def test_what_was_started_by_hand_is_ended_by_the_location_that_wanted_it(runtime):
    assert Supervisor(runtime, "by hand").settle({NAME: service()}, wish="running", seconds=10)
    until(lambda: begun(runtime))
    assert pass_(runtime, scope="elsewhere") == []
    # The location that wants it looks once, and then its manifest goes.
    assert pass_(runtime, service()) == []
    assert pass_(runtime) == ["stop"]
    until(lambda: not runtime.actual(NAME).is_running)


def test_what_a_location_had_started_stays_its_own_when_somebody_starts_it_again(runtime):
    pass_(runtime, service())
    until(lambda: begun(runtime))
    by_hand = Supervisor(runtime, "by hand")
    runtime.records(NAME).note_wish("stopped")
    assert by_hand.settle({NAME: service()}, wish="stopped", seconds=10)
    runtime.records(NAME).note_wish("running")
    assert by_hand.settle({NAME: service()}, wish="running", seconds=10)
    until(lambda: len(begun(runtime)) == 2)
    assert pass_(runtime) == ["stop"]
    until(lambda: not runtime.actual(NAME).is_running)


def test_a_service_that_is_forgiven_starts_at_once_and_its_next_end_counts(runtime):
    def fail(count):
        until(lambda: len(begun(runtime)) == count)
        os.kill(runtime.actual(NAME).pid, signal.SIGKILL)
        until(lambda: not runtime.actual(NAME).is_running)

    pass_(runtime, service())
    fail(1)
    assert pass_(runtime, service()) == []
    runtime.forgive(NAME)
    assert (runtime.actual(NAME).failures, runtime.actual(NAME).next_start) == (0, None)
    assert pass_(runtime, service()) == ["start"]
    # Forgiven while it runs: what comes is not forgiven.
    runtime.forgive(NAME)
    fail(2)
    assert runtime.actual(NAME).failures == 1


def test_a_service_that_does_not_end_is_killed(runtime):
    stubborn = BODY.replace("ended.append(1)", "None")
    pass_(runtime, service(body=stubborn))
    until(lambda: begun(runtime))
    runtime.records(NAME).note_wish("stopped")
    assert pass_(runtime, service(body=stubborn)) == ["stop"]
    assert pass_(runtime, service(body=stubborn)) == []
    later = datetime.now(UTC) + timedelta(seconds=10)
    assert pass_(runtime, service(body=stubborn), now=later) == ["kill"]
    until(lambda: not runtime.actual(NAME).is_running)


def test_a_service_that_dies_is_started_again_after_a_pause_that_grows(runtime):
    pauses = []
    for count in range(1, 4):
        now = datetime.now(UTC) + timedelta(hours=1)
        assert pass_(runtime, service(), now=now) == ["start"]
        until(lambda count=count: len(begun(runtime)) == count)
        os.kill(runtime.actual(NAME).pid, signal.SIGKILL)
        until(lambda: not runtime.actual(NAME).is_running)
        actual = runtime.actual(NAME)
        assert (actual.state, actual.failures) == ("waiting", count)
        assert pass_(runtime, service()) == []
        pauses.append(round((actual.next_start - datetime.now(UTC)).total_seconds()))
    assert pauses == [5, 10, 20]


def test_a_reused_number_is_not_taken_for_the_service(runtime):
    pass_(runtime, service())
    until(lambda: begun(runtime))
    records = runtime.records(NAME)
    os.kill(runtime.actual(NAME).pid, signal.SIGKILL)
    until(lambda: not runtime.actual(NAME).is_running)
    records.note_process({**records.process, "pid": os.getpid()})
    assert not runtime.actual(NAME).is_running
    runtime.ask_to_end(NAME)
    runtime.kill(NAME)


def test_a_process_that_turns_its_own_log_loses_no_line_and_keeps_as_many_as_it_may(tmp_path):
    log = tmp_path / "log"
    body = f"""
        import os, pathlib
        from dataos_dagster.workflows.supervisor.logs import last_lines, turn_own_log
        for number in range(60):
            print(number, flush=True)
            os.system(f"echo {{number}} from below >&2")
            turn_own_log(pathlib.Path({str(log)!r}), largest=300, kept=2)
        """
    with log.open("ab") as output:
        subprocess.run([sys.executable, "-c", dedent(body)], stdout=output, stderr=output, check=True)
    said = [line for name in ("log.2", "log.1", "log") for line in (tmp_path / name).read_text().splitlines()]
    expected = [text for number in range(60) for text in (f"{number}", f"{number} from below")]
    assert said == expected[-len(said) :]
    assert len(said) > 30
    assert not (tmp_path / "log.3").exists()
    assert log.stat().st_size <= 320


def test_the_last_lines_are_shown_across_a_log_that_was_put_aside(tmp_path):
    log = tmp_path / "log"
    assert last_lines(log, 3) == []
    log.with_name("log.1").write_text("one\ntwo\n")
    log.write_text("three\n")
    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(log, 1) == ["three"]
    assert last_lines(log, 9) == ["one", "two", "three"]


def test_a_process_that_prints_elsewhere_leaves_a_log_alone(tmp_path):
    log = tmp_path / "log"
    log.write_text("x" * 100)
    turn_own_log(log, largest=10)
    assert log.read_text() == "x" * 100
    assert not log.with_name("log.1").exists()


def test_half_written_records_are_as_none(runtime):
    folder = runtime.records(NAME).folder
    folder.mkdir(parents=True)
    (folder / "process.json").write_text('{"name": ')
    assert runtime.names() == ()
    assert runtime.actual(NAME).state == "stopped"
    (folder / "report.json").write_text(json.dumps([]))
    assert runtime.records(NAME).report is None

"""Engines end with their parent, are shared where they can be, and let nobody else in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from sessions import SAIL, SPARK, engine_settings

from dataos_dagster.engines.availability import require_java
from dataos_dagster.engines.class_archive import archive_option, write_archive
from dataos_dagster.engines.connect import open_session
from dataos_dagster.engines.endpoint import Endpoint
from dataos_dagster.engines.logs import forget_old_logs, log_folder
from dataos_dagster.engines.process import Child, EngineProcess
from dataos_dagster.engines.session import EngineSession, SessionConfiguration, Sessions
from dataos_dagster.errors import EngineCrashed, EngineUnavailable, StatementFailed
from dataos_dagster.settings import ConnectSettings, EngineSettings, Settings, SparkSettings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.engines.configuration import ServerConfiguration

PARENT = """
import sys, time
from dataos_dagster.engines.session import SessionConfiguration, Sessions
from dataos_dagster.settings import EngineSettings, Settings, SparkSettings

settings = Settings(project=sys.argv[2], engines=EngineSettings(spark=SparkSettings(master="local[2]")))
session = Sessions(settings).get(SessionConfiguration(sys.argv[1], driver_memory="1g"))
print(session.process.pid, session.process.started, flush=True)
time.sleep(600)
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Sessions]:
    with Sessions(engine_settings(tmp_path)) as opened:
        yield opened


def parent_of(engine: str, folder: Path) -> tuple[subprocess.Popen[str], EngineProcess]:
    """Start a process that starts an engine and never ends it."""
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), engine, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as said:
        pid, started = said.readline().split(maxsplit=1)
    return parent, EngineProcess(int(pid), started.strip())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_sail_ends_when_its_parent_does(tmp_path: Path, how: signal.Signals) -> None:
    parent, engine = parent_of("sail", tmp_path)
    assert engine.is_running()
    parent.send_signal(how)
    parent.wait(10)
    assert engine.wait(15)


def test_spark_ends_when_its_parent_is_killed(tmp_path: Path, java: None) -> None:
    parent, engine = parent_of("spark", tmp_path)
    assert engine.is_running()
    parent.kill()
    parent.wait(10)
    assert engine.wait(30)


def test_an_engine_ends_when_its_watchdog_is_killed(tmp_path: Path) -> None:
    child = Child("sleep", ["sleep", "600"], environment=dict(os.environ), log=tmp_path / "log")
    child._watchdog.kill()
    assert child.process.wait(15)
    child.close()


@pytest.mark.parametrize("how", ["engine killed", "closed", "parent gone", "watchdog killed"])
def test_what_an_engine_has_started_ends_with_it(tmp_path: Path, how: str) -> None:
    """Spark's Python workers for micro-batches wait for their JVM for ever, also when it is gone."""
    said = tmp_path / "worker"
    # The worker hears no SIGTERM, as one that is busy.
    script = f"(trap '' TERM; echo $BASHPID > {said}.new; mv {said}.new {said}; while :; do sleep 0.1; done) & wait"
    child = Child("worker's parent", ["bash", "-c", script], environment=dict(os.environ), log=tmp_path / "log")
    deadline = time.monotonic() + 10
    while not said.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker = EngineProcess.of(int(said.read_text()))
    assert worker is not None
    try:
        if how == "engine killed":
            os.kill(child.process.pid, signal.SIGKILL)
        elif how == "parent gone":
            assert child._watchdog.stdin is not None
            child._watchdog.stdin.close()
        elif how == "watchdog killed":
            child._watchdog.kill()
            assert child.process.wait(10)
            child.close()
        else:
            child.close()
        assert worker.wait(10)
    finally:
        child.close()
        worker.end()


def test_a_log_that_has_grown_is_put_aside_between_two_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataos_dagster.engines.process.LOG_BYTES", 200_000)
    # No line twice and none cut, also of those that come after the end was asked for.
    script = "trap 'echo drained; exit 3' TERM; seq 50000; echo printed; while :; do sleep 0.05; done"
    child = Child("printer", ["bash", "-c", script], environment=dict(os.environ), log=tmp_path / "log")
    child.wait_for(re.compile("^printed$", re.MULTILINE), 20)
    child.close(keep_log=True)
    said = [(tmp_path / name).read_text().splitlines() for name in ("log.1", "log")]
    assert said[0]
    whole = [line for lines in said for line in lines]
    assert whole[-2:] == ["printed", "drained"]
    numbers = [int(line) for line in whole[:-2]]
    assert numbers == list(range(numbers[0], 50_001))
    assert child.last_words(2) == "printed; drained"
    assert sum((tmp_path / name).stat().st_size for name in ("log.1", "log")) < 600_000


def test_logs_of_crashes_are_kept_for_some_time(tmp_path: Path) -> None:
    names = ["sail-1.log", "spark-2.log.1", "spark-3.log", "notes.txt"]
    for name in names:
        (tmp_path / name).touch()
    for name in (names[0], names[1], names[3]):
        os.utime(tmp_path / name, (0, 0))
    forget_old_logs(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"spark-3.log", "notes.txt"}
    forget_old_logs(tmp_path / "nowhere")


def test_of_many_crashes_the_latest_logs_are_kept(tmp_path: Path) -> None:
    now = time.time()
    for number in range(6):
        log = tmp_path / f"spark-{number}.log"
        log.touch()
        # The first two may be those of engines at work; the others ended hours ago, each before the one in front of it.
        os.utime(log, (now, now - (number if number < 2 else 7200 + number)))
    forget_old_logs(tmp_path, kept_logs=4)
    assert {file.name for file in tmp_path.iterdir()} == {f"spark-{number}.log" for number in range(4)}
    forget_old_logs(tmp_path, kept_logs=1)
    assert {file.name for file in tmp_path.iterdir()} == {"spark-0.log", "spark-1.log"}


def test_a_log_that_cannot_be_deleted_keeps_no_engine_from_starting(tmp_path: Path) -> None:
    (tmp_path / "spark-1.log").mkdir()  # a folder is refused to everybody, as another user's log is to all but root
    (tmp_path / "spark-2.log").touch()
    for log in tmp_path.iterdir():
        os.utime(log, (0, 0))
    forget_old_logs(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["spark-1.log"]


def test_engines_of_a_project_that_cannot_be_written_keep_their_logs_elsewhere(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert log_folder(settings) == tmp_path.resolve() / ".dataos" / "logs"
    (tmp_path / "other").mkdir()
    other = load_settings(tmp_path / "other")
    (tmp_path / "other" / ".dataos").write_text("no folder")
    assert log_folder(other) == log_folder(None)
    assert log_folder(None).name.endswith(f"-{os.getuid()}")


def test_an_engine_that_closes_its_output_goes_on(tmp_path: Path) -> None:
    script = "exec >&- 2>&-; sleep 600"
    child = Child("silent", ["bash", "-c", script], environment=dict(os.environ), log=tmp_path / "log")
    time.sleep(0.3)
    assert child.is_running()
    child.close()


def test_an_engine_outlives_the_thread_that_started_it(own: Sessions) -> None:
    found: list[EngineSession] = []
    thread = threading.Thread(target=lambda: found.append(own.get(SAIL)))
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert found[0].spark.sql("select 1 as a").collect()[0].a == 1


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "grpc_proxy"])
def test_a_proxy_of_the_environment_does_not_stand_between_us_and_our_engine(own, monkeypatch, variable) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert own.get(SAIL).spark.sql("select 1 as a").collect()[0].a == 1


def test_one_configuration_has_one_session(own: Sessions) -> None:
    assert own.get(SAIL).spark is own.get(SessionConfiguration("sail")).spark


def test_a_session_property_shares_the_engine_and_not_the_session(own: Sessions) -> None:
    berlin = SessionConfiguration("sail", conf=(("spark.sql.session.timeZone", "Europe/Berlin"),))
    plain, other = own.get(SAIL), own.get(berlin)
    assert plain.process == other.process
    assert plain.spark is not other.spark
    zones = [session.spark.conf.get("spark.sql.session.timeZone") for session in (plain, other)]
    assert zones == ["UTC", "Europe/Berlin"]


def test_two_identities_are_two_children_with_only_their_own_credentials(
    own: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-somebody-else")
    one, other = (
        own.get(SessionConfiguration("sail", environment=(("AWS_ACCESS_KEY_ID", SecretStr(key)),)))
        for key in ("one", "two")
    )
    assert one.process is not None
    assert other.process is not None
    assert one.process != other.process
    if sys.platform == "linux":
        environment = Path(f"/proc/{one.process.pid}/environ").read_bytes().split(b"\0")
        assert b"AWS_ACCESS_KEY_ID=one" in environment
        assert not any(entry.startswith(b"AWS_SESSION_TOKEN") for entry in environment)


def test_settings_and_secrets_of_ours_do_not_reach_an_engine(own: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAOS_SECRET_SHOP", "hidden")
    process = own.get(SAIL).process
    assert process is not None
    if sys.platform == "linux":
        assert b"hidden" not in Path(f"/proc/{process.pid}/environ").read_bytes()


def test_sessions_start_with_ansi_off_in_utc(engine_session: EngineSession) -> None:
    conf = engine_session.spark.conf
    assert (conf.get("spark.sql.ansi.enabled"), conf.get("spark.sql.session.timeZone")) == ("false", "UTC")
    assert engine_session.spark.sql("select 2147483647 + 1 as a").collect()[0].a == -(2**31)


def test_a_killed_engine_is_a_crash_that_a_retry_survives(own: Sessions) -> None:
    session = own.get(SAIL)
    assert session.process is not None
    os.kill(session.process.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed, match="SIGKILL") as raised, session.failures():
        session.spark.sql("select 1").collect()
    assert raised.value.retryable
    assert own.get(SAIL).spark.sql("select 1 as a").collect()[0].a == 1


def test_an_engine_that_is_killed_under_a_query_ends_the_query_at_once(own: Sessions) -> None:
    session = own.get(SAIL)
    process = session.process
    assert process is not None
    threading.Timer(0.5, lambda: os.kill(process.pid, signal.SIGKILL)).start()
    # It would take longer than a test may.
    query = "select count(*) from range(2000000000) a join range(3000) b on a.id % 7 = b.id % 5"
    with pytest.raises(EngineCrashed), session.failures():
        session.spark.sql(query).collect()


def test_errors_are_the_engines_own_words(engine_session: EngineSession) -> None:
    with pytest.raises(StatementFailed, match="nope") as raised, engine_session.failures():
        engine_session.spark.sql("select nope from range(3)").collect()
    assert "\tat " not in raised.value.message
    assert "JVM stacktrace" not in raised.value.message
    assert "Project [" not in raised.value.message


def test_spark_names_its_error_class(spark_session: EngineSession) -> None:
    with pytest.raises(StatementFailed, match=r"^\[UNRESOLVED_COLUMN") as raised, spark_session.failures():
        spark_session.spark.sql("select nope from range(3)").collect()
    assert "Did you mean" in raised.value.message


def test_spark_refuses_who_has_no_token(spark_session: EngineSession) -> None:
    endpoint = spark_session.endpoint
    assert endpoint.token is not None
    for token in (None, SecretStr("guessed")):
        with pytest.raises(EngineUnavailable, match="cannot be used"):
            open_session(Endpoint(endpoint.url, token), {})


def test_no_secret_is_on_the_command_line_of_spark(spark_session: EngineSession) -> None:
    assert spark_session.process is not None
    assert spark_session.endpoint.token is not None
    if sys.platform == "linux":
        line = Path(f"/proc/{spark_session.process.pid}/cmdline").read_bytes()
        assert spark_session.endpoint.token.get_secret_value().encode() not in line


def test_engines_listen_on_loopback_only(engine_session: EngineSession) -> None:
    host = engine_session.endpoint.url.removeprefix("sc://").split(":")[0]
    assert host in {"127.0.0.1", "localhost"}
    if sys.platform == "linux":
        port = int(engine_session.endpoint.url.rpartition(":")[2])
        assert _listeners(port) <= {"0100007F", "0000000000000000FFFF00000100007F"}


def _listeners(port: int) -> set[str]:
    """Return the addresses on which somebody listens at this port, as the kernel writes them."""
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    listening = "0A"
    return {
        fields[1].split(":")[0] for fields in lines if fields[3] == listening and fields[1].endswith(f":{port:04X}")
    }


def test_a_smaller_spark_is_served_by_a_larger_one() -> None:
    large = SPARK.server
    small = SessionConfiguration("spark", conf=SPARK.conf, packages=SPARK.packages[:1], driver_memory="512m").server
    assert large.serves(small)
    assert not small.serves(large)


def test_a_spark_of_which_no_size_was_asked_serves_jobs_of_its_default_size() -> None:
    started = SessionConfiguration("spark").server.as_started
    assert started.serves(SessionConfiguration("spark", driver_memory="2g").server)
    assert not started.serves(SessionConfiguration("spark", driver_memory="3g").server)


def test_the_heap_of_spark_is_the_size_that_was_asked_for(spark_session: EngineSession) -> None:
    assert spark_session.process is not None
    if sys.platform == "linux":
        line = Path(f"/proc/{spark_session.process.pid}/cmdline").read_bytes().split(b"\0")
        assert b"-Xmx1024m" in line


@pytest.fixture
def started(spark_session: EngineSession, monkeypatch: pytest.MonkeyPatch) -> list[ServerConfiguration]:
    """Return what Sparks are started with; each of them is that of the tests."""
    from dataos_dagster.engines import spark

    found: list[ServerConfiguration] = []

    def start(wanted: ServerConfiguration, *_: object) -> Endpoint:
        found.append(wanted)
        return Endpoint(spark_session.endpoint.url, spark_session.endpoint.token)

    monkeypatch.setattr(spark, "start_spark", start)
    return found


def test_where_the_settings_say_what_heap_there_is_all_sizes_share_one_spark(
    started: list[ServerConfiguration], tmp_path: Path
) -> None:
    from dataos_dagster.engines.spark import _properties

    settings = SparkSettings(conf={"spark.driver.memory": "1g"})
    with Sessions(Settings(project=tmp_path, engines=EngineSettings(spark=settings))) as own:
        for size in ("512m", "4g", None):
            session = own.get(SessionConfiguration("spark", driver_memory=size))
            assert session.spark.sql("select 1 as a").collect()[0].a == 1
    [wanted] = started
    properties = _properties(wanted, settings, (), tmp_path, require_java())
    assert properties["spark.driver.memory"] == "1g"


def test_a_larger_spark_takes_the_place_of_smaller_ones_that_nobody_uses(
    started: list[ServerConfiguration], own: Sessions
) -> None:
    small, medium, large = (SessionConfiguration("spark", driver_memory=size) for size in ("1g", "2g", "3g"))
    with own.lease(small):
        pass
    with own.lease(medium) as used:
        assert [server.configuration for server in own._servers] == [medium.server]
        with own.lease(large):
            assert [server.configuration for server in own._servers] == [medium.server, large.server]
        assert used.spark.sql("select 1 as a").collect()[0].a == 1
    with own.lease(small) as session:
        assert session.spark.sql("select 1 as a").collect()[0].a == 1
    assert started == [small.server, medium.server, large.server]


def test_an_idle_engine_is_closed_and_starts_again_when_wanted(tmp_path: Path) -> None:
    with Sessions(Settings(project=tmp_path, engines=EngineSettings(idle_seconds=0.2))) as own:
        with own.lease(SAIL) as session:
            first = session.process
            time.sleep(0.6)
            assert first is not None
            assert first.is_running()
        assert first.wait(5)
        with own.lease(SAIL) as session:
            assert session.process != first
            assert session.spark.sql("select 1 as a").collect()[0].a == 1


def test_closing_ends_every_engine(tmp_path: Path) -> None:
    with Sessions(engine_settings(tmp_path)) as own:
        process = own.get(SAIL).process
        assert process is not None
    assert not process.is_running()
    own.close()


def test_closing_ends_an_engine_that_is_just_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataos_dagster.engines import sail

    started, closing, real = threading.Event(), threading.Event(), sail.start_sail
    endpoints: list[Endpoint] = []
    errors: list[EngineUnavailable] = []

    def start(*arguments: Any) -> Endpoint:
        endpoints.append(real(*arguments))
        started.set()
        closing.wait(30)
        return endpoints[0]

    def work() -> None:
        try:
            with own.lease(SAIL):
                pass
        except EngineUnavailable as error:
            errors.append(error)

    monkeypatch.setattr(sail, "start_sail", start)
    own = Sessions(engine_settings(tmp_path))
    worker = threading.Thread(target=work)
    worker.start()
    assert started.wait(30)
    threading.Timer(0.3, closing.set).start()
    own.close()
    worker.join(30)
    assert not worker.is_alive()
    [endpoint] = endpoints
    assert endpoint.child is not None
    assert not endpoint.child.is_running()
    assert "the run is ending" in errors[0].message


def test_interrupting_cancels_what_runs(own: Sessions) -> None:
    session = own.get(SAIL)
    threading.Timer(0.5, own.interrupt).start()
    query = "select count(*) from range(2000000000) a join range(3000) b on a.id % 7 = b.id % 5"
    with pytest.raises(StatementFailed), session.failures():
        session.spark.sql(query).collect()
    assert session.spark.sql("select 1 as a").collect()[0].a == 1


def test_an_existing_endpoint_is_used_and_left_alone(own: Sessions, tmp_path: Path) -> None:
    ours = own.get(SAIL)
    settings = Settings(project=tmp_path, engines=EngineSettings(connect=ConnectSettings(url=ours.endpoint.url)))
    with Sessions(settings) as elsewhere:
        session = elsewhere.get(SessionConfiguration("connect"))
        assert session.process is None
        assert session.spark.sql("select 1 as a").collect()[0].a == 1
    assert ours.spark.sql("select 2 as a").collect()[0].a == 2


def test_an_endpoint_that_nobody_configured_or_answers_says_so(tmp_path: Path) -> None:
    with Sessions(engine_settings(tmp_path)) as own, pytest.raises(EngineUnavailable) as raised:
        own.get(SessionConfiguration("connect"))
    assert "engines.connect.url" in str(raised.value)
    settings = Settings(project=tmp_path, engines=EngineSettings(connect=ConnectSettings(url="sc://127.0.0.1:9")))
    with Sessions(settings) as own, pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1:9"):
        own.get(SessionConfiguration("connect"))


def test_an_engine_that_cannot_start_shows_its_last_words(tmp_path: Path) -> None:
    command = ["sh", "-c", "sleep 0.3; echo no room >&2; exit 3"]
    child = Child("engine", command, environment=dict(os.environ), log=tmp_path / "log")
    with pytest.raises(EngineUnavailable, match="engine ended with status 3: no room"):
        child.wait_for(re.compile("ready"), 10)


def test_an_engine_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="engine ended"):
        Child("engine", ["/no/such/engine"], environment=dict(os.environ), log=tmp_path / "log").wait_for(
            re.compile("ready"), 10
        )


def test_a_reused_process_number_is_another_process() -> None:
    ours = EngineProcess.of(os.getpid())
    assert ours is not None
    assert ours.is_running()
    assert not EngineProcess(ours.pid, ours.started + "1").is_running()


def test_spark_without_java_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with Sessions(engine_settings(tmp_path)) as own, pytest.raises(EngineUnavailable, match="needs Java") as raised:
        own.get(SessionConfiguration("spark"))
    assert "openjdk-17" in str(raised.value)


def test_spark_says_which_java_it_does_not_run_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"25.0.1\" 2026-01-01' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with Sessions(engine_settings(tmp_path)) as own, pytest.raises(EngineUnavailable, match=r"Java 25\.0\.1"):
        own.get(SessionConfiguration("spark"))


def test_a_session_that_is_garbage_does_not_end_the_threads_of_others(own: Sessions) -> None:
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator as Iterator

    session = own.get(SAIL)
    session.spark.sql("select 1").collect()
    threads = Iterator._release_thread_pool_instance
    assert threads is not None
    open_session(session.endpoint, {}).client.close()
    assert Iterator._release_thread_pool_instance is threads
    assert session.spark.sql("select 1 as a").collect()[0].a == 1


def test_an_engine_that_is_kept_outlives_a_job_that_wanted_it_once(own: Sessions) -> None:
    kept = own.get(SAIL)
    with own.lease(SAIL, once=True) as leased:
        assert leased.endpoint is kept.endpoint
    assert kept.spark.sql("select 1 as a").collect()[0].a == 1


def test_sessions_open_and_close_in_many_threads_at_once(own: Sessions) -> None:
    endpoint = own.get(SAIL).endpoint
    found: list[int] = []

    def query() -> None:
        for number in range(5):
            session = open_session(endpoint, {})
            found.append(session.sql(f"select {number} as a").collect()[0].a)
            session.stop()

    threads = [threading.Thread(target=query) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == sorted(list(range(5)) * 4)


def test_spark_starts_from_an_archive_of_its_classes(
    tmp_path: Path, java: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAOS_CACHE", str(tmp_path / "cache"))
    runtime = require_java()
    assert archive_option(runtime) is None
    archive = write_archive(runtime, engine_settings(tmp_path))
    assert archive_option(runtime) == f"-XX:SharedArchiveFile={archive}"
    assert [file.name for file in archive.parent.iterdir()] == [archive.name]
    # With this the JVM refuses to start when it cannot use the archive.
    conf = {"spark.driver.extraJavaOptions": "-Xshare:on"}
    settings = Settings(project=tmp_path, engines=EngineSettings(spark=SparkSettings(master="local[2]", conf=conf)))
    with Sessions(settings) as own:
        assert own.get(SessionConfiguration("spark")).spark.sql("select 1 as a").collect()[0].a == 1

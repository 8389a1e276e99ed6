"""Jobs on clusters: a standalone one of Spark, and one behind a Spark Connect server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from servers.spark_cluster import start_cluster

from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import EngineCrashed

ORDERS = "dataos://lakehouse:sales/orders"
TARGET = "dataos://lakehouse:sales/target"
JOB = f"""
inputs:
  - {{name: orders, dataset: "{ORDERS}"}}
steps:
  - sequence:
      - {{name: made, sql: "SELECT region, count(*) AS n, sum(amount) AS total FROM orders GROUP BY region"}}
outputs:
  - {{name: made, dataset: "{TARGET}?acl=rw"}}
"""
# Minutes of work that no optimiser takes away.
ENDLESS = f"""
inputs:
  - {{name: orders, dataset: "{ORDERS}"}}
steps:
  - sequence:
      - name: made
        sql: |
          SELECT count(*) AS n FROM range(4000000000) a JOIN range(3000) b ON a.id % 7 = b.id % 5
          WHERE a.id IN (SELECT max(id) FROM orders)
outputs:
  - {{name: made, dataset: "{TARGET}?acl=rw"}}
"""
# Appends what is new, and takes some seconds for it where it is told to.
APPENDED = f"""
inputs:
  - name: orders
    dataset: "{ORDERS}"
    incremental:
      context: all_orders
      sql: SELECT * FROM all_orders WHERE id > $|last| AND id <= $|newest|
      keys:
        - {{{{name: last, sql: select -1}}}}
        - {{{{name: newest, sql: select max(id) from all_orders where id > $|last|}}}}
      state: [{{{{key: last, value: newest}}}}]
steps:
  - sequence:
      - {{{{name: made, sql: "SELECT id, {{pause}} AS paused FROM orders"}}}}
outputs:
  - {{{{name: made, dataset: "{TARGET}?acl=rw", options: {{{{saveMode: append}}}}}}}}
"""
PAUSE = "(SELECT count(*) FROM range(2000000000) a JOIN range(3) b ON a.id % 7 = b.id % 5) < 0"
ROWS = "SELECT id, concat('r', id % 3) AS region, cast(id * 1.5 AS decimal(10,2)) AS amount FROM range(30)"
EXPECTED = [("r0", 10, 202.5), ("r1", 10, 217.5), ("r2", 10, 232.5)]


@pytest.fixture
def seeded(sail_project):
    sail_project.seed(ORDERS, ROWS)
    return sail_project


def totals(project) -> list[tuple[object, ...]]:
    project.engine = "sail"
    return [(region, n, float(total)) for region, n, total in project.table(TARGET)[1]]


def connected(project, spark_session) -> None:
    """Let a project's jobs go to the tests' Spark as to a cluster that somebody else runs."""
    endpoint = spark_session.endpoint
    token = endpoint.token.get_secret_value()
    project.write("dataos.yaml", f"engines: {{connect: {{url: '{endpoint.url}', token: '{token}'}}}}\n")
    project.engine = "connect"


def test_a_standalone_cluster_runs_a_job(seeded, spark_jars, tmp_path):
    cluster = start_cluster(tmp_path)
    try:
        conf = "spark.driver.host: 127.0.0.1, spark.driver.bindAddress: 127.0.0.1"
        seeded.write("dataos.yaml", f"engines: {{spark: {{master: '{cluster.url}', conf: {{{conf}}}}}}}\n")
        seeded.engine = "spark"
        with Sessions(seeded.settings) as sessions:
            shared, seeded.sessions = seeded.sessions, sessions
            size = {"executor": {"memory": "600m", "cores": 1, "instances": 1}}
            # Executors have the environment that their worker was started with, and what they are told besides.
            seeded.write("reading.py", "import os\n\n\ndef variable(name):\n    return os.environ.get(name)\n")
            seen = JOB.replace("AS total FROM", "AS total, max(variable('JOBS_TOKEN')) AS seen FROM")
            udfs = "udfs: {variable: {python: 'reading:variable', returns: string}}"
            result = seeded.run_job(udfs + seen, extra=size, beside={"envs": {"JOBS_TOKEN": "tulip-1637"}})
            assert result.engine == "spark"
            assert cluster.executors() >= 1
            assert cluster.heaps() == {"600M"}
        seeded.sessions = shared
        seeded.engine = "sail"
        rows = seeded.table(TARGET)[1]
        assert [(region, n, float(total)) for region, n, total, _ in rows] == EXPECTED
        assert {token for *_, token in rows} == {"tulip-1637"}
    finally:
        sys.modules.pop("reading", None)
        cluster.stop()


def test_a_connect_server_runs_a_job_and_goes_on_afterwards(seeded, spark_session):
    connected(seeded, spark_session)
    with Sessions(seeded.settings) as sessions:
        shared, seeded.sessions = seeded.sessions, sessions
        result = seeded.run_job(JOB)
    seeded.sessions = shared
    assert result.engine == "connect"
    assert any("a session cannot set spark.sql.extensions=" in note for note in result.notes)
    assert totals(seeded) == EXPECTED
    assert spark_session.spark.sql("SELECT 1 AS one").collect()[0].one == 1


def _interrupted(project, engine: str, server: int | None = None) -> tuple[int, int]:
    """Run the project's job as a user does and press Ctrl-C while Spark works.

    Args:
        project: The project.
        engine: Which engine the command is given.
        server: Process id of the JVM that is to work; None for one that the command starts.

    Returns:
        The command's exit status, and the process id of the JVM that worked.
    """
    command = [str(Path(sys.executable).with_name("dataos")), "run", str(project.folder), "--engine", engine]
    said = project.folder / "said"
    with (
        said.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True) as running,
    ):
        try:
            working = _wait_for_work(running, server, said)
            running.send_signal(signal.SIGINT)
            return running.wait(60), working
        finally:
            running.kill()


def _wait_for_work(running: subprocess.Popen[bytes], server: int | None, said: Path) -> int:
    """Wait until the Spark of a command computes, and a second longer; return its process id."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert running.poll() is None, said.read_text()
        working = next((pid for pid in _working() if pid == server or running.pid in _ancestors(pid)), None)
        if working is not None:
            time.sleep(1)
            return working
        time.sleep(0.2)
    raise AssertionError(f"no task began: {said.read_text()}")


def _working() -> set[int]:
    """Return the ids of processes in which a Spark task runs: its threads are named after their tasks."""
    found = set()
    for name in Path("/proc").glob("[0-9]*/task/[0-9]*/comm"):
        try:
            if name.read_text().startswith("Executor task l") and _stat(name.parent)[0] == "R":
                found.add(int(name.parts[2]))
        except OSError:
            continue
    return found


def _ancestors(pid: int) -> set[int]:
    found: set[int] = set()
    try:
        while pid > 1:
            pid = int(_stat(Path("/proc", str(pid)))[1])
            found.add(pid)
    except OSError:
        pass  # it has ended meanwhile
    return found


def _stat(folder: Path) -> list[str]:
    """Return the fields of a process or thread from its state on: state, parent, …."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def test_an_interrupt_ends_a_job_on_spark_and_spark_itself(seeded, spark_jars):
    seeded.write_job(ENDLESS)
    seeded.write("dataos.yaml", "engines: {spark: {master: 'local[2]'}}\n")
    status, spark = _interrupted(seeded, "spark")
    assert status != 0
    assert not Path("/proc", str(spark)).exists()
    assert not (seeded.folder / ".dataos" / "lakehouse" / "sales" / "target" / "data").exists()


def test_an_interrupt_ends_a_job_on_someone_elses_cluster_and_leaves_the_cluster(seeded, spark_session):
    seeded.write_job(ENDLESS)
    connected(seeded, spark_session)
    status, server = _interrupted(seeded, "connect", spark_session.process.pid)
    assert (status != 0, server) == (True, spark_session.process.pid)
    deadline = time.monotonic() + 30
    while server in _working() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert server not in _working(), "the job still computes on the cluster"
    assert spark_session.spark.sql("SELECT 1 AS one").collect()[0].one == 1
    # A file may have been begun; nothing of it is committed.
    assert not list((seeded.folder / ".dataos" / "lakehouse" / "sales" / "target").rglob("snap-*.avro"))


def test_a_jvm_that_is_killed_under_a_write_leaves_the_table_whole_and_the_job_runs_again(seeded, spark_jars):
    seeded.engine = "sail"
    seeded.run_job(JOB)
    seeded.engine = "spark"
    data = seeded.folder / ".dataos" / "lakehouse" / "sales" / "target" / "data"
    present = set(data.iterdir())
    killed: list[int] = []

    with Sessions(seeded.settings) as sessions:
        shared, seeded.sessions = seeded.sessions, sessions

        def kill_at_a_new_file() -> None:
            while not killed and not stop.wait(0.005):
                if set(data.iterdir()) - present:
                    [server] = sessions._servers
                    killed.append(server.endpoint.child.process.pid)
                    os.kill(killed[0], signal.SIGKILL)

        stop = threading.Event()
        watcher = threading.Thread(target=kill_at_a_new_file)
        watcher.start()
        try:
            seeded.run_job(JOB.replace('?acl=rw"', '?acl=rw", options: {saveMode: append}'))
        except EngineCrashed:
            pass  # killed between the commit and its answer: as after the write, and not written again
        finally:
            stop.set()
            watcher.join()
        seeded.sessions = shared
    assert killed
    assert totals(seeded) == sorted([*EXPECTED, *EXPECTED])


def test_what_a_killed_run_left_on_a_connect_server_is_ended_and_written_once(sail_project, spark_session):
    project = sail_project
    project.seed(ORDERS, "SELECT id FROM range(3)")
    project.seed(TARGET, "SELECT CAST(-1 AS BIGINT) AS id, false AS paused")
    shared = project.sessions
    connected(project, spark_session)
    project.write_job(APPENDED.format(pause=PAUSE))
    lock = project.folder / ".dataos" / "lakehouse" / "sales" / ".target.lock"
    command = [sys.executable, "-m", "dataos_dagster", "run", str(project.folder), "--engine", "connect"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while spark_session.endpoint.url.removeprefix("sc://") not in lock.read_text():
            assert run.poll() is None
            time.sleep(0.05)
        begun = time.monotonic()
        time.sleep(1)
        run.kill()
    # The server knows nothing of that, and would have added the rows some seconds from now.
    with Sessions(project.settings) as project.sessions:
        [outcome] = project.run_job(APPENDED.format(pause="false")).outputs
    assert outcome.rows == 3
    time.sleep(max(0.0, begun + 25 - time.monotonic()))
    project.sessions, project.engine = shared, "sail"
    assert [row[0] for row in project.table(TARGET)[1]] == [-1, 0, 1, 2]

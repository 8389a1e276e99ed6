"""Maintenance of a table that others write too: incremental jobs, writers that died, engines that are killed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from sessions import engine_settings

from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.settlement import Settlement
from dataos_dagster.engines.session import Sessions
from dataos_dagster.state.intents import Intent
from dataos_dagster.workflows.results import Reporter

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "dataos://lakehouse:retail/source"
TABLE = "dataos://lakehouse:retail/orders"
LOAD = f"""
inputs:
  - name: source
    dataset: {SOURCE}
    incremental:
      context: all_rows
      sql: SELECT * FROM all_rows WHERE id > $|last| AND id <= $|newest|
      keys:
        - {{name: last, sql: select -1}}
        - {{name: newest, sql: select max(id) from all_rows where id > $|last|}}
      state:
        - {{key: last, value: newest}}
outputs:
  - {{name: source, dataset: "dataos://lakehouse:retail/orders", options: {{saveMode: append}}}}
"""
NEVER_RAN = 2**22 + 1  # above every process number of Linux


def load(lake, count):
    """Run the incremental job on a source of so many rows, and return its result."""
    lake.writer.seed(SOURCE, f"SELECT id FROM range({count})")
    return lake.writer.run_job(LOAD, name="load")


def ids(lake):
    return sorted(row[0] for row in lake.rows())


def kill_before_the_note(lake, *, marked, before):
    """Leave things as if the loading process had been killed between the commit of the rows and the note of it."""
    from sqlalchemy import update

    from dataos_dagster.state.models import IntentOutputRow, IntentRow

    state = lake.writer.state
    with state.database.writing() as session:
        session.execute(update(IntentRow).values(status="open"))
        session.execute(update(IntentOutputRow).values(status="writing", marked=marked, before=before))
    [intent] = state.intents.unfinished()
    holder = replace(Holder.this_process("ann", None, intent.writes[0].token), pid=NEVER_RAN)
    lake.folder.with_name(".orders.lock").write_text(json.dumps(asdict(holder)))


def test_an_incremental_job_goes_on_where_it_was_and_deleted_rows_stay_away(sail_lake):
    load(sail_lake, 4)
    sail_lake.run("{name: delete_from_dataset, deleteWhere: id < 2}")
    load(sail_lake, 6)
    assert ids(sail_lake) == [2, 3, 4, 5]
    sail_lake.run("{name: delete_from_dataset, deleteWhere: id >= 5}")
    assert ids(sail_lake) == [2, 3, 4]
    load(sail_lake, 6)
    assert ids(sail_lake) == [2, 3, 4]


def test_what_a_writer_that_died_had_begun_is_settled_before_rows_are_deleted(sail_lake):
    load(sail_lake, 2)
    before = sail_lake.snapshots()[-1]
    load(sail_lake, 4)
    kill_before_the_note(sail_lake, marked=False, before=before)

    sail_lake.run("{name: delete_from_dataset, deleteWhere: id = 3}")

    # Afterwards nobody could tell any more whose change of the table it was.
    [intent] = sail_lake.writer.state.intents.unfinished()
    assert intent.writes[0].status == "written"
    result = load(sail_lake, 4)
    assert any("it had written everything" in note for note in result.notes)
    assert ids(sail_lake) == [0, 1, 2]


def test_the_snapshot_by_which_a_write_is_known_expires_only_after_it_is_settled(spark_lake):
    load(spark_lake, 3)
    kill_before_the_note(spark_lake, marked=True, before=None)
    spark_lake.write("SELECT 100L AS id")
    with spark_lake.writer.state.database.writing() as session:  # that write has settled it: once more, as it was
        from sqlalchemy import update

        from dataos_dagster.state.models import IntentOutputRow

        session.execute(update(IntentOutputRow).values(status="writing"))

    [done] = spark_lake.run("{name: expire_snapshots, options: {olderThanTimestamp: '2100-01-01'}}")

    assert done.counts["snapshots_left"] == 1
    load(spark_lake, 3)
    assert ids(spark_lake) == [0, 1, 2, 100]


def test_what_was_begun_on_a_branch_is_settled_before_its_snapshots_expire(spark_lake):
    spark_lake.write("SELECT 1 AS id", "overwrite")
    intents = spark_lake.writer.state.intents
    intents.claim("public/daily/audit", "", "run-1")
    intent = intents.plan(Intent("public/daily/audit", "", "run-1"), [f"{TABLE}#audit"])
    token = intent.writes[0].token
    intents.begin(token, before=None, marked=True)
    elsewhere = Settlement(intents, "another dataset")  # so that nobody but the maintenance settles
    spark_lake.write("SELECT 2 AS id", branch="audit", mark=token, settlement=elsewhere)
    spark_lake.write("SELECT 3 AS id", branch="audit", settlement=elsewhere)

    spark_lake.run("{name: expire_snapshots, options: {olderThanTimestamp: '2100-01-01'}}")

    [write] = intents.find("public/daily/audit").writes
    assert write.status == "written"
    assert len(spark_lake.snapshots()) == 2
    assert spark_lake.rows(branch="audit") == [(1,), (2,), (3,)]


@dataclass
class Killer(Reporter):
    """Kills the engine of a job once: at the beginning of a step, or when a file appears after that."""

    sessions: Sessions
    step: str
    folder: Path | None = None
    notes: list[str] = field(default_factory=list)
    _watch: threading.Thread | None = None

    def step_started(self, job_id: str, label: str) -> None:
        if self._watch is None and label.endswith(f'"{self.step}"'):
            known = set(self.folder.rglob("*")) if self.folder else set()
            self._watch = threading.Thread(target=self._kill, args=(known,))
            self._watch.start()
            if self.folder is None:
                self._watch.join()

    def note(self, job_id: str, text: str) -> None:
        self.notes.append(text)

    def _kill(self, known: set[Path]) -> None:
        deadline = time.monotonic() + 60
        while self.folder is not None and set(self.folder.rglob("*")) <= known:
            assert time.monotonic() < deadline, "nothing was written"
            time.sleep(0.002)
        [server] = self.sessions._servers
        os.kill(server.endpoint.child.process.pid, signal.SIGKILL)


@pytest.fixture
def killing(tmp_path):
    """Return a function that lets the engine of a project's jobs be killed once; it is an engine of its own."""
    with Sessions(engine_settings(tmp_path)) as own:

        def prepare(lake, step, folder=None):
            lake.jobs.sessions, lake.jobs.reporter = own, Killer(own, step, folder)
            return lake.jobs.reporter

        yield prepare


def test_rows_are_deleted_once_when_the_engine_is_killed_before(sail_lake, killing):
    sail_lake.write("SELECT id FROM range(5)", "overwrite")
    killer = killing(sail_lake, "delete_from_dataset")

    [done] = sail_lake.run("{name: delete_from_dataset, deleteWhere: id > 2}")

    assert done.counts == {"rows_deleted": 2}
    assert ids(sail_lake) == [0, 1, 2]
    assert any("the job starts again" in note for note in killer.notes)


def test_a_table_is_whole_when_the_engine_is_killed_in_the_middle_of_a_compaction(spark_lake, killing):
    for number in range(4):
        spark_lake.write(f"SELECT id FROM range({number * 10}, {number * 10 + 3})", "append" if number else "overwrite")
    before, many = spark_lake.rows(), spark_lake.files()
    jobs = spark_lake.jobs
    spark_lake.writer = replace(jobs)  # the rows are read on the engine that lives
    killer = killing(spark_lake, "rewrite_dataset", spark_lake.folder / "data")

    done, orphans = spark_lake.run(
        "{name: rewrite_dataset, options: {properties: {min-input-files: 2}}}",
        "{name: remove_orphans, options: {olderThanTimestamp: '2100-01-01', allowRecent: true}}",
    )

    assert any("the job starts again" in note for note in killer.notes)
    assert spark_lake.rows() == before
    assert done.counts["data_files_after"] == 1
    assert orphans.counts["orphan_files"] >= 1  # what the killed attempt had written
    assert len(spark_lake.files()) == len(many) + 1

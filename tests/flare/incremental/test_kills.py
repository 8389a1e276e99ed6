"""Jobs whose process or engine is killed at any moment: no row is lost, and none is there twice.

Each scenario runs one incremental job, window after window, and kills it: our process or the engine's, by the clock, at
a new data file, or at a new commit. In the end the tables are compared with those of a twin that nobody killed.
`make kills` kills more often than a build has time for.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import pytest

WORKER = Path(__file__).parents[2] / "builders" / "kill_a_job.py"
SEED = os.environ.get("DATAOS_SEED", "20261122")
KILLS = int(os.environ.get("DATAOS_KILLS", "3"))
ROWS = 40
SOURCE = "dataos://lakehouse:kills/source"
MOMENTS = ("clock", "file", "commit")
# So long nothing may take, or it hangs.
PATIENCE = 120

JOB = """
inputs:
  - name: orders
    dataset: dataos://lakehouse:kills/source
    incremental:
      context: all_orders
      sql: SELECT * FROM all_orders WHERE id > $|start| AND id <= $|end|
      keys:
        - {{name: start, sql: select 0}}
        - {{name: end, sql: select $|start| + {rows}}}
      state:
        - {{key: start, value: end}}
outputs:
{outputs}
"""
OPTIONS = {
    "append": "{saveMode: append}",
    # Twice the same window would count twice.
    "merge": "{iceberg: {merge: {onClause: old.bucket = new.bucket, whenClause: "
    '"MATCHED THEN UPDATE SET old.id = old.id + new.id, old.size = old.size + 1 WHEN NOT MATCHED THEN INSERT *"}}}',
    "overwrite": "{saveMode: overwrite, iceberg: {properties: {overwrite-mode: dynamic}, "
    "partitionSpec: [{type: identity, column: part}]}}",
}
QUERY = f"""
SELECT id, id % 10 AS bucket, floor((id - 1) / {ROWS}) AS part, CAST(1 AS BIGINT) AS size
FROM (SELECT CAST(id AS BIGINT) AS id FROM range(1, {ROWS} * 400 + 1))
"""
# One row a key in each window: a merge does not know which of two rows counts.
MERGED = QUERY.replace("id % 10", f"id % {ROWS}")


def targets(outputs: int) -> list[str]:
    return [f"dataos://lakehouse:kills/target_{number}" for number in range(outputs)]


def job_of(mode: str, outputs: int) -> str:
    entries = [f'  - {{name: orders, dataset: "{to}", options: {OPTIONS[mode]}}}' for to in targets(outputs)]
    return JOB.format(rows=ROWS, outputs="\n".join(entries))


@dataclass
class Worker:
    """A process that runs the job again and again."""

    folder: Path
    engine: str
    runs: int = 1_000_000
    engine_pid: int | None = None
    said: Queue[str] = field(default_factory=Queue)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start it."""
        paths = [str(WORKER.parent), str(WORKER.parents[1] / "engines"), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [sys.executable, WORKER, self.folder, self.engine, str(self.runs)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with self.process.stdout as lines:
            for line in lines:
                word, _, rest = line.strip().partition(" ")
                if word == "engine":
                    self.engine_pid = int(rest)
                if word == "failed":
                    self.failures.append(rest)
                self.said.put(word)
        self.said.put("ended")

    def hear(self, *words: str) -> str:
        """Wait until it says one of these words."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                word = self.said.get(timeout=1)
            except Empty:
                continue
            if word in words or word == "ended":
                return word
        raise AssertionError(f"nothing of {words} in {PATIENCE} s; failures: {self.failures[-3:]}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


@dataclass
class Killer:
    """Kills at chosen moments."""

    folder: Path
    engine: str
    outputs: int
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    worker: Worker | None = None

    def kill_once(self, victim: str, moment: str) -> None:
        worker = self.worker or Worker(self.folder, self.engine)
        self.worker = worker
        if worker.engine_pid is None:
            worker.hear("engine")
        self._wait_for(moment)
        if victim == "ours":
            worker.kill()
            self.worker = None
        elif worker.engine_pid is not None:
            engine, worker.engine_pid = worker.engine_pid, None
            try:
                os.kill(engine, signal.SIGKILL)
            except ProcessLookupError:
                return
        self.kills[f"{victim} at {moment}"] += 1

    def finish(self) -> None:
        """End the worker, and run once in peace: what was left is finished."""
        if self.worker is not None:
            self.worker.kill()
        last = Worker(self.folder, self.engine, runs=2)
        while last.hear("done", "failed") != "ended":
            pass
        last.process.wait(30)
        assert last.failures == []

    def _wait_for(self, moment: str) -> None:
        if moment == "clock":
            time.sleep(self.chance.uniform(0.0, 1.0))
            return
        # Runs of the job follow each other, so that some file comes soon.
        folder = "metadata" if moment == "commit" else "data"
        target = self.chance.randrange(self.outputs)
        place = self.folder / ".dataos" / "lakehouse" / "kills" / f"target_{target}" / folder
        before, deadline = names_in(place), time.monotonic() + PATIENCE
        while names_in(place) <= before:
            assert time.monotonic() < deadline, f"no new file in {place}"
        time.sleep(self.chance.choice((0.0, 0.0, 0.002, 0.02)))


def names_in(folder: Path) -> set[str]:
    try:
        return {name for _, _, files in os.walk(folder) for name in files}
    except OSError:
        return set()


SAIL = [("sail", mode, outputs) for mode in OPTIONS for outputs in (1, 2)]
SPARK = [("spark", mode, outputs) for mode, outputs in (("append", 2), ("merge", 1), ("overwrite", 2))]
# A start of Spark takes longer than all else: a build kills it in one scenario only.
SCENARIOS = SAIL + (SPARK if "DATAOS_KILLS" in os.environ else SPARK[:1])


@pytest.mark.parametrize(("engine", "mode", "outputs"), SCENARIOS)
def test_kills_at_any_moment_lose_no_row_and_double_none(sail_project, request, engine, mode, outputs):
    if engine == "spark":
        request.getfixturevalue("spark_jars")
    kills = KILLS if engine == "sail" or "DATAOS_KILLS" in os.environ else 2
    project, chance = sail_project, random.Random(f"{SEED}{engine}{mode}{outputs}")
    project.seed(SOURCE, MERGED if mode == "merge" else QUERY)
    project.write_job(job_of(mode, outputs))
    killer = Killer(project.folder, engine, outputs, chance)
    plan = [(("ours", "engine")[number % 2], MOMENTS[number % 3]) for number in range(kills)]
    for victim, moment in plan:
        killer.kill_once(victim, moment)
    killer.finish()
    [watermark] = project.state.watermarks.find()
    windows = int(watermark.value) // ROWS
    killed = [Counter(map(tuple, project.table(to)[1])) for to in targets(outputs)]
    expected = [Counter(map(tuple, rows)) for rows in twin_of(project, windows, outputs)]
    lost = sum(sum((twin - rows).values()) for rows, twin in zip(killed, expected, strict=True))
    doubled = sum(sum((rows - twin).values()) for rows, twin in zip(killed, expected, strict=True))
    found = {"kills": killer.kills.total(), "windows": windows, "lost": lost, "doubled": doubled}
    report({"scenario": f"{engine}, {mode}, {outputs} output{'s' if outputs > 1 else ''}", **found})
    assert (lost, doubled) == (0, 0), (windows, killer.kills)


def report(found: dict[str, object]) -> None:
    """Hand the figures to whoever runs this for them (`make kills`)."""
    if path := os.environ.get("DATAOS_KILLS_RESULTS"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")


def twin_of(project, windows: int, outputs: int) -> list[list[tuple[object, ...]]]:
    """Return the tables of the same job when nobody kills it: the killed ones are moved away, and it starts anew."""
    lake = project.folder / ".dataos" / "lakehouse" / "kills"
    for number in range(outputs):
        (lake / f"target_{number}").rename(lake.parent / f"killed_{number}")
    [watermark] = project.state.watermarks.find()
    project.state.watermarks.set(watermark.at, "0")
    for _ in range(windows):
        [outcome] = project.run().outcomes
        assert outcome.error is None, outcome.error
    return [project.table(to)[1] for to in targets(outputs)]

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
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import pytest

WORKER = Path(__file__).parents[2] / "builders" / "kill_a_job.py"
SEED = os.environ.get("DATAOS_SEED", "20261122")
KILLS = int(os.environ.get("DATAOS_KILLS", "6"))
ROWS = 40
SOURCE = "dataos://lakehouse:kills/source"
VICTIMS = {"ours": "of our process", "engine": "of the engine"}
MOMENTS = {"clock": "by the clock", "file": "at a new data file", "commit": "at a new commit"}
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
class Workers:
    """Processes that run the job again and again, one at a time."""

    folder: Path
    engine: str
    pid: int | None = None
    engine_pid: int | None = None
    said: Queue[tuple[str, str]] = field(default_factory=Queue)

    def __post_init__(self) -> None:
        """Start the one that starts them."""
        paths = [str(WORKER.parent), str(WORKER.parents[1] / "engines"), os.environ.get("PYTHONPATH", "")]
        self.nursery = subprocess.Popen(
            [sys.executable, WORKER, self.folder, self.engine],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        with self.nursery.stdout as lines:
            for line in lines:
                word, _, rest = line.strip().partition(" ")
                self.said.put((word, rest))

    def start(self, runs: int = 1_000_000) -> None:
        self.nursery.stdin.write(f"{runs}\n")
        self.nursery.stdin.flush()
        self.pid, self.engine_pid = int(self.hear("worker")[1]), None

    def hear(self, *words: str) -> tuple[str, str]:
        """Wait until it says one of these words; what it says of engines is remembered."""
        deadline, heard = time.monotonic() + PATIENCE, []
        while time.monotonic() < deadline:
            try:
                word, rest = self.said.get(timeout=1)
            except Empty:
                continue
            heard.append((word, rest))
            if word == "engine":
                self.engine_pid = int(rest)
            if word in words:
                return word, rest
        raise AssertionError(f"nothing of {words} in {PATIENCE} s, but {heard[-5:]}")

    def close(self) -> None:
        if self.pid is not None:
            kill(self.pid)
        self.nursery.stdin.close()
        self.nursery.wait(30)
        self._listener.join(30)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@dataclass
class Killer:
    """Kills at chosen moments."""

    workers: Workers
    outputs: int
    chance: random.Random
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """Return how often what was killed, and when, in the words of the page of kills."""
        found = Counter({"kills": self.kills.total()})
        for (victim, moment), count in self.kills.items():
            found[VICTIMS[victim]] += count
            found[MOMENTS[moment]] += count
        return dict(found)

    def kill_once(self, victim: str, moment: str) -> None:
        workers = self.workers
        if workers.pid is None:
            workers.start()
        if workers.engine_pid is None:
            workers.hear("engine")
        self._wait_for(moment)
        if victim == "ours":
            kill(workers.pid)
            workers.pid = None
        else:
            kill(workers.engine_pid)
            workers.engine_pid = None
        self.kills[victim, moment] += 1

    def finish(self) -> None:
        """End the worker, and run twice in peace: what was left is finished."""
        if self.workers.pid is not None:
            kill(self.workers.pid)
        self.workers.start(2)
        ends = [self.workers.hear("done", "failed") for _ in range(2)]
        self.workers.hear("ended")
        self.workers.pid = None
        assert [word for word, _ in ends] == ["done", "done"], ends

    def _wait_for(self, moment: str) -> None:
        if moment == "clock":
            time.sleep(self.chance.uniform(0.0, 1.0))
            return
        # Runs of the job follow each other, so that some file comes soon.
        folder = "metadata" if moment == "commit" else "data"
        target = self.chance.randrange(self.outputs)
        place = self.workers.folder / ".dataos" / "lakehouse" / "kills" / f"target_{target}" / folder
        before, deadline = names_in(place), time.monotonic() + PATIENCE
        while names_in(place) <= before:
            assert time.monotonic() < deadline, f"no new file in {place}"
        time.sleep(self.chance.choice((0.0, 0.0, 0.002, 0.02)))


def names_in(folder: Path) -> set[str]:
    try:
        return {name for _, _, files in os.walk(folder) for name in files}
    except OSError:
        return set()


ALL = [(engine, mode, outputs) for engine in ("sail", "spark") for mode in OPTIONS for outputs in (1, 2)]
# A start of Spark takes longer than all else: a build kills it twice.
SAMPLE = [("sail", "append", 2), ("sail", "merge", 1), ("sail", "overwrite", 1), ("spark", "append", 2)]
SCENARIOS = ALL if "DATAOS_KILLS" in os.environ else SAMPLE


@pytest.mark.parametrize(("engine", "mode", "outputs"), SCENARIOS)
def test_kills_at_any_moment_lose_no_row_and_double_none(sail_project, request, engine, mode, outputs):
    if engine == "spark":
        request.getfixturevalue("spark_jars")
    kills = KILLS if engine == "sail" or "DATAOS_KILLS" in os.environ else 2
    project, chance = sail_project, random.Random(f"{SEED}{engine}{mode}{outputs}")
    project.seed(SOURCE, MERGED if mode == "merge" else QUERY)
    project.write_job(job_of(mode, outputs))
    workers = Workers(project.folder, engine)
    killer = Killer(workers, outputs, chance)
    try:
        for number in range(kills):
            killer.kill_once(list(VICTIMS)[number % 2], list(MOMENTS)[number % 3])
        killer.finish()
    finally:
        workers.close()
    [watermark] = project.state.watermarks.find()
    windows = int(watermark.value) // ROWS
    killed = [Counter(map(tuple, project.table(to)[1])) for to in targets(outputs)]
    expected = [Counter(map(tuple, rows)) for rows in twin_of(project, windows, outputs)]
    lost = sum(sum((twin - rows).values()) for rows, twin in zip(killed, expected, strict=True))
    doubled = sum(sum((rows - twin).values()) for rows, twin in zip(killed, expected, strict=True))
    report({**killer.counts(), "windows": windows, "rows lost": lost, "rows doubled": doubled})
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

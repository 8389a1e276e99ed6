"""Kill streams from Kafka to Iceberg, many times, and count messages: `kills_streams.py [COUNT] [--seconds N]`.

Without `--json` what was found is added to KILLS.md, and COUNT is what the page says in the end: a run that was given
few seconds is gone on with by the next one.

Two streams read one topic to which messages are written all the while. One is written by the engine (a job that ends,
run again and again), one batch by batch (a service that is started again and again). Each round starts one of them,
waits for a moment chosen by chance (by the clock, at a new offset file, at a new data file, at a new commit) and kills
our process or its engine with SIGKILL. In the end both run undisturbed, and both tables must hold every message once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kills_page

ROOT = Path(__file__).resolve().parents[1]
for folder in ("engines", "builders"):  # the real broker, and manifests of depots on it
    sys.path.insert(0, str(ROOT / "tests" / folder))

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = kills_page.Section(
    heading="Streams",
    words="""A stream reads a topic to which messages are written all the while, and writes a table. It is killed
(SIGKILL) in the middle of its batches: our process, or the engine's under it, by the clock, when a batch is
planned, at a new data file, or at a new commit. It is started again after each kill, and in the end every message
must be in the table once.""",
    name="written",
    columns=(
        "kills", "of our process", "of the engine", "by the clock", "at new offsets", "at a new data file",
        "at a new commit", "messages", "messages lost", "messages doubled",
    ),
    summary=("kills", "messages lost", "messages doubled"),
)  # fmt: skip
LINES = {"engine": "by Spark (AvailableNow)", "batches": "batch by batch (ProcessingTime)"}
MOMENTS = ("clock", "offsets", "data file", "commit")
VICTIMS = ("process", "engine")
SINKS = ("engine", "batches")
# Small batches, so that many commits are under way; a local Spark as small as a test machine.
PER_BATCH, MESSAGES_A_SECOND = 200, 400
SETTINGS = """
engines: {spark: {master: "local[2]", conf: {spark.sql.shuffle.partitions: "2"}}}
"""
JOB = """
name: {name}
version: v1
type: workflow
workflow:
  dag:
    - name: job
      spec:
        stack: flare:7.0
        stackSpec:
          driver: {{memory: 700m}}
          job:
            streaming: {{{streaming}, checkpointLocation: checkpoints/{name}}}
            inputs:
              - name: messages
                dataset: dataos://events:default/{topic}
                isStream: true
                options: {{startingOffsets: earliest, maxOffsetsPerTrigger: "{per_batch}"}}
            steps:
              - sequence:
                  - {{name: ids, sql: "SELECT CAST(CAST(value AS STRING) AS BIGINT) AS id FROM messages"}}
            outputs:
              - {{name: ids, dataset: "dataos://lakehouse:kills/{name}?acl=rw", options: {{saveMode: append}}}}
"""
STREAMING = {"engine": "triggerMode: AvailableNow", "batches": "triggerMode: ProcessingTime"}
_PATIENCE = 120.0


@dataclass
class Bench:
    """A project with two streams over one topic, and what has been done to them."""

    folder: Path
    kafka: Any
    topic: str
    chance: random.Random
    produced: int = 0
    kills: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def write_project(self) -> None:
        """Write the settings, the depot and the two streams."""
        (self.folder / "dataos.yaml").write_text(SETTINGS)
        depot = importlib.import_module("depot_manifests").kafka_depot(self.kafka.bootstrap)
        (self.folder / "depot.yaml").write_text(depot)
        for name in SINKS:
            text = JOB.format(name=name, streaming=STREAMING[name], topic=self.topic, per_batch=PER_BATCH)
            (self.folder / f"{name}.yaml").write_text(text)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start one of the streams."""
        command = [sys.executable, "-m", "dataos_dagster.flare.streaming.host", str(self.folder), f"public/{name}/job"]
        if name == "engine":
            command = [sys.executable, "-m", "dataos_dagster", "run", str(self.folder), "--select", name, "--json"]
        variables = {**os.environ, "DATAOS_SERVICE_FOLDER": str(self.folder / "service")}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables)

    def files(self, name: str, moment: str) -> set[str]:
        """Return the files whose number grows at a moment."""
        table = self.folder / ".dataos/lakehouse/kills" / name
        places = {
            "offsets": (self.folder / "checkpoints" / name / "offsets", "[0-9]*"),
            "data file": (table / "data", "*.parquet"),
            "commit": (table / "metadata", "*.metadata.json"),
        }
        folder, pattern = places[moment]
        return {path.name for path in folder.glob(pattern)}

    def kill_once(self, name: str) -> bool:
        """Start one stream, kill it at a moment, and return whether it was still at work then."""
        moment, victim = self.chance.choice(MOMENTS), self.chance.choice(VICTIMS)
        seen = {kind: self.files(name, kind) for kind in MOMENTS[1:]}
        process = self.start(name)
        try:
            # From the first sign of life in this round on, so that kills fall into the work and not into the start.
            self._wait(process, name, "offsets", seen)
            if moment == "clock":
                time.sleep(self.chance.uniform(0, 1.5))
            else:
                for _ in range(self.chance.randint(1, 3)):
                    self._wait(process, name, moment, {moment: self.files(name, moment)})
                time.sleep(self.chance.choice((0, 0, 0.01, 0.05)))
            killed = _kill(process.pid, victim) if process.poll() is None else None
            if killed is not None:
                self.kills[name, killed, moment] += 1
        finally:
            _end(process)
        return killed is not None

    def _wait(self, process: subprocess.Popen[bytes], name: str, moment: str, seen: dict[str, set[str]]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None and not self.files(name, moment) - seen[moment]:
            if time.monotonic() > deadline:
                sys.exit(f"{name} does nothing:\n{(self.folder / f'{name}.log').read_text()[-3000:]}")
            time.sleep(0.002)

    def finish(self) -> dict[str, tuple[int, int]]:
        """Let both streams read to the end; return messages lost and doubled for each."""
        for name in SINKS:
            file = self.folder / f"{name}.yaml"
            text = file.read_text().replace("ProcessingTime", "AvailableNow, forEachBatchMode: true")
            file.write_text(text.replace(f'"{PER_BATCH}"', '"100000"'))
        command = [sys.executable, "-m", "dataos_dagster", "run", str(self.folder), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"the streams do not go on after the kills:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        return {name: self._compared(name) for name in SINKS}

    def _compared(self, name: str) -> tuple[int, int]:
        from pyiceberg.table import StaticTable

        metadata = self.folder / ".dataos/lakehouse/kills" / name / "metadata"
        newest = max(metadata.glob("v*.metadata.json"), key=lambda path: int(path.name[1:].split(".")[0]))
        counts = Counter(StaticTable.from_metadata(str(newest)).scan().to_arrow()["id"].to_pylist())
        lost = sum(1 for number in range(self.produced) if number not in counts)
        return lost, sum(count - 1 for count in counts.values())


def _kill(pid: int, victim: str) -> str | None:
    """Kill our process, or the Java below it where there is one; return which it was, None if it had ended."""
    engine = next((child for child in _descendants(pid) if _is_java(child)), None) if victim == "engine" else None
    try:
        os.kill(pid if engine is None else engine, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return "process" if engine is None else "engine"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a stream and its engine are gone: the engine may live on for a moment, and commit."""
    below = list(_descendants(process.pid))
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(4)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in below) and time.monotonic() < deadline:
        time.sleep(0.02)


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from _descendants(child)


def _is_java(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip() == "java"
    return False


def _produce(bench: Bench, stop: threading.Event) -> None:
    while not stop.wait(0.25):
        numbers = range(bench.produced, bench.produced + MESSAGES_A_SECOND // 4)
        bench.kafka.produce(bench.topic, map(str, numbers))
        bench.produced = numbers.stop


def main() -> int:
    """Kill, count, and return 1 when a message was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="for moments and victims that can be had again")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop killing after so long")
    parser.add_argument("--json", action="store_true", help="print one object, and leave the page as it is")
    parser.add_argument("--anew", action="store_true", help="forget what was counted before")
    options = parser.parse_args()
    if options.anew:
        kills_page.forget(STREAMS)
    before = 0 if options.json else sum(counts["kills"] for counts in kills_page.read(STREAMS).values())
    if before >= options.count:
        return 0
    bench, found = killed(options.count - before, options.seconds, random.Random(options.seed))
    if options.json:
        print(json.dumps(as_json(bench, found)))
    else:
        for name in SINKS:
            kills_page.add(STREAMS, LINES[name], counts(bench, name, *found[name]))
        print(f"{before + bench.kills.total()} kills in all, {bench.kills.total()} now; lost and doubled: {found}")
    return 1 if any(map(sum, found.values())) else 0


def killed(count: int, seconds: float, chance: random.Random) -> tuple[Bench, dict[str, tuple[int, int]]]:
    """Kill so often, or for so long; return what was done, and for each stream the messages lost and doubled."""
    kafka = importlib.import_module("servers.kafka").start_kafka()
    stop, began = threading.Event(), time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="dataos-stream-kills-") as folder:
            bench = Bench(Path(folder), kafka, kafka.create_topic(partitions=2), chance)
            bench.write_project()
            producer = threading.Thread(target=_produce, args=(bench, stop))
            producer.start()
            try:
                for name in itertools.cycle(SINKS):
                    if bench.kills.total() >= count or time.monotonic() - began > seconds:
                        break
                    bench.kill_once(name)
            finally:
                stop.set()
                producer.join()
            return bench, bench.finish()
    finally:
        kafka.stop()


def counts(bench: Bench, name: str, lost: int, doubled: int) -> dict[str, int]:
    """Return the figures of one stream as the page has them."""
    mine = {(victim, moment): kills for (sink, victim, moment), kills in bench.kills.items() if sink == name}
    victims = {"of our process": "process", "of the engine": "engine"}
    moments = {
        "by the clock": "clock", "at new offsets": "offsets", "at a new data file": "data file",
        "at a new commit": "commit",
    }  # fmt: skip
    found = {column: sum(n for (victim, _), n in mine.items() if victim == one) for column, one in victims.items()}
    found |= {column: sum(n for (_, moment), n in mine.items() if moment == one) for column, one in moments.items()}
    sums = {"messages": bench.produced, "messages lost": lost, "messages doubled": doubled}
    return found | sums | {"kills": sum(mine.values())}


def as_json(bench: Bench, found: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Return what was killed and what was found as plain values."""
    kills = [{"sink": s, "victim": v, "moment": m, "kills": n} for (s, v, m), n in sorted(bench.kills.items())]
    counted = {name: {"lost": lost, "doubled": doubled} for name, (lost, doubled) in found.items()}
    return {"kills": bench.kills.total(), "by": kills, "messages": bench.produced, "found": counted}


if __name__ == "__main__":
    sys.exit(main())

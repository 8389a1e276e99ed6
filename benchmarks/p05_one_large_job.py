"""P5: CPU seconds of one Flare job over 10 million rows, against the same job by hand in PySpark on the same engine.

Both read the same Parquet file, run the same SQL and replace an Iceberg table in a folder, turn by turn on one warm
Sail: the start of Python and Sail is the same for both and left out. Counted is the CPU time of Sail and of this
process, in which planning, locking and recording the job happen; the medians of the turns are compared, because a
turn's seconds on the clock differ by a fifth even on a quiet machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from measure import conclude, cpu_seconds_of, parse_arguments, say
from peer_large_job import run_by_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

ROWS_A_GROUP = 1_000_000

DEPOT = """\
name: drop
version: v2alpha
type: depot
depot:
  type: file
  file: {path: data, format: PARQUET}
"""

WORKFLOW = """\
name: large-job
version: v1
type: workflow
workflow:
  dag:
    - name: orders
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - {name: orders, dataset: "dataos://drop:none/orders.parquet", format: parquet}
            steps:
              - sequence:
                  - name: result
                    sqlFile: job.sql
            outputs:
              - {name: result, dataset: "dataos://lakehouse:large/orders?acl=rw", format: iceberg}
"""

SQL = """\
SELECT
  id,
  customer_id,
  round(amount * 1.19, 2) AS gross,
  CASE WHEN amount > 500 THEN 'large' WHEN amount > 50 THEN 'medium' ELSE 'small' END AS size,
  upper(region) AS region,
  ordered_at
FROM orders
WHERE amount > 10
"""


def write_project(folder: Path, rows: int) -> None:
    """Write the data and the manifests."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "data").mkdir(parents=True)
    (folder / "depot.yaml").write_text(DEPOT, encoding="utf-8")
    (folder / "job.sql").write_text(SQL, encoding="utf-8")
    (folder / "workflow.yaml").write_text(WORKFLOW, encoding="utf-8")
    random = np.random.default_rng(seed=7)
    regions = np.array(["north", "south", "east", "west"])
    writer = None
    for start in range(0, rows, ROWS_A_GROUP):
        count = min(ROWS_A_GROUP, rows - start)
        batch = pa.table(
            {
                "id": pa.array(np.arange(start, start + count)),
                "customer_id": pa.array(random.integers(0, 100_000, count)),
                "amount": pa.array(random.gamma(1.0, 200.0, count)),
                "region": pa.array(regions[random.integers(0, len(regions), count)]),
                "ordered_at": pa.array(
                    (1_700_000_000 + random.integers(0, 31_536_000, count)) * 1_000_000, pa.timestamp("us", tz="UTC")
                ),
            }
        )
        writer = writer or pq.ParquetWriter(folder / "data" / "orders.parquet", batch.schema)
        writer.write_table(batch)
    if writer:
        writer.close()


def cost(work: Callable[[], object], engine: int) -> tuple[float, float]:
    """Return the CPU seconds of a piece of work, this process and the engine's together, and its seconds."""
    start, cpu = time.perf_counter(), time.process_time() + cpu_seconds_of(engine)
    work()
    return time.process_time() + cpu_seconds_of(engine) - cpu, time.perf_counter() - start


@contextmanager
def warm_job(folder: Path) -> Iterator[tuple[Callable[[], object], SparkSession, int]]:
    """Yield, of a project with one job, what runs the job, its session, and the process id of its Sail."""
    from dataos_dagster.engines.session import SessionConfiguration
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings
    from dataos_dagster.workflows.building import build_graph
    from dataos_dagster.workflows.execution import JobRunner

    settings = load_settings(folder)
    project = load_project(folder, settings=settings)
    [node] = build_graph(project).nodes.values()
    with JobRunner(project, settings, engine="sail") as runner:
        session = runner.sessions.get(SessionConfiguration("sail"))
        if session.process is None:
            sys.exit("Sail is not a child of this process")
        yield lambda: runner.run(node, uuid.uuid4().hex), session.spark, session.process.pid


def measure(
    folder: Path, turns: int, by_hand: Callable[[SparkSession, Path, Path], None] = run_by_hand
) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of each turn of ours and of the peer; each has a turn before, which loads its code.

    Args:
        folder: The project, which has one job.
        turns: How many are counted.
        by_hand: The peer: given a session, the project's folder and the folder of its own table.
    """
    ours, peer = [], []
    target = folder / "by_hand" / "large" / "orders"
    with warm_job(folder) as (run_job, spark, engine):
        for turn in range(turns + 1):
            hand, hand_wall = cost(lambda: by_hand(spark, folder, target), engine)
            flare, wall = cost(run_job, engine)
            told = (f"{cpu:.2f} CPU s ({clock:.2f} s)" for cpu, clock in ((flare, wall), (hand, hand_wall)))
            say(f"  turn {turn}: ours, by hand: {', '.join(told)}")
            ours.append(flare)
            peer.append(hand)
        tables = (folder / ".dataos" / "lakehouse" / "large" / "orders", target)
        counts = {spark.read.format("iceberg").load(str(table)).count() for table in tables}
    if len(counts) != 1:
        sys.exit(f"rows differ: {counts}")
    return ours[1:], peer[1:]


def main() -> None:
    """Measure both, turn by turn, and print the result of the median turns."""
    quick = parse_arguments(__doc__).quick
    rows, turns = (1_000_000, 1) if quick else (10_000_000, 9)
    with tempfile.TemporaryDirectory() as name:
        write_project(Path(name), rows)
        ours, peer = measure(Path(name), turns)
    conclude("P5", ours=statistics.median(ours), peer=statistics.median(peer), goal=1.05, better="less")


if __name__ == "__main__":
    main()

"""P10: CPU seconds of an incremental merge of 1 % into a table of 10 million rows, against MERGE by hand on one engine.

Turn by turn on one warm Sail, each side merges the next batch of the same Parquet file into an Iceberg table: ours as
a Flare job that stores how far it has read and writes each batch exactly once, the peer by a filter and a MERGE in
PySpark. Half of a batch replaces rows, half adds some. Counted is the CPU time of Sail and of this process; the medians
of the turns are compared.

Both begin every merge from the same files in the same place, put back outside of the measured time. Sail shares out
the rows that it rewrites by a hash of their file's path, so the names of files decide what a merge leaves and how much
the next one costs (1.1 to 1.4 times, for two files against one): tables of their own would compare luck.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import conclude, parse_arguments, say
from p05_one_large_job import DEPOT, cost, warm_job
from peer_merge import MergeByHand

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

WORKFLOW = """\
name: large-merge
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
              - name: changes
                dataset: "dataos://drop:none/changes.parquet"
                format: parquet
                incremental:
                  context: all_changes
                  sql: >
                    SELECT id, customer_id, amount, region FROM all_changes
                    WHERE batch > $|last| AND batch <= $|next|
                  keys:
                    - {name: last, sql: SELECT 0}
                    - {name: next, sql: "SELECT $|last| + 1"}
                  state:
                    - {key: last, value: next}
            outputs:
              - name: changes
                dataset: "dataos://lakehouse:large/orders?acl=rw"
                format: iceberg
                options:
                  iceberg:
                    merge:
                      onClause: old.id = new.id
                      whenClause: MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *
"""


def write_project(folder: Path, rows: int, batches: int) -> None:
    """Write the manifests, the changes, and the table that they are merged into."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "data").mkdir(parents=True)
    (folder / "depot.yaml").write_text(DEPOT, encoding="utf-8")
    (folder / "workflow.yaml").write_text(WORKFLOW, encoding="utf-8")
    random, size = np.random.default_rng(seed=7), rows // 100
    columns: dict[str, list[Any]] = {"batch": [], "id": []}
    for batch in range(1, batches + 1):
        replaced = random.choice(rows, size - size // 2, replace=False)
        added = np.arange(rows + batch * size, rows + batch * size + size // 2)
        columns["id"].append(np.concatenate([replaced, added]))
        columns["batch"].append(np.full(size, batch))
    changes = {name: np.concatenate(parts) for name, parts in columns.items()}
    pq.write_table(pa.table(changes | _values(random, len(changes["id"]))), folder / "data" / "changes.parquet")
    pq.write_table(pa.table({"id": np.arange(rows)} | _values(random, rows)), folder / "orders.parquet")
    _seed(folder)


def _values(random: object, count: int) -> dict[str, object]:
    import numpy as np

    assert isinstance(random, np.random.Generator)
    regions = np.array(["north", "south", "east", "west"])
    return {
        "customer_id": random.integers(0, 100_000, count),
        "amount": random.gamma(1.0, 200.0, count),
        "region": regions[random.integers(0, len(regions), count)],
    }


def _seed(folder: Path) -> None:
    from dataos_dagster.engines.session import SessionConfiguration, Sessions

    table = _table(folder)
    table.parent.mkdir(parents=True)
    with Sessions() as sessions:
        spark = sessions.get(SessionConfiguration("sail")).spark
        spark.read.parquet(str(folder / "orders.parquet")).createOrReplaceTempView("seed")
        spark.sql(f"CREATE TABLE orders USING iceberg LOCATION '{table}' AS TABLE seed").collect()
    table.rename(folder / "seed")


def _table(folder: Path) -> Path:
    return folder / ".dataos" / "lakehouse" / "large" / "orders"


def restore(folder: Path) -> None:
    """Put the table back to what it was before any merge; files of rows never change, so they are linked."""
    shutil.rmtree(_table(folder), ignore_errors=True)
    shutil.copytree(folder / "seed", _table(folder), copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith(".parquet"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def contents(spark: SparkSession, folder: Path) -> Row:
    """Return figures that tell the rows of one merge from those of another."""
    rows = spark.read.format("iceberg").load(str(_table(folder)))
    [found] = rows.selectExpr("count(*)", "sum(id)", "sum(xxhash64(id, customer_id, amount, region) % 65536)").collect()
    return found


def measure(folder: Path, turns: int) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of each turn of ours and of the peer; each has a turn before, which loads its code.

    Raises:
        SystemExit: The two do not leave the same rows.
    """
    by_hand = MergeByHand()
    ours: list[float] = []
    peer: list[float] = []
    with warm_job(folder) as (run_job, spark, engine):
        sides = {"ours": (run_job, ours), "by hand": (lambda: by_hand(spark, folder, _table(folder)), peer)}
        for turn in range(turns + 1):
            left = set()
            for side, (work, costs) in sides.items():
                restore(folder)
                cpu, seconds = cost(work, engine)
                say(f"  turn {turn}, {side}: {cpu:.2f} CPU s ({seconds:.2f} s)")
                costs.append(cpu)
                left.add(contents(spark, folder))
            if len(left) != 1:
                sys.exit(f"rows differ: {left}")
    return ours[1:], peer[1:]


def main() -> None:
    """Measure both, turn by turn, and print the result of the median turns."""
    quick = parse_arguments(__doc__).quick
    rows, turns = (1_000_000, 2) if quick else (10_000_000, 5)
    with tempfile.TemporaryDirectory() as name:
        write_project(Path(name), rows, turns + 1)
        ours, peer = measure(Path(name), turns)
    conclude("P10", ours=statistics.median(ours), peer=statistics.median(peer), goal=1.10, better="less")


if __name__ == "__main__":
    main()

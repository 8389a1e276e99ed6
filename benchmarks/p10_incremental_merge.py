"""P10: CPU seconds of an incremental merge of 1 % into a table of 10 million rows, against MERGE by hand on one engine.

Turn by turn on one warm Sail, each side merges the next batch of the same Parquet file into an Iceberg table of its
own: ours as a Flare job that stores how far it has read and writes each batch exactly once, the peer by a filter and a
MERGE in PySpark. Half of a batch replaces rows, half adds some. Counted is the CPU time of Sail and of this process;
the medians of the turns are compared.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from measure import conclude, parse_arguments
from p05_one_large_job import DEPOT, measure
from peer_merge import MergeByHand

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
    """Write the manifests, the changes, and the two tables that they are merged into."""
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

    with Sessions() as sessions:
        spark = sessions.get(SessionConfiguration("sail")).spark
        for lake in (folder / ".dataos" / "lakehouse", folder / "by_hand"):
            (lake / "large").mkdir(parents=True)
            rows = spark.read.parquet(str(folder / "orders.parquet"))
            rows.createOrReplaceTempView("seed")
            location = lake / "large" / "orders"
            name = f"seed_{lake.name.replace('.', '_')}"
            spark.sql(f"CREATE TABLE {name} USING iceberg LOCATION '{location}' AS TABLE seed").collect()


def main() -> None:
    """Measure both, turn by turn, and print the result of the median turns."""
    quick = parse_arguments(__doc__).quick
    rows, turns = (1_000_000, 2) if quick else (10_000_000, 5)
    with tempfile.TemporaryDirectory() as name:
        write_project(Path(name), rows, turns + 1)
        ours, peer = measure(Path(name), turns, MergeByHand())
    conclude("P10", ours=statistics.median(ours), peer=statistics.median(peer), goal=1.10, better="less")


if __name__ == "__main__":
    main()

"""P5: seconds of one Flare job over 10 million rows, against the same job by hand in PySpark on the same engine (Sail).

Both read the same Parquet file, run the same SQL and write an Iceberg table in a folder. Measured on each side from the
first read to the commit, on a session that is there; the start of Python and Sail is the same for both and left out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from flare import run_project
from measure import conclude, last_json, parse_arguments, run, say

PEER = Path(__file__).with_name("peer_large_job.py")
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


def main() -> None:
    """Measure both, turn by turn, and print the result of the best turns."""
    quick = parse_arguments(__doc__).quick
    rows, turns = (1_000_000, 1) if quick else (10_000_000, 7)
    ours, peer = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder, rows)
        for _ in range(turns):
            by_hand = last_json(run([sys.executable, PEER, folder]).output)
            flare = run_project(folder, "sail")
            if flare.rows["orders"] != by_hand["rows"]:
                sys.exit(f"rows differ: {flare.rows}, {by_hand}")
            ours.append(flare.job_seconds)
            peer.append(by_hand["seconds"])
            say(f"  {rows:,} rows: ours {ours[-1]:.2f} s, by hand {peer[-1]:.2f} s")
    conclude("P5", ours=min(ours), peer=min(peer), goal=1.05, better="less")


if __name__ == "__main__":
    main()

"""P9: seconds of the 22 queries of TPC-H at scale 1, as Flare jobs on Sail, against hand-written PySpark on Spark.

Each query is one Flare job: it reads the Parquet files that it needs, and its result is written to an Iceberg table.
The peer does the same with one warm Spark session of `local[*]`. Measured are the jobs on both sides; the engines'
starts are left out (they would help us: Sail starts in milliseconds, Spark in seconds). Both results must have the
same number of rows, query by query.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from flare import run_project
from measure import conclude, last_json, parse_arguments, run, say

PEER = Path(__file__).with_name("peer_tpch.py")
QUERIES = Path(__file__).with_name("tpch")
TABLES = ("lineitem", "orders", "customer", "part", "partsupp", "supplier", "nation", "region")
GENERATOR = Path(sys.executable).with_name("tpchgen-cli")

DEPOT = """\
name: tpch
version: v2alpha
type: depot
depot:
  type: file
  file: {path: data, format: PARQUET}
"""

HEAD = """\
name: tpch-queries
version: v1
type: workflow
workflow:
  dag:
"""

JOB = """\
    - name: {name}
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
{inputs}
            steps:
              - sequence:
                  - {{name: result, sqlFile: queries/{name}.sql}}
            outputs:
              - {{name: result, dataset: "dataos://lakehouse:tpch/{name}?acl=rw", format: iceberg}}
"""

INPUT = '              - {{name: {table}, dataset: "dataos://tpch:none/{table}.parquet", format: parquet}}'


def write_project(folder: Path, scale: float) -> None:
    """Generate the data and write one job a query."""
    run([GENERATOR, "parquet", "-s", str(scale), f"--output-dir={folder / 'data'}"])
    shutil.copytree(QUERIES, folder / "queries")
    (folder / "depot.yaml").write_text(DEPOT, encoding="utf-8")
    jobs = []
    for file in sorted(QUERIES.glob("*.sql")):
        words = set(re.findall(r"\w+", file.read_text(encoding="utf-8")))
        inputs = "\n".join(INPUT.format(table=table) for table in TABLES if table in words)
        jobs.append(JOB.format(name=file.stem, inputs=inputs))
    (folder / "workflow.yaml").write_text(HEAD + "".join(jobs), encoding="utf-8")


def main() -> None:
    """Measure both and print the result."""
    quick = parse_arguments(__doc__).quick
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder, 0.01 if quick else 1)
        ours = run_project(folder, "sail")
        say(f"  22 Flare jobs on Sail: {ours.job_seconds:.1f} s; with all starts {ours.usage.seconds:.1f} s")
        peer_run = run([sys.executable, PEER, folder])
        peer = last_json(peer_run.output)
        say(f"  22 queries by hand on Spark: {peer['seconds']:.1f} s; with all starts {peer_run.seconds:.1f} s")
        different = {query: (rows, peer.get(query)) for query, rows in ours.rows.items() if peer.get(query) != rows}
        if different:
            say(f"  rows differ (ours, peer): {different}")
    conclude("P9", ours=ours.job_seconds, peer=peer["seconds"], goal=6, better="more", holds=not different)


if __name__ == "__main__":
    main()

"""P4: CPU seconds of a workflow of ten Flare jobs on small data, against spark-submit for each job.

Every job reads the table that the one before wrote (1,000 rows), aggregates and writes Iceberg. The peer is the same
job by hand in PySpark, ten times `spark-submit`, which is how the jobs of a workflow run on a cluster. Counted are all
processes of both sides: Python, Sail, the JVM.

Before, `dataos engines install spark` has been called, as the documentation tells: it also keeps Spark's classes ready
for our JVM, which is a fifth of our figure for Spark.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

from flare import DATAOS, run_project
from measure import conclude, parse_arguments, run, say

from dataos_dagster.engines.connectors import resolve

ROWS = 1_000
PEER = Path(__file__).with_name("peer_small_job.py")
SPARK_SUBMIT = Path(sys.executable).with_name("spark-submit")

DEPOT = """\
name: drop
version: v2alpha
type: depot
depot:
  type: file
  file: {path: data, format: CSV}
"""

WORKFLOW = """\
name: small-jobs
version: v1
type: workflow
workflow:
  dag:
"""

JOB = """\
    - name: step-{number}
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - {{name: source, {source}}}
            steps:
              - sequence:
                  - name: result
                    sql: {sql}
            outputs:
              - {{name: result, dataset: "dataos://lakehouse:small/step_{number}?acl=rw", format: iceberg}}
"""

FROM_TEXT = "SELECT cast(id AS int) AS id, cast(amount AS double) AS amount, region FROM source"
FROM_TABLE = "SELECT id, amount * 1.5 AS amount, region FROM source WHERE amount IS NOT NULL"


def write_project(folder: Path, jobs: int) -> None:
    """Write the CSV file, its depot and the workflow."""
    (folder / "data").mkdir(parents=True)
    with (folder / "data" / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "amount", "region"])
        writer.writerows([number, number * 0.25, f"r{number % 7}"] for number in range(ROWS))
    (folder / "depot.yaml").write_text(DEPOT, encoding="utf-8")
    first = 'dataset: "dataos://drop:none/orders.csv", format: csv'
    entries = [
        JOB.format(
            number=number,
            source=f'dataset: "dataos://lakehouse:small/step_{number - 1}"' if number else first,
            sql=FROM_TABLE if number else FROM_TEXT,
        )
        for number in range(jobs)
    ]
    (folder / "workflow.yaml").write_text(WORKFLOW + "".join(entries), encoding="utf-8")


def spark_submit(folder: Path, number: int) -> float:
    """Return the CPU seconds of one job by hand."""
    jars = ",".join(str(jar) for jar in resolve(["iceberg"]))
    used = run(
        [SPARK_SUBMIT, "--master", "local[2]", "--jars", jars, PEER, folder, str(number)],
        env={"PYSPARK_PYTHON": sys.executable},
    )
    say(f"  spark-submit, job {number}: {used.cpu_seconds:.1f} CPU s, {used.seconds:.1f} s")
    return used.cpu_seconds


def main() -> None:
    """Measure all three and print the result."""
    jobs = 2 if parse_arguments(__doc__).quick else 10
    ours = {}
    run([DATAOS, "engines", "install", "spark"])
    with tempfile.TemporaryDirectory() as name:
        for engine in ("sail", "spark"):
            folder = Path(name) / engine
            write_project(folder, jobs)
            done = run_project(folder, engine)
            ours[engine] = done.usage.cpu_seconds
            say(f"  {jobs} Flare jobs on {engine}: {ours[engine]:.1f} CPU s, {done.usage.seconds:.1f} s")
            if set(done.rows.values()) != {ROWS}:
                sys.exit(f"rows are lost: {done.rows}")
        peer = sum(spark_submit(Path(name) / "sail", number) for number in range(jobs))
    warm = conclude("P4 warm Spark", ours=ours["spark"], peer=peer, goal=6, better="more")
    conclude("P4", ours=ours["sail"], peer=peer, goal=20, better="more", holds=warm)


if __name__ == "__main__":
    main()

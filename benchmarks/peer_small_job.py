"""The peer of the small-jobs measurement: one job of the workflow by hand, run by spark-submit.

peer_small_job.py FOLDER NUMBER
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession


def main() -> None:
    """Read what the job before wrote, transform it, and write Iceberg."""
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    spark = (
        SparkSession.builder.appName(f"step-{number}")
        .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
        .config("spark.sql.catalog.lake.type", "hadoop")
        .config("spark.sql.catalog.lake.warehouse", str(folder / "peer"))
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    if number == 0:
        spark.read.option("header", "true").csv(str(folder / "data" / "orders.csv")).createOrReplaceTempView("source")
        result = spark.sql("SELECT cast(id AS int) AS id, cast(amount AS double) AS amount, region FROM source")
    else:
        spark.table(f"lake.small.step_{number - 1}").createOrReplaceTempView("source")
        result = spark.sql("SELECT id, amount * 1.5 AS amount, region FROM source WHERE amount IS NOT NULL")
    result.writeTo(f"lake.small.step_{number}").createOrReplace()
    spark.stop()


if __name__ == "__main__":
    main()

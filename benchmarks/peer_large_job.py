"""The peer of the large-job measurement: read, SQL and Iceberg write by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def run_by_hand(spark: SparkSession, folder: Path, target: Path) -> None:
    """Do the job once, on a session that is there."""
    spark.read.parquet(str(folder / "data" / "orders.parquet")).createOrReplaceTempView("orders")
    result = spark.sql((folder / "job.sql").read_text(encoding="utf-8"))
    result.write.format("iceberg").mode("overwrite").save(str(target))

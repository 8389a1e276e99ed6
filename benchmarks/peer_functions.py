"""The peer of the measurement of functions: the same changes as a chain of DataFrame calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def run_by_hand(spark: SparkSession, folder: Path, target: Path) -> None:
    """Do the job once, on a session that is there."""
    orders = spark.read.parquet(str(folder / "data" / "orders.parquet"))
    result = (
        orders.withColumnRenamed("customer_id", "customer")
        .withColumn("amount", F.col("amount").cast("decimal(10,2)"))
        .withColumn("region", F.upper("region"))
        .withColumn("region", F.regexp_replace("region", "[OU]", "_"))
        .withColumn("channel", F.lit("web"))
        .withColumn("origin", F.concat_ws("-", "region", "channel"))
        .withColumn("gross", F.expr("round(amount * 1.19, 2)"))
        .withColumn("ordered_at", F.date_format("ordered_at", "yyyy-MM-dd"))
        .withColumn("region", F.md5("region"))
        .drop("channel")
    )
    # Sail's md5 is a text of another type inside than that of the table that is there.
    result.write.format("iceberg").mode("overwrite").option("overwriteSchema", "true").save(str(target))

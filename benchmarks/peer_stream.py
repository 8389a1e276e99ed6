"""The peer of the stream measurement: Kafka to Iceberg in structured streaming, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

SCHEMA = "id bigint, customer bigint, amount double, region string"
QUERY = "SELECT id, customer, round(amount * 1.19, 2) AS gross, upper(region) AS region FROM orders WHERE amount > 10"


def stream_by_hand(spark: SparkSession, bootstrap: str, topic: str, table: str, checkpoint: Path) -> None:
    """Write everything that the topic holds to a new table, on a session that has the catalog."""
    from pyspark.sql.functions import col, from_json

    messages = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .load()
    )
    orders = messages.select(from_json(col("value").cast("string"), SCHEMA).alias("value")).select("value.*")
    orders.createOrReplaceTempView("orders")
    query = (
        spark.sql(QUERY)
        .writeStream.format("iceberg")
        .outputMode("append")
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .toTable(table)
    )
    query.awaitTermination()

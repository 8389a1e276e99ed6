"""The peer of the TPC-H measurement: the 22 queries by hand on Apache Spark, one warm session.

peer_tpch.py FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

from dataos_dagster.engines.connectors import resolve


def main() -> None:
    """Run all queries and print the seconds of all and the rows of each."""
    folder = Path(sys.argv[1])
    spark = (
        SparkSession.builder.master("local[*]")
        .config("spark.jars", ",".join(str(jar) for jar in resolve(["iceberg"])))
        .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
        .config("spark.sql.catalog.lake.type", "hadoop")
        .config("spark.sql.catalog.lake.warehouse", str(folder / "peer"))
        .config("spark.sql.ansi.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        # More partitions than cores only cost time at this size.
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.memory", "4g")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    spark.sql("SELECT 1").collect()
    start = time.perf_counter()
    for file in (folder / "data").glob("*.parquet"):
        spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    queries = sorted((folder / "queries").glob("*.sql"))
    for query in queries:
        spark.sql(query.read_text(encoding="utf-8")).writeTo(f"lake.tpch.{query.stem}").createOrReplace()
    seconds = time.perf_counter() - start
    rows = {query.stem: spark.table(f"lake.tpch.{query.stem}").count() for query in queries}
    spark.stop()
    print(json.dumps({"seconds": seconds, **rows}))


if __name__ == "__main__":
    main()

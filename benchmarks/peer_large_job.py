"""The peer of the large-job measurement: read, SQL and Iceberg write by hand, on Sail.

peer_large_job.py FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession


def main() -> None:
    """Run the job once and print its seconds and rows."""
    folder = Path(sys.argv[1])
    target = folder / "by_hand" / "large" / "orders"
    shutil.rmtree(target, ignore_errors=True)
    server = SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
    spark.conf.set("spark.sql.ansi.enabled", "false")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.sql("SELECT 1").collect()

    start = time.perf_counter()
    spark.read.parquet(str(folder / "data" / "orders.parquet")).createOrReplaceTempView("orders")
    result = spark.sql((folder / "job.sql").read_text(encoding="utf-8"))
    result.write.format("iceberg").mode("overwrite").save(str(target))
    seconds = time.perf_counter() - start

    rows = spark.read.format("iceberg").load(str(target)).count()
    print(json.dumps({"seconds": seconds, "rows": rows}), flush=True)
    spark.stop()
    server.stop()


if __name__ == "__main__":
    main()

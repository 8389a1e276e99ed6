"""The peer of the incremental merge: the rows of one batch, filtered and merged by hand."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

MERGE = """
MERGE INTO {table} old USING new_rows new ON old.id = new.id
WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *
"""


class MergeByHand:
    """Merges one batch after the other; which one is next is all that it remembers."""

    def __init__(self) -> None:
        self._done = 0

    def __call__(self, spark: SparkSession, folder: Path, target: Path) -> None:
        """Merge the next batch, on a session that is there."""
        self._done += 1
        changes = spark.read.parquet(str(folder / "data" / "changes.parquet"))
        batch = changes.where(f"batch = {self._done}").select("id", "customer_id", "amount", "region")
        batch.createOrReplaceTempView("new_rows")
        table = f"by_hand_{uuid.uuid4().hex}"
        spark.sql(f"CREATE TABLE IF NOT EXISTS {table} USING iceberg LOCATION '{target}'")
        spark.sql(MERGE.format(table=table)).collect()
        spark.sql(f"DROP TABLE {table}")

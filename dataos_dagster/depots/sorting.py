"""Put the rows of a frame in the order that a write asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.requests import Sort


def in_order(frame: DataFrame, sort: Sort | None) -> DataFrame:
    """Return a frame sorted as a whole, or inside each of its partitions; as it is without an order."""
    from pyspark.sql.functions import col

    if sort is None:
        return frame
    columns = [
        col(quoted(column.name)).desc() if column.descending else col(quoted(column.name)).asc()
        for column in sort.columns
    ]
    return frame.orderBy(*columns) if sort.scope == "global" else frame.sortWithinPartitions(*columns)

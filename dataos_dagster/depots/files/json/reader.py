"""Find the columns of JSON files, and hand them to the engine as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.files.json.inference import find_columns
from dataos_dagster.depots.files.json.source import JsonSource, record_ranges, records
from dataos_dagster.depots.files.source import load_ranges

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.files.json.options import JsonOptions
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession


def read_json(
    place: Place,
    files: tuple[FileInfo, ...],
    options: JsonOptions,
    schema: StructType | None,
    session: EngineSession,
) -> DataFrame:
    """Return a lazy frame of JSON files.

    Args:
        place: Where they are.
        files: The files, in order.
        options: How they are written.
        schema: Their columns, by name; None finds them by looking at every record.
        session: A session on Sail.
    """
    from pyspark.sql.types import StructType

    columns = schema
    if columns is None:
        every = (record for found in record_ranges(files, options) for record in records(place, found, options))
        columns = find_columns(
            every, primitives_as_string=options.primitives_as_string, keep_corrupt=options.mode == "PERMISSIVE"
        )
    if not columns.fields:
        return session.spark.createDataFrame([], StructType([]))
    return load_ranges(JsonSource, place, record_ranges(files, options), columns, options, session)

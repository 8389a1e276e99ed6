"""Read a folder of files as a stream: those that are there, then those that come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.files.read import FileReader, readable, with_defaults
from dataos_dagster.depots.given_schema import columns_of
from dataos_dagster.depots.streams import refuse_streams
from dataos_dagster.errors import DatasetNotFound, DepotError

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.requests import ReadRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession

# Their columns are the same for every file.
_FIXED_COLUMNS = frozenset({"text", "binaryfile"})


def read_file_stream(place: Place, format_: str, request: ReadRequest, session: EngineSession) -> DataFrame:
    """Return the frame of a stream of files.

    A stream's columns are known before its first file. Where the manifest gives none they are those of the files that
    are there.

    Raises:
        DepotUnsupported: The engine has no streams.
        DepotError: There is neither a schema nor a file to take the columns from.
    """
    if session.engine == "sail":
        refuse_streams(request, "Sail")
    columns = _columns(place, format_, request, session)
    options = with_defaults(format_, request.options)
    with session.failures(request.location):
        reader = session.spark.readStream.format(format_).options(**options)
        if columns is not None:
            reader = reader.schema(columns)
        frame = reader.load(readable(place, session.engine))
        frame.schema  # noqa: B018 - asks the engine, so that what is wrong with the folder is this read's error
    return frame


def _columns(place: Place, format_: str, request: ReadRequest, session: EngineSession) -> StructType | None:
    if request.schema is not None:
        return columns_of(request.schema, session, location=request.location)
    if format_ in _FIXED_COLUMNS:
        return None
    try:
        return FileReader(place, format_, request, session).read().schema
    except DatasetNotFound:
        raise DepotError(
            f"{request.target} holds no file yet, and a stream's columns must be known before its first file",
            hint="give the input a schema: schemaString: 'id bigint, name string', or schemaPath",
            location=request.location,
        ) from None

"""Read an Iceberg table as a stream of what is appended to it, and let Spark write a stream to one."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import check_new, fit
from dataos_dagster.depots.lakehouse.partitioning import differs, wanted_spec
from dataos_dagster.depots.lakehouse.properties import wanted_properties
from dataos_dagster.depots.lakehouse.types import spark_schema
from dataos_dagster.depots.lakehouse.write import TableWriter
from dataos_dagster.depots.streams import end_query, refuse_streams, stream_writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.streaming.query import StreamingQuery

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.lakehouse.store import LakehouseStore
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest
    from dataos_dagster.depots.streams import StreamQuery
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal


def read_table_stream(table: Table, request: ReadRequest, session: EngineSession) -> DataFrame:
    """Return the frame of a stream of the rows that a table has and gets.

    Raises:
        DepotUnsupported: The engine has no streams.
    """
    if session.engine == "sail":
        refuse_streams(request, "Sail")
    with session.failures(request.location):
        frame = session.spark.readStream.options(**request.options).table(table.identifier)
        frame.schema  # noqa: B018 - asks the engine, so that an option it refuses is this read's error
    return frame


def write_obstacles(table: Table, request: WriteRequest, query: StreamQuery) -> tuple[str, ...]:
    """Return why Spark cannot write a stream to a table by itself."""
    found = []
    if request.merge is not None:
        found.append("a merge is one statement a batch")
    if request.branch:
        found.append("Iceberg's stream writer knows no branches")
    if request.sort is not None:
        found.append("the rows of each batch are to be sorted")
    if request.dynamic_overwrite:
        found.append("partitions that occur in a batch are to be replaced")
    if query.output_mode == "update":
        found.append("Iceberg's stream writer appends or replaces, and cannot update")
    if table.warehouse.rest is None and not query.bounded:
        # A query that runs for weeks cannot keep the lock that orders the writers of a folder.
        found.append("without a catalog the table is locked for each batch")
    return tuple(found)


@contextmanager
def write_table_stream(
    store: LakehouseStore,
    frame: DataFrame,
    request: WriteRequest,
    session: EngineSession,
    principal: Principal,
    query: StreamQuery,
) -> Iterator[StreamingQuery]:
    """Start a query that writes to a table, for the block's time; the table is made when it is missing.

    Raises:
        SchemaMismatch: The stream does not fit the table.
        DatasetLocked: Another writer holds the table.
    """
    table = store.warehouse.table(request.target)
    writer = TableWriter(store, table, replace(request, mode="append"), session, principal)
    state = store.state(table)
    if state is None and _is_plain(table, request):
        # Spark makes it as it starts the query, which costs a commit less.
        check_new(frame, request.target, location=request.location)
    elif state is None or _is_to_change(state, request):
        with session.failures(request.location):
            nothing = session.spark.createDataFrame([], frame.schema)
        writer.write(nothing)
    # A catalog orders commits by itself; in a folder there is one writer at a time.
    with writer.lock() if table.warehouse.rest is None else nullcontext():
        state = store.state(table)
        if state is not None:
            frame = fit(frame, spark_schema(state.schema), request.target, location=request.location)
        stream = stream_writer(frame, query).format("iceberg").options(**request.options)
        with session.failures(request.location):
            started = stream.toTable(table.identifier)
        try:
            yield started
        finally:
            end_query(started, session)


def _is_plain(table: Table, request: WriteRequest) -> bool:
    """Return whether a new table has nothing but columns, and no catalog in which others may be making it."""
    return table.warehouse.rest is None and not wanted_spec(request) and not wanted_properties(request)


def _is_to_change(state: TableState, request: WriteRequest) -> bool:
    spec = wanted_spec(request)
    changed = any(state.properties.get(key) != value for key, value in wanted_properties(request).items())
    return changed or (bool(spec) and differs(spec, state.partition_spec))

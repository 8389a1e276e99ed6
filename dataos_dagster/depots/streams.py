"""The stream side of the door: rows that come without an end, written by the engine itself or batch by batch.

Spark's structured streaming cuts a stream into micro-batches and remembers in its checkpoint which it has done. A batch
whose write was finished and whose end is not in the checkpoint is done again after a crash. So each write must be told
from its repetition:

- *by the engine*: Iceberg's own stream writer puts query and batch into the snapshot and skips a batch that is there;
  Kafka's has nothing of the kind;
- *batch by batch*: a batch is an ordinary write with a mark (`batch_mark`), which stores that show marks commit with
  its rows. A batch whose mark is there is left out; a store without marks gets it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from dataos_dagster.errors import DepotUnsupported, EngineError, StatementFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.streaming.query import StreamingQuery
    from pyspark.sql.connect.streaming.readwriter import DataStreamWriter

    from dataos_dagster.depots.requests import ReadRequest, WriteRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal

OutputMode = Literal["append", "complete", "update"]

# Spark gives the Python process that is handed the batches ten seconds to start, on however busy a machine.
_TOO_SLOW, _ATTEMPTS = "Python worker failed to connect back", 5

# How the marks of all micro-batches begin.
STREAM_MARK = "stream-"

# Source types whose datasets are read as streams unless a job says otherwise.
STREAM_TYPES = frozenset({"kafka", "pulsar", "eventhub"})


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """How a stream is run, whatever it writes.

    Attributes:
        name: What it is called on the engine and in its log.
        checkpoint: Folder of its offsets and state.
        trigger: When a micro-batch starts, as Spark's writer takes it; empty: as soon as the last one has ended.
        bounded: It ends by itself when what was there at its start is done.
        options: Further options of Spark's stream writer.
    """

    name: str
    checkpoint: Place
    output_mode: OutputMode = "append"
    trigger: Mapping[str, Any] = field(default_factory=dict)
    bounded: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def continuous(self) -> bool:
        """Return whether rows pass one by one instead of in micro-batches."""
        return "continuous" in self.trigger


@runtime_checkable
class StreamStore(Protocol):
    """A store that an engine writes a stream to by itself."""

    @property
    def streams_once(self) -> bool:
        """Return whether the engine's own writer leaves out a micro-batch that is there already."""

    def stream_obstacles(self, request: WriteRequest, query: StreamQuery) -> tuple[str, ...]:
        """Return why the engine cannot write this stream by itself, each a sentence; the rows go in batches then."""

    def write_stream(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal, query: StreamQuery
    ) -> AbstractContextManager[StreamingQuery]:
        """Start the query; it has ended when the block ends."""


def refuse_streams(request: ReadRequest, engine: str) -> None:
    """Refuse to read a stream on an engine that has none.

    Raises:
        DepotUnsupported: Always; the routing sends streams to Spark unless somebody asked for another engine.
    """
    raise DepotUnsupported(
        f"{request.target} is read as a stream, and {engine} has no streams",
        hint="run the job on Spark: --engine spark, or engines.jobs in dataos.yaml",
        location=request.location,
    )


def batch_mark(stream: str, batch: int) -> str:
    """Return the mark of a micro-batch: the same whenever it comes.

    Args:
        stream: Id of the query, which its checkpoint keeps.
        batch: Number of the micro-batch.
    """
    return f"{STREAM_MARK}{stream}-{batch}"


def stream_of_mark(mark: str | None) -> str | None:
    """Return how all marks of the stream begin that a mark belongs to; None for that of another write.

    A batch begins when the checkpoint has the end of the one before: nobody asks for the marks of earlier batches.
    """
    return f"{mark.rpartition('-')[0]}-" if mark and mark.startswith(STREAM_MARK) else None


def precedes(mark: str | None, other: str) -> bool:
    """Return whether a mark is that of an earlier micro-batch of the same stream than another."""
    stream = stream_of_mark(mark)
    if mark is None or stream is None or stream != stream_of_mark(other):
        return False
    return int(mark.removeprefix(stream)) < int(other.removeprefix(stream))


def stream_writer(frame: DataFrame, query: StreamQuery) -> DataStreamWriter:
    """Return Spark's writer of a stream, set up except for where the rows go."""
    writer = frame.writeStream.outputMode(query.output_mode).queryName(query.name)
    for key, value in query.options.items():
        writer = writer.option(key, value)
    writer = writer.option("checkpointLocation", query.checkpoint.url("spark"))
    return writer.trigger(**query.trigger) if query.trigger else writer


def start_batches(
    frame: DataFrame, query: StreamQuery, function: Callable[[DataFrame, int], None], session: EngineSession
) -> StreamingQuery:
    """Start a query that hands each micro-batch to a function.

    Args:
        frame: The stream.
        query: How it is run.
        function: Called in a Python process of the engine's with a micro-batch and its number.
        session: Where the stream is.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with session.failures():
                return stream_writer(frame, query).foreachBatch(function).start()
        except StatementFailed as error:
            if attempt == _ATTEMPTS or _TOO_SLOW not in error.message:
                raise
    raise AssertionError  # the last attempt has returned or raised


def end_query(query: StreamingQuery, session: EngineSession) -> None:
    """Make sure that a query writes nothing more, whatever ended the block that it was started for."""
    try:
        with session.failures():
            if query.isActive:
                query.stop()
    except EngineError:
        # The engine is gone, and the query with it; what ended it is already on its way to the caller.
        return

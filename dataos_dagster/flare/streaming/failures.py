"""Say what ended a stream in the words of its manifest: which input or output it was, and what to do.

Spark tells one story for all of them, `STREAM_FAILED`, with offsets, plan and Java's stack behind it. What counts is in
the first words of the cause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.depots.kafka.avro import UNKNOWN_SCHEMA
from dataos_dagster.errors import (
    DataOSError,
    DatasetNotFound,
    DepotUnreachable,
    EngineCrashed,
    StatementFailed,
    StepError,
)

if TYPE_CHECKING:
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.streaming.plan import PlannedStream

_HEAD = re.compile(r"^\[STREAM_FAILED\] Query \[[^\]]*\] terminated with exception:\s*")
_STORY = re.compile(r"\s*(?:SQLSTATE: \w+)?\s*\n?=== Streaming Query ===.*", re.DOTALL)
_CLASSES = re.compile(r"\b(?:[a-z]\w*\.){2,}(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Sign:
    """What a message means, by words of it."""

    words: re.Pattern[str]
    side: str  # source, sink, either
    what: str
    hint: str


# What only Kafka's producer says, and what only those say who read: the consumer, and who asks for its offsets.
_PRODUCER = re.compile(r"not present in metadata after|Expiring \d+ record")
_CONSUMER = re.compile(
    r"Timeout of \d+ms expired before|position for partition|fetching topic metadata|node assignment"
)
_UNREACHABLE = re.compile(
    rf"{_PRODUCER.pattern}|{_CONSUMER.pattern}|TimeoutException|Timed out waiting|Timeout of \d+ms expired"
    r"|Failed to update metadata|No resolvable bootstrap|Connection to node|Broker may not be available"
    r"|DisconnectException"
)
_SIGNS = (
    _Sign(
        re.compile(re.escape(UNKNOWN_SCHEMA)),
        "source",
        "a message has a schema that nobody knows",
        "start the stream again: the versions of the subject are asked for at its start, and it goes on with that "
        "message. Where it is another subject's message, schemaSubject names that one, and options.mode: PERMISSIVE "
        "makes it a row of nulls",
    ),
    _Sign(
        re.compile(
            r"UnknownTopicOrPartition|This server does not host this topic|PARTITIONS_NOT_FOUND|topics are gone"
        ),
        "source",
        "the topic, or a partition of it, is gone",
        "create the topic; a topic that was made anew needs a new checkpoint, because its offsets begin again",
    ),
    _Sign(
        re.compile(
            r"data loss|DATA_LOSS|OffsetOutOfRange|offset was changed|may have been (?:aged out|missed|lost)|KAFKA_DATA"
            r"|failOnDataLoss|Cannot fetch offset"
        ),
        "source",
        "messages that were still to be read are gone from the topic",
        "options.failOnDataLoss: 'false' goes on with what is there; else restore the topic, or keep it for longer",
    ),
    _Sign(
        re.compile(
            r"MALFORMED_RECORD|Malformed (?:record|Avro)|BAD_RECORD|Malformed data|CANNOT_PARSE|Unrecognized token"
        ),
        "source",
        "a message cannot be read",
        "nothing of its batch was written. options.mode: PERMISSIVE makes such a message a row of nulls; start the "
        "stream again then, and it goes on with that batch",
    ),
    _Sign(
        re.compile(
            r"Metadata file for version|NoSuchTable|TABLE_OR_VIEW_NOT_FOUND|Table does not exist|refresh.*missing"
            r"|(?<!File)NotFoundException"
        ),
        "sink",
        "the table, or files of it, went away under the stream",
        "started again, the stream makes the table anew and goes on behind the last batch; to have the earlier rows "
        "again, delete its checkpoint too",
    ),
    _Sign(
        re.compile(r"FileNotFoundException|FILE_NOT_EXIST"),
        "either",
        "a file went away under the stream, one that it reads or one of the table that it writes",
        "put a file back that the stream was still to read; where the table is gone, the stream makes it anew when it "
        "is started again",
    ),
)


def stream_error(
    error: DataOSError, planned: PlannedStream, sources: tuple[PlannedInput, ...], cause: Exception | None
) -> DataOSError:
    """Return the error of a stream that ended.

    Args:
        error: What the engine said of the query, translated.
        planned: The query.
        sources: The streams that it reads.
        cause: Why a batch could not be written by this package; it knows better than the engine.
    """
    output = planned.output
    source = sources[0]
    if isinstance(cause, DataOSError):
        return _of_write(cause, planned, source)
    if not isinstance(error, StatementFailed) or isinstance(error, EngineCrashed):
        error.location = error.location or output.location
        return error
    message = _CLASSES.sub("", _STORY.sub("", _HEAD.sub("", error.message))).strip()
    if _UNREACHABLE.search(message):
        side = output if _PRODUCER.search(message) else source
        return _unreachable(message, side.label, side.location)
    for sign in _SIGNS:
        if sign.words.search(message):
            side = source if sign.side == "source" else output
            return _told(sign, message, side.label, side.location, planned)
    return StepError(
        f"{output.label}: the stream to {output.dataset} ended: {message}",
        step=output.label,
        hint="what was read is in the checkpoint: started again, the stream goes on with the batch that failed",
        location=output.location,
    )


def _of_write(cause: DataOSError, planned: PlannedStream, source: PlannedInput) -> DataOSError:
    """Return the error of a batch that could not be written, which is the source's where its rows cannot be made.

    Rows are made when they are written: a message that cannot be read is told by the write.
    """
    if _CONSUMER.search(cause.message) and not isinstance(cause, DepotUnreachable):
        return _unreachable(cause.message, source.label, source.location)
    for sign in _SIGNS:
        if sign.side == "source" and sign.words.search(cause.message):
            return _told(sign, cause.message, source.label, source.location, planned)
    cause.location = cause.location or planned.output.location
    return cause


def _unreachable(message: str, label: str, location: Location) -> DepotUnreachable:
    return DepotUnreachable(
        f"{label}: the broker does not answer: {message}",
        hint="what was read is in the checkpoint: start the stream again when the broker is back, and nothing is lost",
        location=location,
    )


def _told(sign: _Sign, message: str, label: str, location: Location, planned: PlannedStream) -> DataOSError:
    if sign.side == "sink":
        output = planned.output
        text = f"{output.label}: {sign.what}: {message}"
        return DatasetNotFound(text, hint=sign.hint, location=output.location)
    return StepError(f"{label}: {sign.what}: {message}", step=label, hint=sign.hint, location=location)

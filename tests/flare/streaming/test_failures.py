"""What ended a stream is told of the input or the output whose fault it is; the messages are those of Spark and Kafka."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dataos_dagster.errors import (
    DatasetNotFound,
    DepotUnreachable,
    Location,
    StatementFailed,
    StepError,
    WriteFailed,
)
from dataos_dagster.flare.streaming.failures import stream_error

INPUT, OUTPUT = Location("wf.yaml", 10, 1), Location("wf.yaml", 20, 1)
SOURCE = SimpleNamespace(label='inputs[0] "files"', location=INPUT)
PLANNED = SimpleNamespace(
    output=SimpleNamespace(label='outputs[0] "out"', location=OUTPUT, dataset="dataos://events:default/out")
)
KAFKA = "org.apache.kafka.common.errors.TimeoutException: "


def ended(message, cause=None):
    said = f"[STREAM_FAILED] Query [id=x] terminated with exception: {message}"
    return stream_error(StatementFailed(said), PLANNED, (SOURCE,), cause)


@pytest.mark.parametrize(
    ("message", "location"),
    [
        (f"{KAFKA}Topic out not present in metadata after 60000 ms.", OUTPUT),
        (f"{KAFKA}Expiring 3 record(s) for out-0:120000 ms has passed since batch creation", OUTPUT),
        (f"{KAFKA}Timed out waiting for a node assignment. Call: describeTopics", INPUT),
        (f"{KAFKA}Timeout of 60000ms expired before the position for partition in-0 could be determined", INPUT),
    ],
)
def test_a_broker_that_is_down_is_told_of_the_side_that_asked_it(message, location):
    error = ended(message)
    assert isinstance(error, DepotUnreachable)
    assert error.location == location
    assert error.retryable


def test_a_source_that_is_down_while_a_batch_is_written_can_be_retried():
    cause = WriteFailed(
        "dataos://lake:a/b was not written: Timeout of 60000ms expired before the position for partition t-0 could be "
        "determined",
        location=OUTPUT,
    )
    error = ended("BatchNotWritten", cause)
    assert isinstance(error, DepotUnreachable)
    assert error.location == INPUT
    other = WriteFailed("dataos://lake:a/b was not written: the disk is full")
    assert ended("BatchNotWritten", other) is other
    assert other.location == OUTPUT
    down = DepotUnreachable("the catalog: Timeout of 5ms expired before it answered", location=OUTPUT)
    assert ended("BatchNotWritten", down) is down


def test_a_file_that_went_away_is_not_taken_for_the_table():
    error = ended("java.io.FileNotFoundException: File file:/in/a.json does not exist")
    assert isinstance(error, StepError)
    assert "one that it reads or one of the table" in error.message
    gone = ended("org.apache.iceberg.exceptions.NotFoundException: File does not exist: s3://lake/t/metadata/v3.json")
    assert isinstance(gone, DatasetNotFound)
    assert gone.location == OUTPUT

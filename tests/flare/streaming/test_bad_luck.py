"""What goes wrong under a stream: told at its line, nothing lost, and mended by starting it again."""

from __future__ import annotations

import resource
import shutil

import pytest

from dataos_dagster.errors import DatasetNotFound, DepotUnreachable, DepotUnsupported, StepError

JOB = """
    streaming: {{triggerMode: {trigger}, checkpointLocation: {checkpoint}{more}}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson,
         schemaString: 'id bigint, name string', options: {{startingOffsets: earliest{options}}}}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw", options: {{saveMode: append}}}}
    """


def write_job(
    streams, topic, *, trigger="AvailableNow", checkpoint="checkpoints/orders", more="", options="", workflow="wf"
):
    body = JOB.format(topic=topic, trigger=trigger, checkpoint=checkpoint, more=more, options=options)
    return streams.job(body, workflow=workflow)


@pytest.fixture
def topic(streams):
    name = streams.kafka.create_topic()
    streams.produce(name, {"id": 1, "name": "ada"})
    return name


@pytest.mark.parametrize("more", ["", ", forEachBatchMode: true"])
def test_a_poisoned_message_stops_the_stream_where_that_is_asked_for_and_is_a_row_of_nulls_elsewhere(
    streams, topic, more
):
    write_job(streams, topic, more=more, options=", mode: FAILFAST")
    streams.run()
    streams.kafka.produce(topic, ["{poison", '{"id": 2, "name": "bob"}'])
    error = streams.error()
    assert isinstance(error, StepError)
    assert str(error.location) == "wf.yaml:13:41"
    assert error.message.startswith('inputs[0] "orders": a message cannot be read')
    assert "options.mode: PERMISSIVE" in error.hint
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ada")]

    write_job(streams, topic, more=more)
    streams.run()
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ada"), (2, "bob"), (None, None)]


def test_the_checkpoint_of_another_stream_is_refused_before_anything_is_read(streams, topic):
    write_job(streams, topic)
    streams.run()
    other = streams.kafka.create_topic()
    write_job(streams, other, workflow="other")
    error = streams.error("other")
    assert isinstance(error, StepError)
    assert str(error.location) == "other.yaml:11:72"
    assert "is that of another stream (public/wf/job): it reads dataos://events:default/" in error.message
    # Made by something else than this package, it says so by its offsets alone.
    (streams.folder / "checkpoints/orders/_dataos_stream.json").unlink()
    assert f"holds offsets of {topic}, which this stream does not read" in streams.error("other").message
    assert streams.run().rows == 0


def test_a_table_that_is_dropped_under_a_stream_is_made_anew(streams, topic):
    write_job(streams, topic)
    streams.run()
    shutil.rmtree(streams.folder / ".dataos/lakehouse/shop/orders")
    streams.produce(topic, {"id": 2, "name": "bob"})
    streams.run()
    assert streams.table("dataos://lakehouse:shop/orders") == [(2, "bob")]


def test_a_broker_that_is_down_is_named_and_nothing_is_lost_when_it_is_back(streams, topic):
    quick = ", kafka.default.api.timeout.ms: '2000', kafka.request.timeout.ms: '1000', fetchOffset.numRetries: '1'"
    write_job(streams, topic, options=quick)
    streams.run()
    streams.produce(topic, {"id": 2, "name": "bob"})
    streams.kafka.down()
    try:
        error = streams.error()
    finally:
        streams.kafka.up()
    assert isinstance(error, DepotUnreachable)
    assert error.retryable
    assert str(error.location) == "wf.yaml:13:41"
    assert streams.run().rows == 1
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ada"), (2, "bob")]


def test_messages_that_expired_unread_stop_the_stream_unless_it_may_pass_over_them(streams, topic):
    write_job(streams, topic)
    streams.run()
    streams.produce(topic, *({"id": number, "name": "late"} for number in range(2, 6)))
    streams.kafka.delete_messages(topic, before=4)
    error = streams.error()
    assert isinstance(error, StepError)
    assert str(error.location) == "wf.yaml:13:41"
    assert error.message.startswith('inputs[0] "orders": messages that were still to be read are gone from the topic')
    assert "failOnDataLoss" in error.hint
    write_job(streams, topic, options=", failOnDataLoss: 'false'")
    streams.run()
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ada"), (5, "late")]


def test_a_live_stream_goes_on_when_the_broker_is_back(streams, topic):
    write_job(streams, topic, trigger="ProcessingTime")
    with streams.live() as [query]:
        streams.until(lambda: query.rows == 1)
        streams.kafka.down()
        streams.kafka.up()
        streams.produce(topic, {"id": 2, "name": "bob"})
        streams.until(lambda: query.rows == 2)
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ada"), (2, "bob")]


def test_a_table_that_is_dropped_under_a_live_stream_is_made_anew_by_its_next_batch(streams, topic):
    write_job(streams, topic, trigger="ProcessingTime")
    with streams.live() as [query]:
        streams.until(lambda: query.rows == 1)
        shutil.rmtree(streams.folder / ".dataos/lakehouse/shop/orders")
        streams.produce(topic, {"id": 2, "name": "bob"})
        streams.until(lambda: query.rows == 2)
    assert streams.table("dataos://lakehouse:shop/orders") == [(2, "bob")]


@pytest.mark.parametrize("more", ["", ", forEachBatchMode: true"])
def test_a_disk_that_is_full_fails_the_stream_and_costs_no_message(streams, topic, spark_session, more):
    write_job(streams, topic, more=more)
    streams.run()
    streams.produce(topic, *({"id": number, "name": "x" * 50} for number in range(2, 400)))
    engine = spark_session.process.pid
    before = resource.prlimit(engine, resource.RLIMIT_FSIZE)
    # What the kernel refuses to write it refuses for a full disk too, at the same places.
    resource.prlimit(engine, resource.RLIMIT_FSIZE, (600, before[1]))
    try:
        error = streams.error()
    finally:
        resource.prlimit(engine, resource.RLIMIT_FSIZE, before)
    assert "File too large" in str(error)
    assert error.location is not None
    streams.run()
    assert [row[0] for row in streams.table("dataos://lakehouse:shop/orders")] == sorted(range(1, 400), key=repr)


@pytest.mark.parametrize("folder", ["offsets", "commits"])
def test_a_checkpoint_that_is_torn_is_told_with_its_place(streams, topic, folder):
    write_job(streams, topic)
    streams.run()
    for file in (streams.folder / "checkpoints/orders" / folder).iterdir():
        file.unlink() if file.name.startswith(".") else file.write_text("v1\n{torn")
    error = streams.error()
    assert error.location is not None
    assert error.location.file == "wf.yaml"
    assert "checkpoint" in str(error)


def test_a_topic_that_does_not_exist_is_told_at_the_input(streams):
    write_job(streams, "nowhere")
    error = streams.error()
    assert isinstance(error, DatasetNotFound | StepError)
    assert str(error.location) == "wf.yaml:13:41"
    assert "topic" in error.message


def test_rows_that_do_not_fit_the_table_are_told_at_the_output_and_come_when_it_is_mended(streams, topic):
    write_job(streams, topic, more=", forEachBatchMode: true")
    streams.run()
    streams.produce(topic, {"id": 2, "name": "bob"})
    given = {"trigger": "AvailableNow", "checkpoint": "checkpoints/orders", "options": ""}
    body = JOB.format(topic=topic, more=", forEachBatchMode: true", **given)
    streams.job(body.replace("id bigint, name string", "id bigint, name string, extra int"))
    error = streams.error()
    assert "columns that the dataset lacks: extra" in error.message
    assert str(error.location) == "wf.yaml:16:41"
    write_job(streams, topic, more=", forEachBatchMode: true")
    streams.run()
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ada"), (2, "bob")]


def test_sail_is_refused_with_the_reason(streams, topic):
    write_job(streams, topic)
    streams.write("dataos.yaml", "engines: {default: sail}\n")
    error = streams.error()
    assert "Sail has no" in str(error)
    assert not isinstance(error, DepotUnsupported) or error.hint

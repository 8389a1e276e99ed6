"""Every form of a stream runs: triggers without an end, output modes, sources and options, on the real engine."""

from __future__ import annotations

import json

import pytest

from dataos_dagster.errors import AssertionsFailed, StatementFailed, StepError

TABLE = "dataos://lakehouse:shop/orders"
JOB = """
    streaming: {{{streaming}, checkpointLocation: checkpoints/orders}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson,
         schemaString: 'id bigint, name string', options: {{startingOffsets: {begin}{options}}}}}
    steps:
      - sequence:
          - {{name: made, sql: "{sql}"}}
    outputs:
      - {{name: made, dataset: "{output}?acl=rw", {more}}}
    """


def job(
    streams, topic, streaming, *, sql="SELECT * FROM orders", output=TABLE, more="options: {saveMode: append}", **given
):
    values = {"begin": "earliest", "options": "", **given}
    streams.job(JOB.format(streaming=streaming, topic=topic, sql=sql, output=output, more=more, **values))


@pytest.fixture
def topic(streams):
    name = streams.kafka.create_topic()
    streams.produce(name, {"id": 1, "name": "ada"}, {"id": 2, "name": "bob"})
    return name


@pytest.mark.parametrize(
    "streaming",
    ["outputMode: append", "triggerMode: ProcessingTime, triggerDuration: 300 milliseconds, forEachBatchMode: true"],
    ids=["back to back", "at intervals, batch by batch"],
)
def test_a_stream_without_an_end_writes_what_comes_and_goes_on_where_it_was_stopped(streams, topic, streaming):
    job(streams, topic, streaming)
    with streams.live() as [query]:
        streams.until(lambda: query.rows == 2)
        streams.produce(topic, {"id": 3, "name": "cid"})
        streams.until(lambda: query.rows == 3)
        streams.until(lambda: query.last is not None and query.last.behind == 0)
    streams.produce(topic, {"id": 4, "name": "dan"})
    with streams.live() as [query]:
        streams.until(lambda: query.rows == 1)
    assert streams.table(TABLE) == [(1, "ada"), (2, "bob"), (3, "cid"), (4, "dan")]


def test_continuous_carries_single_messages_from_topic_to_topic(streams, topic):
    out = streams.kafka.create_topic()
    job(
        streams,
        topic,
        "triggerMode: Continuous, triggerDuration: 200 milliseconds",
        sql="SELECT id, upper(name) AS name FROM orders",
        output=f"dataos://events:default/{out}",
        more="format: kafkajson",
    )

    def written():
        return {json.loads(value)["name"] for _, value in streams.kafka.consume(out)}

    with streams.live():
        streams.until(lambda: written() == {"ADA", "BOB"})
        streams.produce(topic, {"id": 3, "name": "cid"})
        streams.until(lambda: written() == {"ADA", "BOB", "CID"})


def test_totals_are_kept_up_to_date_by_merging_what_each_batch_changes(streams, topic):
    merge = "merge: {onClause: 'old.name = new.name', whenClause: 'MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *'}"
    job(
        streams,
        topic,
        "triggerMode: AvailableNow, outputMode: update",
        sql="SELECT name, count(*) AS orders, sum(id) AS total FROM orders GROUP BY name",
        more=f"options: {{saveMode: append, iceberg: {{{merge}}}}}",
    )
    streams.run()
    streams.produce(topic, {"id": 5, "name": "bob"}, {"id": 7, "name": "cid"})
    streams.run()
    assert streams.table(TABLE) == [("ada", 1, 1), ("bob", 2, 7), ("cid", 1, 7)]


def test_a_limit_makes_several_batches_of_what_is_available_and_options_reach_the_writer(streams, topic):
    streams.produce(topic, *({"id": number, "name": f"n{number % 3}"} for number in range(3, 8)))
    spec = "partitionSpec: [{type: identity, column: name}]"
    job(
        streams,
        topic,
        'triggerMode: AvailableNow, extraOptions: {fanout-enabled: "true"}',
        more=f"options: {{saveMode: append, iceberg: {{{spec}}}}}",
        options=", maxOffsetsPerTrigger: '3'",
    )
    result = streams.run()
    assert result.rows == 7
    assert len(list((streams.folder / "checkpoints/orders/commits").glob("[0-9]*"))) >= 3
    assert len(streams.table(TABLE)) == 7
    assert (streams.folder / ".dataos/lakehouse/shop/orders/data/name=n0").is_dir()


def test_offsets_to_start_from_count_only_while_there_is_no_checkpoint(streams, topic):
    job(streams, topic, "triggerMode: AvailableNow", begin="latest")
    assert streams.run().rows == 0
    streams.produce(topic, {"id": 3, "name": "cid"})
    job(streams, topic, "triggerMode: AvailableNow", begin="earliest")
    assert streams.run().rows == 1
    assert streams.table(TABLE) == [(3, "cid")]


def test_a_table_is_a_stream_of_what_is_appended_to_it_and_others_are_joined_whole(streams, topic):
    job(streams, topic, "triggerMode: AvailableNow")
    streams.run()
    (streams.folder / "names.csv").write_text("name,city\nada,Rome\ncid,Oslo\n")
    streams.job(
        f"""
        streaming: {{triggerMode: AvailableNow, checkpointLocation: checkpoints/cities}}
        inputs:
          - {{name: orders, dataset: "{TABLE}", isStream: true}}
          - {{name: cities, dataset: {streams.folder}/names.csv, format: csv}}
        steps:
          - sequence:
              - {{name: made, sql: "SELECT o.id, c.city FROM orders o JOIN cities c ON o.name = c.name"}}
        outputs:
          - {{name: made, dataset: "dataos://lakehouse:shop/cities?acl=rw", options: {{saveMode: append}}}}
        """,
        workflow="cities",
    )
    streams.run("cities")
    assert streams.table("dataos://lakehouse:shop/cities") == [(1, "Rome")]
    streams.produce(topic, {"id": 3, "name": "cid"})
    streams.run()
    streams.run("cities")
    assert streams.table("dataos://lakehouse:shop/cities") == [(1, "Rome"), (3, "Oslo")]


def test_what_spark_cannot_do_with_a_stream_is_told_at_the_step_or_the_output(streams, topic):
    job(
        streams,
        topic,
        "triggerMode: AvailableNow",
        sql="SELECT id, row_number() OVER (ORDER BY id) AS n FROM orders",
    )
    error = streams.error()
    assert isinstance(error, StatementFailed | StepError)
    assert error.location is not None
    assert error.location.file == "wf.yaml"
    assert "window" in error.message.lower()


def test_assertions_in_front_of_an_output_look_at_each_batch_and_nothing_of_a_bad_one_is_written(streams, topic):
    columns = "{column: name, tests: ['missing_count == 0', 'max_length < 10']}"
    asserts = f"assertions: [{columns}, {{sql: 'SELECT min(id) AS least FROM made', tests: ['least > 0']}}]"
    job(streams, topic, "triggerMode: AvailableNow", more=f"options: {{saveMode: append}}, {asserts}")
    [query] = streams.plan().as_json()["stream"]["queries"]
    assert query["because"] == ["its assertions look at each batch before it is written"]
    assert [result.passed for result in streams.run().assertions] == [True, True, True]

    streams.produce(topic, {"id": 3, "name": "cid"}, {"id": 0, "name": None})
    error = streams.error()
    assert isinstance(error, AssertionsFailed)
    assert "2 out of 3 assertions failed for dataset dataos://lakehouse:shop/orders" in error.message
    assert error.location.line == 19
    assert streams.table(TABLE) == [(1, "ada"), (2, "bob")]

    sql = "SELECT * FROM orders WHERE id > 0"
    job(streams, topic, "triggerMode: AvailableNow", sql=sql, more=f"options: {{saveMode: append}}, {asserts}")
    assert streams.run().rows == 1
    assert streams.table(TABLE) == [(1, "ada"), (2, "bob"), (3, "cid")]


def test_a_topic_of_a_job_without_a_depot_is_a_stream_where_it_says_so(streams, topic):
    streams.job(
        f"""
        streaming: {{triggerMode: Once, checkpointLocation: checkpoints/spelled}}
        inputs:
          - name: orders
            inputType: kafka
            kafka: {{brokers: '{streams.kafka.bootstrap}', topic: {topic}, isBatch: false,
                    format: kafkajson, schemaType: sparkDDL, schemaString: 'id bigint, name string',
                    options: {{startingOffsets: earliest}}}}
        outputs:
          - {{name: orders, dataset: "{TABLE}?acl=rw", options: {{saveMode: append}}}}
        """
    )
    assert streams.run().rows == 2
    assert streams.run().rows == 0
    assert streams.table(TABLE) == [(1, "ada"), (2, "bob")]

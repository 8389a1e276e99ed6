"""Streams that end: what is there is read once, by whichever trigger, and written to every kind of sink."""

from __future__ import annotations

import json

import pytest

SCHEMA = "schemaString: 'id bigint, name string'"
TO_TABLE = """
    explain: true
    streaming: {{triggerMode: {trigger}, checkpointLocation: dataos://lakehouse:sys01/checkpoints/orders{more}}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson, isStream: true,
         schemaString: 'id bigint, name string', options: {{startingOffsets: earliest}}}}
    steps:
      - sequence:
          - {{name: named, sql: "SELECT id, upper(name) AS name FROM orders WHERE id > 0"}}
    outputs:
      - {{name: named, dataset: "dataos://lakehouse:shop/orders?acl=rw", format: Iceberg, options: {{saveMode: append}}}}
    """


@pytest.fixture
def topic(streams):
    name = streams.kafka.create_topic(partitions=2)
    streams.produce(name, {"id": 1, "name": "ada"}, {"id": 2, "name": "bob"}, {"id": 0, "name": "nobody"})
    return name


@pytest.mark.parametrize(
    ("trigger", "more"), [("Once", ""), ("availablenow", ""), ("Once", ", forEachBatchMode: 'true'")]
)
def test_a_stream_that_ends_reads_each_message_once(streams, topic, trigger, more):
    streams.job(TO_TABLE.format(trigger=trigger, topic=topic, more=more))
    first = streams.run()
    assert first.engine == "spark"
    assert any("Sail has no" in reason for reason in first.engine_reasons)
    assert first.rows == 2
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ADA"), (2, "BOB")]

    streams.produce(topic, {"id": 3, "name": "cid"})
    assert streams.run().rows == 1
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ADA"), (2, "BOB"), (3, "CID")]
    assert (streams.folder / ".dataos/lakehouse/sys01/checkpoints/orders/offsets").is_dir()


def test_a_stream_without_a_checkpoint_gets_one_of_its_own(streams, topic):
    body = TO_TABLE.format(trigger="AvailableNow", topic=topic, more="")
    streams.job(body.replace(", checkpointLocation: dataos://lakehouse:sys01/checkpoints/orders", ""))
    result = streams.run()
    [note] = [note for note in result.notes if "checkpointLocation" in note]
    folder = streams.folder / ".dataos/checkpoints/public/wf/job/0_named"
    assert note == f'outputs[0] "named": no `checkpointLocation` is given, so offsets are kept in {folder}'
    assert (folder / "commits").is_dir()
    assert streams.run().rows == 0


def test_messages_behind_a_header_are_read_and_a_condition_makes_only_the_fields_that_it_is_about(streams, topic):
    header = b"\x00\x00\x00\x00\x07"
    streams.kafka.produce(topic, [header + b'{"id": 4, "name": "dan"}', header, b"", None])
    streams.job(TO_TABLE.format(trigger="AvailableNow", topic=topic, more=""))
    [explained] = streams.run().explain.values()
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ADA"), (2, "BOB"), (4, "DAN")]
    # Given any option, the parser makes every field of a message, once for the condition and once for the row.
    assert "(from_json(StructField(id,LongType,true), cast(" in explained.partition("== Physical Plan ==")[2]


def test_files_are_a_stream_too_and_every_output_has_a_query(streams):
    (streams.folder / "in").mkdir()
    (streams.folder / "in/a.csv").write_text("id,name\n1,ada\n2,\n")
    out = streams.kafka.create_topic()
    streams.job(f"""
        streaming: {{triggerMode: AvailableNow, checkpointLocation: checkpoints}}
        inputs:
          - {{name: rows, dataset: {streams.folder}/in, format: csv, isStream: true, {SCHEMA}}}
        outputs:
          - {{name: rows, dataset: "dataos://events:default/{out}?acl=rw", format: kafkajson}}
          - {{name: rows, dataset: "dataos://lakehouse:shop/rows?acl=rw", options: {{saveMode: overwrite}}}}
        """)
    result = streams.run()
    assert [json.loads(value) for _, value in streams.kafka.consume(out)] == [
        {"id": 1, "name": "ada"},
        {"id": 2, "name": None},
    ]
    assert streams.table("dataos://lakehouse:shop/rows") == [(1, "ada"), (2, None)]
    assert any("`saveMode: overwrite` would leave the last micro-batch only" in note for note in result.notes)
    (streams.folder / "in/b.csv").write_text("id,name\n3,cid\n")
    assert [output.rows for output in streams.run().outputs] == [1, 1]
    assert len(streams.table("dataos://lakehouse:shop/rows")) == 3


def test_each_batch_is_merged_into_a_table(streams, topic):
    body = TO_TABLE.format(trigger="AvailableNow", topic=topic, more=", outputMode: append")
    merge = "iceberg: {merge: {onClause: 'old.id = new.id', whenClause: 'MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *'}}"
    streams.job(body.replace("options: {saveMode: append}", f"options: {{saveMode: append, {merge}}}"))
    plan = streams.plan().as_json()
    assert plan["stream"]["queries"][0]["because"] == ["a merge is one statement a batch"]
    streams.run()
    streams.produce(topic, {"id": 2, "name": "bea"})
    streams.run()
    assert streams.table("dataos://lakehouse:shop/orders") == [(1, "ADA"), (2, "BEA")]


def test_a_table_of_totals_is_replaced_as_a_whole(streams, topic):
    body = TO_TABLE.format(trigger="AvailableNow", topic=topic, more=", outputMode: complete")
    body = body.replace("SELECT id, upper(name) AS name FROM orders WHERE id > 0", "SELECT count(*) AS n FROM orders")
    streams.job(body)
    streams.run()
    streams.produce(topic, {"id": 5, "name": "eva"})
    streams.run()
    assert streams.table("dataos://lakehouse:shop/orders") == [(4,)]


def test_batches_go_to_a_database(streams, topic, postgresql):
    name = postgresql.create_database()
    postgresql.execute("CREATE TABLE orders (id bigint, name text)", database=name)
    streams.write(
        "database.yaml",
        f"""
        name: shopdb
        version: v1
        type: depot
        depot:
          type: postgresql
          spec: {{host: {postgresql.host}, port: {postgresql.port}, database: {name}}}
          connectionSecret:
            - {{acl: rw, type: key-value-properties,
               data: {{username: {postgresql.user}, password: "{postgresql.password}"}}}}
        """,
    )
    body = TO_TABLE.format(trigger="AvailableNow", topic=topic, more="")
    streams.job(
        body.replace(
            'dataos://lakehouse:shop/orders?acl=rw", format: Iceberg',
            'dataos://shopdb:public/orders?acl=rw", format: jdbc',
        )
    )
    assert streams.run().rows == 2
    streams.produce(topic, {"id": 3, "name": "cid"})
    streams.run()
    rows = postgresql.execute("SELECT id, name FROM orders ORDER BY id", database=name)
    assert rows == [(1, "ADA"), (2, "BOB"), (3, "CID")]


def test_a_password_reaches_the_brokers_and_no_plan(streams, topic):
    streams.write(
        "secure.yaml",
        f"""
        name: secure
        version: v1
        type: depot
        depot:
          type: kafka
          kafka: {{brokers: ["{streams.kafka.sasl_bootstrap}"]}}
          connectionSecret:
            - {{acl: rw, type: key-value-properties,
               data: {{username: {streams.kafka.username}, password: {streams.kafka.password}}}}}
        """,
    )
    body = TO_TABLE.format(trigger="AvailableNow", topic=topic, more="")
    streams.job(body.replace("dataos://events:", "dataos://secure:"))
    result = streams.run()
    assert result.rows == 2
    assert result.explain
    assert streams.kafka.password not in f"{result.explain}{result.plan}{result.notes}"

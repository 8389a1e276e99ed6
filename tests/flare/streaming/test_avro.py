"""Avro in the values of messages: plain, and with the ids of a schema registry, old and new schemas side by side."""

from __future__ import annotations

import json

import pytest
from registry_server import registry_server

from dataos_dagster.errors import SchemaMismatch, StepError

OLD = {"type": "record", "name": "orders", "fields": [{"name": "id", "type": "long"}]}
NEW = {**OLD, "fields": [*OLD["fields"], {"name": "name", "type": ["null", "string"], "default": None}]}
TO_TABLE = """
    streaming: {{triggerMode: AvailableNow, checkpointLocation: checkpoints/orders}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkaavro{more},
         options: {{startingOffsets: earliest{options}}}}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw", options: {{saveMode: append}}}}
    """
TABLE = "dataos://lakehouse:shop/orders"


@pytest.fixture
def registry(streams):
    with registry_server() as found:
        depot = streams.folder / "depot.yaml"
        depot.write_text(depot.read_text().replace("]}", f"], schemaRegistryUrl: '{found.url}'}}"))
        yield found


@pytest.fixture
def topic(streams):
    return streams.kafka.create_topic()


def long(number):
    """Return a number as Avro writes it: zigzag, for those that fit one byte."""
    return bytes([number * 2])


def text(value):
    return long(len(value)) + value.encode()


def header(schema_id):
    return b"\x00" + schema_id.to_bytes(4, "big")


def test_messages_of_old_and_new_schemas_are_read_with_the_newest_and_an_unknown_one_waits(streams, registry, topic):
    subject = f"{topic}-value"
    first = registry.add(subject, OLD)
    second = registry.add(subject, NEW)
    body = TO_TABLE.format(topic=topic, more="", options="")
    streams.job(body)
    messages = [header(first) + long(1), header(second) + long(2) + long(1) + text("bob"), None]
    streams.kafka.produce(topic, messages)
    streams.run()
    assert streams.table(TABLE) == [(1, None), (2, "bob"), (None, None)]

    # Registered while the stream was down, or by nobody yet: nothing is read wrongly, and nothing passed over.
    third = len(registry.schemas) + 1
    streams.kafka.produce(topic, [header(third) + long(3) + text("cid") + long(1)])
    for options in (", mode: FAILFAST", ""):
        streams.job(TO_TABLE.format(topic=topic, more="", options=options))
        error = streams.error()
        assert isinstance(error, StepError)
        assert str(error.location) == "wf.yaml:13:41"
        unknown = "the message at offset 3 of partition 0 was written with a schema that the registry has not"
        assert unknown in str(error)
        assert "start the stream again" in error.hint
    fields = [*NEW["fields"][:1], {"name": "name", "type": "string"}, {"name": "n", "type": "long"}]
    assert registry.add(subject, {**OLD, "fields": fields}) == third
    streams.job(body.replace("format: kafkaavro", f"format: kafkaavro, schemaId: {second}"))
    streams.run()
    assert streams.table(TABLE) == [(1, None), (2, "bob"), (3, "cid"), (None, None)]


def test_rows_are_written_with_the_schema_of_their_columns_and_read_back(streams, registry, topic):
    (streams.folder / "in").mkdir()
    (streams.folder / "in/a.csv").write_text("id,name,price,at\n0,ann,1.50,2026-01-02 03:04:05\n7,,,\n")
    schema = "id bigint, name string, price decimal(9,2), at timestamp"
    streams.job(
        f"""
        inputs:
          - {{name: rows, dataset: {streams.folder}/in, format: csv, schemaType: sparkDDL, schemaString: '{schema}'}}
        outputs:
          - {{name: rows, dataset: "dataos://events:default/{topic}?acl=rw", format: kafkaavro}}
        """,
        workflow="out",
    )
    streams.run("out")
    [number] = registry.subjects[f"{topic}-value"]
    assert [field["name"] for field in json.loads(registry.schemas[number])["fields"]] == ["id", "name", "price", "at"]
    assert {value[:5] for _, value in streams.kafka.consume(topic)} == {header(number)}
    streams.job(TO_TABLE.format(topic=topic, more="", options=""))
    streams.run()
    found = [(row[0], row[1], str(row[2]), str(row[3])) for row in streams.table(TABLE)]
    assert found == [(0, "ann", "1.50", "2026-01-02 03:04:05"), (7, None, "None", "None")]


def test_plain_avro_that_begins_with_a_zero_is_read_as_it_is(streams, topic):
    """A null, the number 0 and the first type of a union are all zero bytes: no header is guessed from one."""
    row = {**NEW, "fields": [*NEW["fields"][::-1], {"name": "more", "type": "string"}]}
    streams.kafka.produce(topic, [long(0) + long(0) + text("abcdef"), long(1) + text("ann") + long(1) + text("")])
    streams.job(TO_TABLE.format(topic=topic, more=f", schemaString: '{json.dumps(row)}'", options=""))
    streams.run()
    assert streams.table(TABLE) == [("ann", 1, ""), (None, 0, "abcdef")]


def test_headers_are_skipped_where_nobody_can_be_asked_for_their_schema(streams, topic):
    streams.kafka.produce(topic, [header(9) + long(4)])
    more = f", schemaString: '{json.dumps(OLD)}'"
    streams.job(TO_TABLE.format(topic=topic, more=more, options=", schemaRegistryHeader: 'true'"))
    streams.run()
    assert streams.table(TABLE) == [(4,)]


def test_poisoned_avro_stops_the_stream_where_that_is_asked_for_and_is_a_row_of_nulls_elsewhere(streams, topic):
    more = f", schemaString: '{json.dumps(NEW)}'"
    streams.kafka.produce(topic, [long(1) + long(1) + text("ann"), b"\x02\x02\x7f"])
    streams.job(TO_TABLE.format(topic=topic, more=more, options=", Mode: FAILFAST"))
    error = streams.error()
    assert (str(error.location), error.hint[:38]) == ("wf.yaml:13:41", "nothing of its batch was written. opti")
    assert error.message.startswith('inputs[0] "orders": a message cannot be read')
    streams.job(TO_TABLE.format(topic=topic, more=more, options=""))
    streams.run()
    assert streams.table(TABLE) == [(1, "ann"), (None, None)]


def test_a_schema_of_another_language_is_refused_at_its_input(streams, topic):
    streams.job(TO_TABLE.format(topic=topic, more=", schemaString: 'id bigint'", options=""))
    error = streams.error()
    assert isinstance(error, SchemaMismatch)
    assert "its values are Avro, and the schema that is given is ddl" in error.message
    assert str(error.location) == "wf.yaml:13:41"


def test_a_job_without_a_depot_names_brokers_and_registry_itself(streams, topic):
    with registry_server() as registry:
        kafka = f"kafka: {{brokers: '{streams.kafka.bootstrap}', topic: {topic}, schemaRegistryUrl: '{registry.url}'"
        (streams.folder / "in").mkdir()
        (streams.folder / "in/a.json").write_text('{"id": 1}\n{"id": 2}\n')
        streams.job(
            f"""
            inputs:
              - {{name: rows, inputType: file, file: {{path: {streams.folder}/in, format: json}}}}
            outputs:
              - {{name: rows, outputType: kafka, {kafka}, options: {{format: avro}}}}}}
            """,
            workflow="out",
        )
        streams.run("out")
        streams.job(
            f"""
            inputs:
              - {{name: rows, inputType: kafka, {kafka}, isBatch: true}}}}
            outputs:
              - {{name: rows, dataset: "{TABLE}?acl=rw"}}
            """
        )
        result = streams.run()
        assert streams.table(TABLE) == [(1,), (2,)]
        assert result.inputs[0].dataset == f"kafka:default/{topic}"
        assert list(registry.subjects) == [f"{topic}-value"]

"""What is asked of whole datasets is done when a stream has ended, as a job without streams does it."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import AssertionsFailed

TABLE, COPIES = "dataos://lakehouse:shop/orders", "dataos://lakehouse:shop/copies"
LOAD = """
    streaming: {{triggerMode: AvailableNow, checkpointLocation: checkpoints/orders}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson, isStream: true,
         schemaString: 'id bigint, name string', options: {{startingOffsets: latest}}}}
    assertions:
      - {{sql: "SELECT count(*) AS n, max(id) AS most FROM orders", tests: ["n == {count}", "most < 9"]}}
    steps:
      - sequence:
          - {{name: kept, sql: "SELECT * FROM orders WHERE id > 0"}}
          - {{name: shouted, sql: "SELECT id, upper(name) AS name FROM kept"}}
    outputs:
      - {{name: shouted, dataset: "dataos://lakehouse:shop/orders?acl=rw", options: {{saveMode: append}}}}
    """
COPY = """
    streaming: {triggerMode: Once, checkpointLocation: checkpoints/copies}
    inputs:
      - {name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw", isStream: true}
    profile: {level: basic, filters: [{type: expression, expression: "name <> 'nobody'"}]}
    actions:
      - {name: rewrite_dataset, input: orders, options: {properties: {rewrite-all: "true"}}}
    outputs:
      - {name: orders, dataset: "dataos://lakehouse:shop/copies?acl=rw", options: {saveMode: append}}
    """


@pytest.fixture
def topic(streams):
    name = streams.kafka.create_topic()
    streams.produce(name, {"id": 1, "name": "ada"})
    return name


def test_assertions_see_all_messages_of_the_topic_and_fail_the_run_behind_what_it_wrote(streams, topic):
    streams.job(LOAD.format(topic=topic, count=1))
    [count, most] = streams.run().assertions
    assert (count.value, most.value) == (1, 1)
    # The stream begins with what comes, the assertions with what is there.
    assert streams.table(TABLE) == []

    streams.produce(topic, {"id": 2, "name": "bob"}, {"id": 9, "name": "cid"})
    error = streams.error()
    assert isinstance(error, AssertionsFailed)
    assert "2 out of 2 assertions failed" in error.message
    assert str(error.location) == "wf.yaml:16:84"
    assert streams.table(TABLE) == [(2, "BOB"), (9, "CID")]

    streams.write("dataos.yaml", "flare: {assertions: warn}\n")
    result = streams.run()
    assert [found.passed for found in result.assertions] == [False, False]
    assert streams.table(TABLE) == [(2, "BOB"), (9, "CID")]


def test_a_source_is_profiled_whole_and_maintained_when_its_stream_has_ended(streams, topic):
    streams.job(LOAD.format(topic=topic, count=1).replace("latest", "earliest"))
    streams.run()
    streams.produce(topic, {"id": 2, "name": "bob"})
    streams.job(LOAD.format(topic=topic, count=2).replace("latest", "earliest"))
    streams.run()
    streams.job(COPY, workflow="copy")
    result = streams.run("copy")
    assert streams.table(COPIES) == [(1, "ADA"), (2, "BOB")]
    assert (result.profile.dataset, result.profile.rows) == (TABLE, 2)
    [rewritten] = result.actions
    assert rewritten.counts["data_files_rewritten"] == 2
    # Files that were only put together are no news for the stream.
    result = streams.run("copy")
    assert (result.profile.rows, result.rows) == (2, 0)
    assert streams.table(COPIES) == [(1, "ADA"), (2, "BOB")]


NAMED = """
    showPreviewLines: 5
    streaming: {{triggerMode: AvailableNow, checkpointLocation: checkpoints/named}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson, isStream: true,
         schemaString: 'id bigint, name string', options: {{startingOffsets: earliest}}}}
      - name: cities
        dataset: {folder}/cities
        format: csv
        schemaString: id bigint, city string
        incremental:
          context: all_cities
          sql: SELECT * FROM all_cities WHERE id > $|last| AND id <= $|newest|
          keys: [{{name: last, default: "0"}}, {{name: newest, sql: SELECT max(id) FROM all_cities}}]
          state: [{{key: last, value: newest}}]
    assertions:
      - {{sql: "SELECT count(*) AS n FROM orders CROSS JOIN cities", tests: ["n == {pairs}"]}}
    steps:
      - sequence:
          - {{name: named, sql: "SELECT orders.id, city FROM orders JOIN cities ON cities.id > 0"}}
    outputs:
      - {{name: named, dataset: "dataos://lakehouse:shop/named?acl=rw", options: {{saveMode: append}}}}
    """


def test_what_is_new_in_an_input_beside_a_stream_is_read_once_and_shown_once(streams, topic):
    (streams.folder / "cities").mkdir()
    (streams.folder / "cities/a.csv").write_text("id,city\n1,rome\n2,oslo\n")
    streams.job(NAMED.format(topic=topic, folder=streams.folder, pairs=2))
    result = streams.run()
    assert streams.table("dataos://lakehouse:shop/named") == [(1, "oslo"), (1, "rome")]
    assert [window.stored for window in result.windows] == [{"last": "2"}]
    # The topic is shown when it has been read to its end, and all else before.
    assert sorted(preview.name for preview in result.previews) == ["cities", "named", "orders"]

    (streams.folder / "cities/b.csv").write_text("id,city\n3,bonn\n")
    streams.produce(topic, {"id": 2, "name": "bob"})
    # What fails behind the stream is written all the same, and is not read again.
    streams.job(NAMED.format(topic=topic, folder=streams.folder, pairs=7))
    assert "found 2" in str(streams.error())
    assert streams.table("dataos://lakehouse:shop/named") == [(1, "oslo"), (1, "rome"), (2, "bonn")]

    streams.produce(topic, {"id": 3, "name": "cid"})
    streams.job(NAMED.format(topic=topic, folder=streams.folder, pairs=0))
    streams.run()
    assert len(streams.table("dataos://lakehouse:shop/named")) == 3

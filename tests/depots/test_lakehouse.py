"""A lakehouse in a folder: the same rows, types, partitions and errors on Sail and on Spark."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from depot_shop import ANN, target

from dataos_dagster.depots.door import Merge, PartitionField, ReadRequest, Sort, SortColumn, WriteRequest
from dataos_dagster.depots.lakehouse.metadata import STRICT_COLUMNS, read_state
from dataos_dagster.depots.storage import Place
from dataos_dagster.errors import DatasetNotFound, DepotError, DepotUnsupported, SchemaMismatch, WriteFailed

ORDERS = "dataos://lakehouse:sales/orders"
ROWS = "SELECT id, concat('c', id) AS name, make_timestamp(2024, 1, 1 + int(id), 0, 0, 0) AS at FROM range({})"


def table_state(shop, *path):
    return read_state(Place(str(shop.root / ".dataos" / "lakehouse")).join(*(path or ("sales", "orders"))))


def test_without_any_manifest_there_is_a_lakehouse_in_the_projects_state(shop):
    written = shop.write("SELECT 1 AS id, 'a' AS name", ORDERS)
    assert (written.rows, written.created) == (1, True)
    assert shop.rows("dataos://icebase:sales/orders") == [(1, "a")]
    assert (shop.root / ".dataos" / "lakehouse" / "sales" / "orders" / "metadata").is_dir()


def test_append_adds_and_overwrite_replaces_and_each_says_how_many_rows(shop):
    assert shop.write(ROWS.format(3), ORDERS).rows == 3
    appended = shop.write(ROWS.format(2), ORDERS, "append")
    assert (appended.rows, appended.created) == (2, False)
    assert shop.frame(ORDERS).count() == 5
    replaced = shop.write(ROWS.format(1), ORDERS)
    assert replaced.rows == 1
    assert replaced.snapshot_id == str(table_state(shop).snapshot().id) != appended.snapshot_id
    assert shop.rows(ORDERS) == [(0, "c0", datetime(2024, 1, 1))]  # noqa: DTZ001 - Spark's rows have no zone


def test_a_frame_without_rows_makes_an_empty_table(shop):
    assert shop.write(ROWS.format(0), ORDERS).rows == 0
    assert shop.rows(ORDERS) == []
    assert shop.types(ORDERS) == {"id": "bigint", "name": "string", "at": "timestamp"}


def test_every_column_of_a_new_table_is_optional_down_to_elements(shop):
    shop.write("SELECT 1 AS id, array(1) AS a, struct(1 AS x) AS s", ORDERS)
    shop.write(
        "SELECT CAST(NULL AS INT) AS id, array(CAST(NULL AS INT)) AS a, struct(CAST(NULL AS INT) AS x) AS s",
        ORDERS,
        "append",
    )
    assert (None, [None], (None,)) in shop.rows(ORDERS)
    assert STRICT_COLUMNS not in table_state(shop).properties


def test_types_survive_a_round_trip(shop):
    query = """SELECT CAST(1 AS INT) AS i, CAST(2 AS BIGINT) AS l, CAST(1.5 AS FLOAT) AS f, 2.5D AS d, true AS b,
        CAST(1.25 AS DECIMAL(10, 2)) AS n, 'x' AS s, DATE'2024-02-29' AS day, TIMESTAMP'2024-01-01 10:00:00' AS at,
        CAST('2024-01-01 10:00:00' AS TIMESTAMP_NTZ) AS wall, CAST('ab' AS BINARY) AS raw, array('a') AS a,
        map('k', 1) AS m, named_struct('x', 1, 'y', 'z') AS st"""
    written = shop.write(query, ORDERS)
    assert {column.name: column.type for column in written.schema} == shop.types(ORDERS)
    assert shop.types(ORDERS) == {
        "i": "int", "l": "bigint", "f": "float", "d": "double", "b": "boolean", "n": "decimal(10,2)", "s": "string",
        "day": "date", "at": "timestamp", "wall": "timestamp_ntz", "raw": "binary", "a": "array<string>",
        "m": "map<string,int>", "st": "struct<x:int,y:string>",
    }  # fmt: skip
    assert shop.frame(ORDERS).collect() == shop.sql(query).collect()


def test_a_format_of_files_has_no_effect_on_a_table_and_is_told(sail_shop):
    for format_, notes in (("delta", 1), ("PARQUET", 1), ("Iceberg", 0), (None, 0)):
        request = WriteRequest(target("dataos://lakehouse:sales/orders"), "append", format=format_)
        found = [note for note in sail_shop.door.requirements([request]).notes if "has no effect" in note]
        assert len(found) == notes
        assert all(f"the depot holds Iceberg tables, so `format: {format_}`" in note for note in found)


def test_small_integers_become_int_because_iceberg_has_no_smaller(shop):
    shop.write("SELECT CAST(1 AS TINYINT) AS a, CAST(2 AS SMALLINT) AS b", ORDERS)
    assert shop.types(ORDERS) == {"a": "int", "b": "int"}


SPEC = (
    PartitionField("identity", "name"),
    PartitionField("day", "at"),
    PartitionField("bucket", "id", width=4),
    PartitionField("truncate", "name", width=2),
)


def test_each_transform_of_a_partition_spec_is_applied(shop):
    shop.write(ROWS.format(3), ORDERS, partition_spec=SPEC)
    assert table_state(shop).partition_spec == (
        ("identity", "name", "name"),
        ("day", "at", "at_day"),
        ("bucket[4]", "id", "id_bucket"),
        ("truncate[2]", "name", "name_trunc"),
    )
    for transform in ("year", "month", "hour"):
        shop.write(
            ROWS.format(3), f"dataos://lakehouse:sales/{transform}", partition_spec=(PartitionField(transform, "at"),)
        )
        assert table_state(shop, "sales", transform).partition_spec == ((transform, "at", f"at_{transform}"),)
        assert shop.frame(f"dataos://lakehouse:sales/{transform}").count() == 3


def test_partition_by_means_identity_on_a_table(shop):
    shop.write("SELECT 1 AS id, CAST(NULL AS STRING) AS k UNION ALL SELECT 2, 'b'", ORDERS, partition_by=("k",))
    assert table_state(shop).partition_spec == (("identity", "k", "k"),)
    assert shop.rows(ORDERS) == [(1, None), (2, "b")]


def test_dynamic_overwrite_replaces_only_the_partitions_that_occur(shop):
    shop.write("SELECT id, id % 2 AS k FROM range(4)", ORDERS, partition_spec=(PartitionField("identity", "k"),))
    written = shop.write("SELECT CAST(9 AS BIGINT) AS id, CAST(1 AS BIGINT) AS k", ORDERS, dynamic_overwrite=True)
    assert written.rows == 1
    assert shop.rows(ORDERS) == [(0, 0), (2, 0), (9, 1)]


def test_a_spec_that_names_no_column_is_refused_before_anything_is_written(shop):
    with pytest.raises(SchemaMismatch, match="the partition spec names 'nope', which is no column"):
        shop.write(ROWS.format(1), ORDERS, partition_spec=(PartitionField("day", "nope"),))
    assert table_state(shop) is None


def test_properties_are_set_at_creation_and_afterwards(shop):
    shop.write(ROWS.format(1), ORDERS, properties={"owner.note": "it's \\ mine"}, compression="gzip")
    shop.write(ROWS.format(1), ORDERS, "append", properties={"history.expire.max-snapshot-age-ms": "1000"})
    found = table_state(shop).properties
    assert found["owner.note"] == "it's \\ mine"
    assert found["write.parquet.compression-codec"] == "gzip"
    assert found["history.expire.max-snapshot-age-ms"] == "1000"


def test_compressed_metadata_is_read_and_written(shop):
    shop.write("SELECT 1 AS id", ORDERS, properties={"write.metadata.compression-codec": "gzip"})
    shop.write("SELECT 2 AS id", ORDERS, "append")
    assert shop.rows(ORDERS) == [(1,), (2,)]


@pytest.mark.parametrize(
    ("value", "there"),
    [
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("map(md5('a'), array(md5('a')))", {"0cc175b9c0f1b6a831c399e269772661": ["0cc175b9c0f1b6a831c399e269772661"]}),
    ],
)
def test_texts_of_any_function_are_written_into_a_table_that_is_there(shop, value, there):
    for mode in ("overwrite", "append", "overwrite", "append"):
        shop.write(f"SELECT {value} AS digest, 1 AS id", ORDERS, mode)
    assert shop.rows(ORDERS) == [(there, 1), (there, 1)]
    shop.write(f"SELECT {value} AS digest, 1 AS id", ORDERS, dynamic_overwrite=True)
    assert shop.rows(ORDERS) == [(there, 1)]


def test_a_codec_of_metadata_that_iceberg_does_not_know_is_left_out_and_told(shop):
    properties = {"write.metadata.compression-codec": "snappy", "owner.note": "kept"}
    request = WriteRequest(target(ORDERS), "overwrite", properties=properties)
    [note] = shop.door.requirements([request]).notes
    assert "write.metadata.compression-codec is left out" in note
    assert "not by snappy" in note
    for mode in ("overwrite", "append"):
        shop.write("SELECT 1 AS id", ORDERS, mode, properties=properties)
    assert shop.rows(ORDERS) == [(1,), (1,)]
    assert table_state(shop).properties["owner.note"] == "kept"
    assert "write.metadata.compression-codec" not in table_state(shop).properties


def test_merge_updates_and_inserts(shop):
    shop.write("SELECT id, 'old' AS name FROM range(2)", ORDERS)
    when = "MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    shop.write("SELECT id + 1 AS id, 'new' AS name FROM range(2)", ORDERS, merge=Merge("old.id = new.id", when))
    assert shop.rows(ORDERS) == [(0, "old"), (1, "new"), (2, "new")]
    shop.write(
        "SELECT CAST(0 AS BIGINT) AS id, 'x' AS other",
        ORDERS,
        merge=Merge("old.id = new.id", "WHEN MATCHED THEN UPDATE SET old.name = new.other"),
    )
    assert shop.rows(ORDERS)[0] == (0, "x")


def test_a_merge_into_nothing_creates_the_table_with_every_row(shop):
    shop.write("SELECT id FROM range(2)", ORDERS, merge=Merge("old.id = new.id", "NOT MATCHED THEN INSERT *"))
    assert shop.rows(ORDERS) == [(0,), (1,)]


def test_columns_are_matched_by_name_whatever_their_case_and_order(shop):
    shop.write("SELECT 1 AS id, 'a' AS name", ORDERS)
    shop.write("SELECT 'b' AS NAME, CAST(2 AS TINYINT) AS Id", ORDERS, "append")
    assert shop.rows(ORDERS) == [(1, "a"), (2, "b")]
    assert list(shop.types(ORDERS)) == ["id", "name"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT 1 AS id", "has no column name"),
        ("SELECT 1 AS id, 'a' AS name, 2 AS more, 3 AS most", "has columns that the dataset lacks: more, most"),
        ("SELECT CAST(1 AS BIGINT) AS id, 'a' AS name", "cannot safely cast id from bigint to int"),
        ("SELECT '1' AS id, 'a' AS name", "cannot safely cast id from string to int"),
        ("SELECT 1 AS id, 'a' AS name, 'b' AS NAME", "two columns are named 'name' and 'NAME'"),
    ],
)
@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_what_does_not_fit_is_named_and_nothing_is_written(shop, query, said, mode):
    shop.write("SELECT 1 AS id, 'a' AS name", ORDERS)
    before = table_state(shop).raw
    with pytest.raises(SchemaMismatch) as refused:
        shop.write(query, ORDERS, mode)
    assert said in refused.value.message
    assert table_state(shop).raw == before


def test_a_column_that_is_only_null_needs_a_type(shop):
    with pytest.raises(SchemaMismatch, match="no type for x"):
        shop.write("SELECT NULL AS x", ORDERS)


def test_a_failing_query_leaves_the_table_as_it_was(shop):
    shop.write("SELECT CAST(1 AS BIGINT) AS id", ORDERS)
    before = table_state(shop).raw
    with pytest.raises(WriteFailed, match="boom") as failed:
        shop.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", ORDERS)
    assert failed.value.hint == "the table is as it was before"
    assert table_state(shop).raw == before
    with pytest.raises(WriteFailed):
        shop.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", "dataos://lakehouse:sales/new")
    assert table_state(shop, "sales", "new") is None


def test_a_table_is_overwritten_from_itself(shop):
    shop.write("SELECT id FROM range(4)", ORDERS)
    request = WriteRequest(target(ORDERS), "overwrite")
    shop.door.write(shop.frame(ORDERS).filter("id < 2"), request, shop.session(request), ANN)
    assert shop.rows(ORDERS) == [(0,), (1,)]


def test_older_states_can_be_read(shop):
    first = shop.write("SELECT 1 AS id", ORDERS).snapshot_id
    shop.write("SELECT 2 AS id", ORDERS)
    assert shop.rows(ORDERS, options={"snapshot-id": first}) == [(1,)]
    made = next(found for found in table_state(shop).raw["snapshots"] if str(found["snapshot-id"]) == first)
    assert shop.rows(ORDERS, options={"as-of-timestamp": str(made["timestamp-ms"] + 1)}) == [(1,)]


def test_a_missing_table_is_named_with_the_nearest_one(shop):
    shop.write("SELECT 1 AS id", ORDERS)
    with pytest.raises(DatasetNotFound, match=r"there is no table sales\.oders in depot 'lakehouse'") as missing:
        shop.frame("dataos://lakehouse:sales/oders")
    assert missing.value.hint == "did you mean sales.orders?"


def test_a_lakehouse_or_a_collection_is_no_table(shop):
    with pytest.raises(DepotError, match="names no table"):
        shop.frame("dataos://lakehouse:sales")


def test_system_columns_are_dropped_unless_asked_for(shop):
    shop.write("SELECT map('id', 'x') AS __metadata, 1 AS id", ORDERS)
    assert shop.frame(ORDERS).columns == ["id"]
    assert shop.frame(ORDERS, keep_system_columns=True).columns == ["__metadata", "id"]


def test_a_table_without_a_collection_lies_at_the_top(shop):
    shop.write("SELECT 1 AS id", "dataos://lakehouse:none/top")
    shop.write("SELECT 1 AS id", ORDERS)
    assert [str(a) for a in shop.door.datasets("lakehouse")] == [ORDERS, "dataos://lakehouse:none/top"]
    assert shop.door.check("lakehouse").found == "2 tables in 2 namespaces"


def test_what_one_engine_wrote_the_other_reads_and_continues(sail_shop, spark_shop):
    for first, second, name in ((sail_shop, spark_shop, "a"), (spark_shop, sail_shop, "b")):
        address = f"dataos://lakehouse:mixed/{name}"
        first.write(ROWS.format(2), address, partition_spec=(PartitionField("day", "at"),))
        second.write(ROWS.format(3), address, "append")
        assert first.rows(address) == second.rows(address)
        assert first.types(address) == second.types(address)
        assert first.frame(address).count() == 5


def test_a_branch_is_written_on_spark_and_main_stays(spark_shop):
    spark_shop.write("SELECT 1 AS id", ORDERS)
    written = spark_shop.write("SELECT 2 AS id", ORDERS, "append", branch="audit")
    assert (written.rows, written.branch) == (1, "audit")
    assert spark_shop.rows(ORDERS) == [(1,)]
    assert spark_shop.rows(ORDERS, options={"branch": "audit"}) == [(1,), (2,)]
    spark_shop.write("SELECT 3 AS id", "dataos://lakehouse:sales/fresh", branch="audit")
    assert spark_shop.rows("dataos://lakehouse:sales/fresh") == []
    assert spark_shop.rows("dataos://lakehouse:sales/fresh", options={"branch": "audit"}) == [(3,)]


def test_a_branch_and_a_tag_are_read_on_either_engine(sail_shop, spark_shop):
    spark_shop.write("SELECT 1 AS id", ORDERS)
    session = spark_shop.session(ReadRequest(target(ORDERS)))
    session.spark.sql("ALTER TABLE lakehouse.sales.orders CREATE TAG first")
    session.spark.sql("ALTER TABLE lakehouse.sales.orders CREATE TAG `20240131`")
    spark_shop.write("SELECT 2 AS id", ORDERS, "append", branch="audit")
    spark_shop.write("SELECT 3 AS id", ORDERS, "append")
    for shop in (sail_shop, spark_shop):
        assert shop.rows(ORDERS) == [(1,), (3,)]
        assert shop.rows(ORDERS, options={"branch": "audit"}) == [(1,), (2,)]
        assert shop.rows(ORDERS, options={"tag": "first"}) == [(1,)]
        assert shop.rows(ORDERS, options={"tag": "20240131"}) == [(1,)]
        for name, hint in (("second", "its tags: 20240131, first"), ("audit", "write `branch: audit`")):
            with pytest.raises(DatasetNotFound, match=f"has no tag '{name}'") as raised:
                shop.rows(ORDERS, options={"tag": name})
            assert hint in raised.value.hint


def test_sail_is_vetoed_for_a_branch_and_for_another_spec_and_refuses_both(sail_shop):
    sail_shop.write(ROWS.format(1), ORDERS, partition_spec=(PartitionField("day", "at"),))
    for options, said in (
        ({"branch": "audit"}, "Sail cannot write to a branch"),
        ({"partition_spec": (PartitionField("month", "at"),)}, "Sail cannot change the partition spec"),
    ):
        [reason] = sail_shop.door.requirements([WriteRequest(target(ORDERS), "append", **options)]).vetoes["sail"]
        assert reason.startswith(said)
        with pytest.raises(DepotUnsupported, match=said):
            sail_shop.write(ROWS.format(1), ORDERS, "append", **options)
    assert sail_shop.frame(ORDERS).count() == 1


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        *((ReadRequest, key) for key in ("start-snapshot-id", "versionAsOf", "timestampAsOf", "split-size")),
        *((WriteRequest, key) for key in ("mergeSchema", "write-format", "snapshot-id")),
    ],
)
def test_sail_is_vetoed_for_options_that_it_does_not_follow(sail_shop, kind, option):
    options = {option: "1"}
    reading = kind is ReadRequest
    request = (
        ReadRequest(target(ORDERS), options=options)
        if reading
        else WriteRequest(target(ORDERS), "append", options=options)
    )
    [reason] = sail_shop.door.requirements([request]).vetoes["sail"]
    assert f"option {option} (dataos://lakehouse:sales/orders)" in reason


def test_sail_serves_options_that_choose_a_state_or_belong_to_files(sail_shop):
    options = {"branch": "b", "tag": "t", "snapshot-id": "1", "as-of-timestamp": "1", "inferSchema": "true"}
    assert sail_shop.door.requirements([ReadRequest(target(ORDERS), options=options)]).vetoes == {}
    tuned = WriteRequest(target(ORDERS), "append", options={"fanout-enabled": "true"})
    assert sail_shop.door.requirements([tuned]).vetoes == {}


def test_a_partition_spec_evolves_on_spark_and_old_rows_stay(spark_shop):
    spark_shop.write(ROWS.format(2), ORDERS, partition_spec=(PartitionField("day", "at"),))
    spark_shop.write(
        ROWS.format(2),
        ORDERS,
        "append",
        partition_spec=(PartitionField("month", "at", "m"), PartitionField("bucket", "id", width=2)),
    )
    assert table_state(spark_shop).partition_spec == (("month", "at", "m"), ("bucket[2]", "id", "id_bucket"))
    assert spark_shop.frame(ORDERS).count() == 4


def test_partition_fields_get_their_names_on_spark_and_a_note_on_sail(spark_shop, sail_shop):
    spec = (PartitionField("day", "at", "the_day"),)
    spark_shop.write(ROWS.format(1), ORDERS, partition_spec=spec)
    assert table_state(spark_shop).partition_spec == (("day", "at", "the_day"),)
    other = WriteRequest(target("dataos://lakehouse:sales/other"), "append", partition_spec=spec)
    assert sail_shop.door.requirements([other]).notes == (
        "dataos://lakehouse:sales/other: on Sail the partition field 'the_day' keeps Iceberg's own name",
    )


def test_a_sort_orders_the_rows_of_the_files_on_spark(spark_shop):
    import pyarrow.parquet as pq

    spark_shop.write("SELECT id FROM range(50)", ORDERS, sort=Sort("global", (SortColumn("id", descending=True),)))
    for file in (spark_shop.root / ".dataos/lakehouse/sales/orders/data").rglob("*.parquet"):
        ids = pq.read_table(file)["id"].to_pylist()
        assert ids == sorted(ids, reverse=True)


def test_sail_is_vetoed_where_it_would_write_beside_the_folder(sail_shop):
    sail_shop.declare(
        "name: spaced\nversion: v2alpha\ntype: depot\ndepot: {type: file, file: {path: ./my lake, format: ICEBERG}}\n",
        "s.yaml",
    )
    request = WriteRequest(target("dataos://spaced:a/b"), "append")
    [reason] = sail_shop.door.requirements([request]).vetoes["sail"]
    assert "only letters, digits and -._~/ in the path are safe" in reason


def test_timestamps_of_tables_are_moments(shop):
    shop.write("SELECT TIMESTAMP'2024-01-01 12:00:00+02:00' AS at", ORDERS)
    [row] = shop.frame(ORDERS).selectExpr("unix_timestamp(at) AS s").collect()
    assert datetime.fromtimestamp(row.s, UTC) == datetime(2024, 1, 1, 10, tzinfo=UTC)


def test_a_table_whose_columns_could_not_be_made_optional_is_written_and_the_next_write_does_it(sail_shop, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("dataos_dagster.depots.lakehouse.metadata._commit", full)
        written = sail_shop.write("SELECT CAST(1 AS BIGINT) AS id", ORDERS)
        assert written.rows == 1
        [note] = written.notes
        assert note.endswith("is written; its columns stay required until the next write: No space left on device")
        assert sail_shop.rows(ORDERS) == [(1,)]
        with pytest.raises(WriteFailed, match="was not written: No space left"):
            sail_shop.write("SELECT CAST(2 AS BIGINT) AS id", ORDERS, "append")
    sail_shop.write("SELECT CAST(2 AS BIGINT) AS id", ORDERS, "append")
    assert sail_shop.rows(ORDERS) == [(1,), (2,)]
    assert STRICT_COLUMNS not in table_state(sail_shop).properties


def test_properties_spec_and_branch_go_back_when_the_rows_do_not_come(spark_shop):
    spark_shop.write(
        ROWS.format(1), ORDERS, properties={"kept": "a"}, partition_spec=(PartitionField("day", "at", "the_day"),)
    )
    before = table_state(spark_shop)
    failing = "SELECT CAST(raise_error('boom') AS BIGINT) AS id, 'x' AS name, current_timestamp() AS at FROM range(3)"
    wanted = {
        "properties": {"kept": "b", "new": "c"},
        "partition_spec": (PartitionField("month", "at"), PartitionField("bucket", "id", width=2)),
        "branch": "audit",
    }
    with pytest.raises(WriteFailed, match="boom"):
        spark_shop.write(failing, ORDERS, "append", **wanted)
    after = table_state(spark_shop)
    assert (after.properties, after.partition_spec) == (before.properties, before.partition_spec)
    assert after.branches == before.branches == ("main",)
    assert after.version > before.version
    spark_shop.write(ROWS.format(2), ORDERS, "append", **wanted)
    assert table_state(spark_shop).partition_spec == (("month", "at", "at_month"), ("bucket[2]", "id", "id_bucket"))
    assert spark_shop.frame(ORDERS, options={"branch": "audit"}).count() == 3


def test_properties_go_back_on_either_engine(shop):
    shop.write("SELECT CAST(1 AS BIGINT) AS id", ORDERS, properties={"kept": "a"})
    with pytest.raises(WriteFailed, match="boom"):
        shop.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id", ORDERS, "append", properties={"kept": "b"})
    assert table_state(shop).properties["kept"] == "a"
    assert shop.rows(ORDERS) == [(1,)]


def test_a_new_table_whose_branch_gets_no_rows_is_gone(spark_shop):
    with pytest.raises(WriteFailed, match="boom"):
        spark_shop.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", ORDERS, branch="audit")
    assert table_state(spark_shop) is None
    assert spark_shop.write("SELECT 1 AS id", ORDERS, branch="audit").rows == 1


def test_a_committed_write_stays_one_when_the_state_cannot_be_read_afterwards(shop, monkeypatch):
    shop.write("SELECT CAST(1 AS BIGINT) AS id", ORDERS)
    from dataos_dagster.depots.lakehouse.store import LakehouseStore

    request = WriteRequest(target(ORDERS), "append")
    session, door, read = shop.session(request), shop.door, LakehouseStore.state
    calls = []

    def state(self, table):
        calls.append(table)
        if len(calls) > 1:
            raise DepotError("the catalog is away")
        return read(self, table)

    with monkeypatch.context() as away:
        away.setattr(LakehouseStore, "state", state)
        written = door.write(session.spark.sql("SELECT CAST(2 AS BIGINT) AS id"), request, session, ANN)
    assert (written.rows, written.snapshot_id, written.created) == (None, None, False)
    [note] = written.notes
    assert note.endswith(
        "is written; rows and snapshot are not known, its state could not be read: the catalog is away"
    )
    assert shop.rows(ORDERS) == [(1,), (2,)]

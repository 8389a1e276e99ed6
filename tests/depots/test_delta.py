"""Delta tables on both engines: the same rows and types, versions, and a log that tells what was written."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from depot_shop import ANN, target

from dataos_dagster.depots.delta import write as delta_write
from dataos_dagster.depots.door import Merge, PartitionField, ReadRequest, Target, WriteRequest
from dataos_dagster.errors import (
    DatasetNotFound,
    DepotUnreachable,
    DepotUnsupported,
    SchemaMismatch,
    StatementFailed,
    WriteFailed,
)

TABLE = "dataos://shopfiles:lake/orders"
QUERY = """SELECT id, IF(id = 1, NULL, concat('s', id)) AS s, TIMESTAMP'2024-01-01 10:00:00' AS at,
    DATE'2024-01-01' AS day, CAST(1.5 AS DECIMAL(10,2)) AS x, array(id) AS l, map('k', id) AS m,
    named_struct('a', id) AS t, CAST(id % 2 AS INT) AS k FROM range({})"""
AT = datetime(2024, 1, 1, 10)  # noqa: DTZ001 - Spark's rows have no zone


def ids(shop, **options):
    return sorted(row["id"] for row in shop.frame(TABLE, format="delta", **options).collect())


def test_rows_types_and_what_was_written(shop):
    written = shop.write(QUERY.format(3), TABLE, format="delta", partition_by=("k",))
    assert (written.rows, written.created, written.snapshot_id) == (3, True, "0")
    assert written.bytes > 0
    assert shop.types(TABLE, format="delta") == {
        "id": "bigint", "s": "string", "at": "timestamp", "day": "date", "x": "decimal(10,2)", "l": "array<bigint>",
        "m": "map<string,bigint>", "t": "struct<a:bigint>", "k": "int",
    }  # fmt: skip
    rows = {row["id"]: row.asDict(recursive=True) for row in shop.frame(TABLE, format="delta").collect()}
    assert rows[1] == {
        "id": 1, "s": None, "at": AT, "day": date(2024, 1, 1), "x": Decimal("1.50"), "l": [1], "m": {"k": 1},
        "t": {"a": 1}, "k": 1,
    }  # fmt: skip
    assert (shop.data / "lake/orders/k=1").is_dir()


def test_a_table_takes_nulls_that_its_first_rows_had_not(shop):
    shop.write("SELECT 1 AS id, array(1) AS l", TABLE, format="delta")
    shop.write("SELECT CAST(NULL AS INT) AS id, array(CAST(NULL AS INT)) AS l", TABLE, "append", format="delta")
    assert shop.frame(TABLE, format="delta").where("id IS NULL").count() == 1


def test_append_adds_and_overwrite_replaces_and_old_versions_stay(shop):
    shop.write("SELECT id FROM range(2)", TABLE, format="delta")
    added = shop.write("SELECT id + 7 AS id FROM range(1)", TABLE, "append", format="delta")
    assert (added.rows, added.created, added.snapshot_id) == (1, False, "1")
    assert ids(shop) == [0, 1, 7]
    shop.write("SELECT CAST(5 AS BIGINT) AS id", TABLE, format="delta")
    assert ids(shop) == [5]
    assert ids(shop, options={"versionAsOf": "1"}) == [0, 1, 7]
    assert ids(shop, options={"timestampAsOf": "2100-01-01 00:00:00"}) == [5]


def test_a_version_is_chosen_by_its_day(sail_shop):
    for rows in (2, 5):
        sail_shop.write(f"SELECT id FROM range({rows})", TABLE, format="delta")
    first = sail_shop.data / f"lake/orders/_delta_log/{0:020}.json"
    long_ago = datetime(2024, 1, 30, 10, tzinfo=UTC).timestamp()
    first.write_text(re.sub(r'"timestamp":\d+', f'"timestamp":{int(long_ago * 1000)}', first.read_text()))
    os.utime(first, (long_ago, long_ago))
    for day in ("2024-01-31", "2024-01-30T10:01", "2024-01-30 10:00:01", "2024-01-30T12:00:01+02:00"):
        assert ids(sail_shop, options={"timestampAsOf": day}) == [0, 1]
    with pytest.raises(StatementFailed, match="No version of the Delta table exists"):
        ids(sail_shop, options={"timestampAsOf": "2024-01-30"})


def test_what_does_not_fit_is_refused_unless_the_table_is_to_change(shop):
    shop.write("SELECT 1 AS id", TABLE, format="delta")
    for mode in ("append", "overwrite"):
        with pytest.raises(SchemaMismatch, match="has columns that the dataset lacks: name"):
            shop.write("SELECT 1 AS id, 'a' AS name", TABLE, mode, format="delta")
    evolving = {"format": "delta", "options": {"mergeSchema": "true"}}
    shop.write("SELECT 2 AS id, 'a' AS name", TABLE, "append", **evolving)
    assert shop.rows(TABLE, format="delta") == [(1, None), (2, "a")]
    shop.write("SELECT 'z' AS z", TABLE, format="delta", options={"overwriteSchema": "true"})
    assert shop.rows(TABLE, format="delta") == [("z",)]


def test_a_column_that_differs_in_case_only_is_the_one_that_is_there(shop):
    evolving = {"format": "delta", "options": {"mergeSchema": "true"}}
    shop.write("SELECT 1 AS id, named_struct('a', 1) AS t", TABLE, format="delta")
    shop.write("SELECT named_struct('a', 2, 'b', 3) AS T, 2 AS ID, 'x' AS More", TABLE, "append", **evolving)
    assert list(shop.types(TABLE, format="delta")) == ["id", "t", "More"]
    assert [row["id"] for row in shop.frame(TABLE, format="delta").where("More = 'x'").collect()] == [2]
    with pytest.raises(SchemaMismatch, match="fields inside of t differ from those of the dataset in case only"):
        shop.write("SELECT 1 AS id, named_struct('A', 1) AS t", TABLE, "append", **evolving)


def test_a_write_is_told_though_its_log_cannot_be_read_behind_it(sail_shop, monkeypatch):
    def unreachable(*_):
        raise DepotUnreachable("the store does not answer")

    sail_shop.write("SELECT 1 AS id", TABLE, format="delta")
    monkeypatch.setattr(delta_write, "read_commit", unreachable)
    written = sail_shop.write("SELECT 2 AS id", TABLE, "append", format="delta")
    assert (written.rows, written.snapshot_id, written.created) == (None, None, False)
    assert "the store does not answer" in written.notes[0]
    assert sail_shop.rows(TABLE) == [(1,), (2,)]


def test_rows_are_replaced_by_a_condition_which_they_all_meet(spark_shop):
    spark_shop.write("SELECT id, id % 2 AS k FROM range(4)", TABLE, format="delta", partition_by=("k",))
    where = {"format": "delta", "options": {"replaceWhere": "k = 1"}}
    spark_shop.write("SELECT 100L AS id, 1L AS k", TABLE, **where)
    assert ids(spark_shop) == [0, 2, 100]
    for key, refused in ((0, where), (1, {"format": "delta", "options": {"replaceWhere": "id = 200"}})):
        with pytest.raises(WriteFailed):
            spark_shop.write(f"SELECT 200L AS id, {key}L AS k", TABLE, **refused)
    assert ids(spark_shop) == [0, 2, 100]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_failing_query_leaves_the_table_as_it_was(shop, mode):
    shop.write("SELECT CAST(1 AS BIGINT) AS id", TABLE, format="delta")
    with pytest.raises(WriteFailed, match="boom"):
        shop.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", TABLE, mode, format="delta")
    assert ids(shop) == [1]


def test_a_table_is_known_by_its_log(shop):
    shop.write("SELECT id FROM range(3)", TABLE, format="delta")
    shop.write("SELECT CAST(9 AS BIGINT) AS id", TABLE)
    assert shop.rows(TABLE) == [(9,)]


def test_each_engine_reads_what_the_other_has_written(sail_shop, sessions, spark_jars):
    from depot_shop import Shop

    spark_shop = Shop(sail_shop.root, "spark", sessions)
    sail_shop.write(QUERY.format(2), TABLE, format="delta", partition_by=("k",))
    spark_shop.write(QUERY.format(3), TABLE, "append", format="delta")
    assert spark_shop.rows(TABLE) == sail_shop.rows(TABLE)
    assert ids(sail_shop) == [0, 0, 1, 1, 2]
    assert spark_shop.types(TABLE) == sail_shop.types(TABLE)


def test_a_write_that_happens_once_leaves_its_mark_in_the_log(shop):
    request = WriteRequest(target(TABLE), "append", format="delta", mark="run-7")
    session = shop.session(request)
    shop.door.write(session.spark.sql("SELECT 1 AS id"), request, session, ANN)
    evidence = shop.door.evidence(request)
    assert (evidence.state, evidence.marks) == ("0", {"run-7"})


def test_a_standalone_job_names_the_folder_of_a_table(shop):
    request = WriteRequest(Target(path="out/orders"), "overwrite", format="delta")
    session = shop.session(request)
    shop.door.write(session.spark.sql("SELECT 1 AS id"), request, session, ANN)
    found = shop.door.read(ReadRequest(Target(path="out/orders"), format="delta"), session, ANN)
    assert [tuple(row) for row in found.collect()] == [(1,)]


def test_partitions_that_occur_are_replaced_on_spark(spark_shop):
    spark_shop.write("SELECT id, id AS k FROM range(2)", TABLE, format="delta", partition_by=("k",))
    spark_shop.write("SELECT id + 5 AS id, id AS k FROM range(1)", TABLE, format="delta", dynamic_overwrite=True)
    assert spark_shop.rows(TABLE) == [(1, 1), (5, 0)]


def test_what_sail_does_not_do_goes_to_spark(sail_shop):
    spaced = "dataos://shopfiles:in the/lake"
    for request, said in (
        (WriteRequest(target(TABLE), "overwrite", format="delta", dynamic_overwrite=True), "single partitions"),
        (WriteRequest(target(TABLE), "append", format="delta", compression="gzip"), "chooses the codec"),
        (WriteRequest(target(TABLE), "append", format="delta", options={"txnAppId": "a"}), "option txnAppId"),
        (
            WriteRequest(target(TABLE), "overwrite", format="delta", options={"replaceWhere": "k = 1"}),
            "option replaceWhere",
        ),
        (ReadRequest(target(TABLE), format="delta", options={"readChangeFeed": "true"}), "option readChangeFeed"),
        (WriteRequest(target(spaced), "append", format="delta"), "in the path are safe"),
    ):
        [reason] = sail_shop.door.requirements([request]).vetoes["sail"]
        assert said in reason


def test_merge_clauses_branches_and_transforms_are_icebergs(sail_shop):
    month = (PartitionField("month", "at"),)
    for changes in ({"merge": Merge("a", "b")}, {"branch": "b"}, {"partition_spec": month}):
        with pytest.raises(DepotUnsupported):
            sail_shop.door.requirements([WriteRequest(target(TABLE), "append", format="delta", **changes)])


def test_a_folder_without_a_log_is_no_table(sail_shop):
    sail_shop.write("SELECT 1 AS id", TABLE, format="delta")
    sail_shop.put("lake/order/a.parquet", "")
    with pytest.raises(DatasetNotFound, match="is no Delta table") as missing:
        sail_shop.frame("dataos://shopfiles:lake/order", format="delta")
    assert missing.value.hint == f"did you mean {TABLE}?"


def test_a_depot_of_tables_says_what_is_in_it(sail_shop):
    sail_shop.declare(
        "name: lake\nversion: v2alpha\ntype: depot\ndepot: {type: file, file: {path: ./data/lake, format: DELTA}}\n",
        "lake.yaml",
    )
    for name in ("orders", "sales/cities"):
        sail_shop.write("SELECT 1 AS id", f"dataos://lake:none/{name}")
    assert [str(address) for address in sail_shop.door.datasets("lake")] == [
        "dataos://lake:none/orders", "dataos://lake:sales/cities",
    ]  # fmt: skip
    assert sail_shop.door.check("lake").found == "2 tables in 2 folders"
    assert sail_shop.rows("dataos://lake:sales/cities") == [(1,)]


def test_a_table_in_a_bucket_is_written_and_read(sail_shop, s3):
    s3.create_bucket("lake")
    sail_shop.declare(
        f"""
name: lake
version: v1
type: depot
depot:
  type: S3
  connectionSecret:
    - {{acl: rw, type: key-value-properties, data: {{accesskeyid: {s3.access_key}, secretkey: {s3.secret_key}}}}}
  spec: {{bucket: lake, relativePath: /base, format: DELTA, scheme: s3a, region: {s3.region}, endpoint: "{s3.endpoint}"}}
""",
        "lake.yaml",
    )
    address = "dataos://lake:sales/orders"
    assert sail_shop.write("SELECT id FROM range(3)", address).created
    assert sail_shop.write("SELECT CAST(7 AS BIGINT) AS id", address, "append").rows == 1
    assert sail_shop.rows(address) == [(0,), (1,), (2,), (7,)]
    assert sail_shop.write("SELECT CAST(8 AS BIGINT) AS id", address).snapshot_id == "2"
    assert sail_shop.rows(address, options={"versionAsOf": "0"}) == [(0,), (1,), (2,)]
    assert sail_shop.door.check("lake").found == "1 table in 1 folder"

"""S3 and an Iceberg REST catalog, both real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from depot_shop import ANN, target

from dataos_dagster.depots.door import Merge, PartitionField, ReadRequest, WriteRequest
from dataos_dagster.depots.files.bucket import BucketWrite
from dataos_dagster.depots.files.listing import NOTE_PREFIX
from dataos_dagster.depots.maintenance import (
    DeleteRows,
    ExpireSnapshots,
    MaintenanceRequest,
    RemoveOrphans,
    RewriteData,
)
from dataos_dagster.errors import CredentialsRefused, DatasetNotFound, DepotUnreachable, DepotUnsupported, WriteFailed

LAKE = "dataos://lake:{}/orders"
RAW = "dataos://raw:out/{}"


def declare(shop, s3, *, name="raw", bucket="raw", format_="PARQUET", secret="", endpoint=""):
    s3.create_bucket("raw")
    shop.declare(
        f"""
name: {name}
version: v2alpha
type: depot
depot:
  type: S3
  secrets: [{{name: {name}-rw}}]
  s3: {{bucket: {bucket}, relativePath: /base, format: {format_}, scheme: s3a, region: {s3.region}, endpoint: "{endpoint or s3.endpoint}"}}
---
name: {name}-rw
version: v1
type: instance-secret
instance-secret:
  type: key-value-properties
  acl: rw
  data: {{accesskeyid: {s3.access_key}, secretkey: "{secret or s3.secret_key}"}}
""",
        f"{name}.yaml",
    )


@pytest.fixture
def bucket(shop, s3):
    declare(shop, s3)
    return shop


@pytest.fixture
def lake(shop, s3, iceberg_rest):
    declare(shop, s3, name="lake", bucket="warehouse", format_="ICEBERG")
    (shop.root / "dataos.yaml").write_text(f"catalogs: {{lake: {iceberg_rest.setting}}}\n")
    return shop


@pytest.fixture
def table(lake, request):
    """Return an address that no other test uses: the catalog lives as long as the tests."""
    return LAKE.format(f"{lake.engine}_{abs(hash(request.node.name))}")


def test_files_that_a_finished_write_has_left_are_told_with_what_it_wrote(sail_shop, s3, monkeypatch):
    def refuse(_write):
        raise DepotUnreachable("the store deletes nothing")

    declare(sail_shop, s3)
    address = RAW.format("left_behind")
    sail_shop.write("SELECT 1 AS id", address)
    with monkeypatch.context() as broken:
        broken.setattr(BucketWrite, "end", refuse)
        written = sail_shop.write("SELECT 2 AS id", address)
    assert written.notes == (
        f"{address} is written; files that do not count are left in it: the store deletes nothing",
    )
    assert sail_shop.rows(address) == [(2,)]
    sail_shop.write("SELECT 3 AS id", address, "append")
    assert sail_shop.rows(address) == [(2,), (3,)]


@pytest.mark.parametrize("format_", ["parquet", "json", "csv", "text"])
def test_files_in_a_bucket_are_written_and_read(bucket, s3, format_):
    address = RAW.format(f"{bucket.engine}{format_}")
    query = "SELECT CAST(id AS STRING) AS value FROM range({})"
    bucket.write(query.format(3), address, format=format_)
    bucket.write(query.format(2), address, "append", format=format_)
    assert bucket.rows(address, format=format_) == [("0",), ("0",), ("1",), ("1",), ("2",)]
    bucket.write(query.format(1), address, format=format_)
    assert bucket.rows(address, format=format_) == [("0",)]
    left = [key for key in s3.keys("raw", "base/out/") if NOTE_PREFIX in key or ".writing" in key]
    assert left == []


def test_a_failing_overwrite_in_a_bucket_leaves_the_old_files(bucket):
    address = RAW.format(f"{bucket.engine}failing")
    bucket.write("SELECT CAST(1 AS BIGINT) AS id", address)
    with pytest.raises(WriteFailed, match="boom"):
        bucket.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", address)
    assert bucket.rows(address) == [(1,)]


def test_csv_of_a_bucket_follows_the_same_rules(bucket, s3):
    s3.put("raw", "base/in/a.csv", b"id,x\n1,NA\n2,3\n")
    options = {"nullValue": "NA", "inferSchema": "true"}
    assert bucket.rows("dataos://raw:in/a.csv", format="csv", options=options) == [(1, None), (2, 3)]


def test_tables_behind_a_catalog_are_created_appended_overwritten_and_merged(lake, table):
    query = "SELECT id, array(id) AS a, make_timestamp(2024, 1, 1 + int(id), 0, 0, 0) AS at FROM range({})"
    created = lake.write(
        query.format(3), table, partition_spec=(PartitionField("day", "at"),), properties={"mine": "x"}
    )
    assert (created.rows, created.created) == (3, True)
    assert lake.write(query.format(1), table, "append", properties={"mine": "y"}).rows == 1
    assert lake.frame(table).count() == 4
    assert lake.write(query.format(2), table).rows == 2
    assert lake.write(query.format(1), table, dynamic_overwrite=True).rows == 1
    lake.write(query.format(3), table, merge=Merge("old.id = new.id", "NOT MATCHED THEN INSERT *"))
    assert [row[0] for row in lake.rows(table)] == [0, 1, 2]
    assert lake.types(table) == {"id": "bigint", "a": "array<bigint>", "at": "timestamp"}
    store = lake.door._opener.store_of(ReadRequest(target(table)), "r")
    state = store.state(store.warehouse.table(target(table)))
    assert state.partition_spec == (("day", "at", "at_day"),)
    assert state.properties["mine"] == "y"
    assert not any(field["required"] for field in state.schema["fields"])
    assert table in [str(address) for address in lake.door.datasets("lake")]
    assert "table" in lake.door.check("lake").found


def test_a_failed_creation_leaves_no_table_in_the_catalog(lake, table):
    with pytest.raises(WriteFailed, match="boom"):
        lake.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", table)
    with pytest.raises(DatasetNotFound):
        lake.frame(table)
    lake.write("SELECT 1 AS id", table)
    assert lake.rows(table) == [(1,)]


def test_a_table_behind_a_catalog_goes_back_when_the_rows_do_not_come(lake, table):
    lake.write("SELECT CAST(1 AS BIGINT) AS id, 'a' AS k", table, properties={"kept": "a"})
    store = lake.door._opener.store_of(ReadRequest(target(table)), "r")
    found = store.warehouse.table(target(table))
    before = store.state(found)
    wanted = {"properties": {"kept": "b", "new": "c"}}
    if lake.engine == "spark":
        wanted |= {"partition_spec": (PartitionField("identity", "k"),), "branch": "audit"}
    with pytest.raises(WriteFailed, match="boom"):
        lake.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id, 'b' AS k", table, "append", **wanted)
    after = store.state(found)
    assert (after.properties, after.partition_spec, after.branches) == (
        before.properties,
        before.partition_spec,
        before.branches,
    )
    assert lake.write("SELECT CAST(2 AS BIGINT) AS id, 'b' AS k", table, "append", **wanted).rows == 1
    assert store.state(found).properties["new"] == "c"


def test_rows_of_a_table_behind_a_catalog_are_deleted(lake, table):
    lake.write("SELECT id FROM range(5)", table)
    request = MaintenanceRequest(target(table), DeleteRows("target.id > 2"))
    done = lake.door.maintain(request, lake.session(request), ANN)
    assert (done.rows_deleted, done.total_rows) == (2, 3)
    assert lake.rows(table) == [(0,), (1,), (2,)]


@pytest.mark.parametrize("shop", ["spark"], indirect=True)
def test_a_table_behind_a_catalog_is_maintained(lake, table, s3):
    for number in range(3):
        lake.write(f"SELECT {number} AS id", table, "append" if number else "overwrite")
    store = lake.door._opener.store_of(ReadRequest(target(table)), "r")
    place = store.state(store.warehouse.table(target(table))).raw["location"].partition("//")[2].partition("/")[2]
    s3.put("warehouse", f"{place}/data/orphan.parquet", b"0123")
    later = datetime.now(UTC) + timedelta(days=1)

    def maintain(work):
        request = MaintenanceRequest(target(table), work)
        return lake.door.maintain(request, lake.session(request), ANN)

    assert maintain(RewriteData(properties={"min-input-files": "2"})).counts["data_files_rewritten"] == 3
    found = maintain(RemoveOrphans(later, dry_run=True))
    assert found.counts == {"orphan_files": 1, "orphan_bytes": 4}
    assert [file.rpartition("/")[2] for file in found.files] == ["orphan.parquet"]
    expired = maintain(ExpireSnapshots(later))
    assert (expired.counts["snapshots_removed"], expired.counts["deleted_data_files"]) == (3, 3)
    assert maintain(RemoveOrphans(later, delete_at_once=2)).counts["orphan_files"] >= 1
    assert len([key for key in s3.keys("warehouse", f"{place}/data/") if key.endswith(".parquet")]) == 1
    assert lake.rows(table) == [(0,), (1,), (2,)]


def test_a_new_table_behind_a_catalog_whose_branch_gets_no_rows_is_gone(spark_shop, s3, iceberg_rest):
    declare(spark_shop, s3, name="lake", bucket="warehouse", format_="ICEBERG")
    (spark_shop.root / "dataos.yaml").write_text(f"catalogs: {{lake: {iceberg_rest.setting}}}\n")
    address = LAKE.format("branched")
    with pytest.raises(WriteFailed, match="boom"):
        spark_shop.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", address, branch="audit")
    with pytest.raises(DatasetNotFound):
        spark_shop.frame(address)
    assert spark_shop.write("SELECT 1 AS id", address, branch="audit").created
    assert spark_shop.rows(address, options={"branch": "audit"}) == [(1,)]


def test_a_bucket_without_a_catalog_is_read_and_a_write_says_how_to_name_one(sail_shop, s3):
    sail_shop.write("SELECT 1 AS id", "dataos://lakehouse:sales/orders")
    declare(sail_shop, s3, name="plain", bucket="raw", format_="ICEBERG")
    with pytest.raises(DepotUnsupported, match="which is read only here") as refused:
        sail_shop.write("SELECT 1 AS id", "dataos://plain:sales/orders")
    assert refused.value.hint == "name an Iceberg REST catalog in dataos.yaml: catalogs.plain.uri"
    # What somebody else has put there is read.
    lake = sail_shop.root / ".dataos" / "lakehouse"
    for file in (lake / "sales" / "orders").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            s3.put("raw", f"base/{file.relative_to(lake)}", content)
    assert [str(address) for address in sail_shop.door.datasets("plain")] == ["dataos://plain:sales/orders"]


def test_two_identities_do_not_fit_into_one_sail(sail_shop, s3):
    declare(sail_shop, s3, name="one")
    declare(sail_shop, s3, name="two", secret="another-secret-key")
    s3.put("raw", "base/in/a.csv", b"id\n1\n")
    same = ReadRequest(target("dataos://one:in/a.csv"), format="csv")
    assert sail_shop.door.requirements([same, WriteRequest(target("dataos://one:out/x"), "append")]).vetoes == {}
    [reason] = sail_shop.door.requirements(
        [
            WriteRequest(target("dataos://one:out/x"), "append"),
            WriteRequest(target("dataos://two:out/x"), "append", format="parquet"),
        ]
    ).vetoes["sail"]
    assert "more than one identity" in reason


def test_the_check_tells_wrong_keys_a_missing_bucket_and_a_silent_server_apart(sail_shop, s3):
    declare(sail_shop, s3, name="good")
    declare(sail_shop, s3, name="locked", secret="wrong-secret-key")
    declare(sail_shop, s3, name="gone", bucket="no-such-bucket")
    declare(sail_shop, s3, name="silent", endpoint="http://127.0.0.1:1")
    found = {name: sail_shop.door.check(name) for name in ("good", "locked", "gone", "silent")}
    assert {name: status.status for name, status in found.items()} == {
        "good": "active", "locked": "error", "gone": "error", "silent": "error",
    }  # fmt: skip
    assert "refuses the credentials" in found["locked"].detail
    assert "there is no bucket 'no-such-bucket'" in found["gone"].detail
    assert "cannot be reached" in found["silent"].detail


@pytest.mark.parametrize("engine", ["sail", "spark"])
def test_a_catalog_that_refuses_the_token_is_told_before_an_engine_asks_it(engine, request, s3, iceberg_rest):
    shop = request.getfixturevalue(f"{engine}_shop")
    declare(shop, s3, name="lake", bucket="warehouse", format_="ICEBERG")
    for token in ("'not-the-token-0'", "null"):
        setting = f"{{uri: '{iceberg_rest.uri}', warehouse: '{iceberg_rest.warehouse}', token: {token}}}"
        (shop.root / "dataos.yaml").write_text(f"catalogs: {{lake: {setting}}}\n")
        with pytest.raises(CredentialsRefused, match="refuses the token") as refused:
            shop.write("SELECT 1 AS id", LAKE.format("refused"))
        assert refused.value.hint == "check catalogs.lake.token in dataos.yaml"
        assert "not-the-token" not in str(refused.value)


def test_a_catalog_that_is_down_is_named(sail_shop):
    (sail_shop.root / "dataos.yaml").write_text("catalogs: {lake: {uri: 'http://127.0.0.1:1'}}\n")
    status = sail_shop.door.check("lake")
    assert status.status == "error"
    assert "the Iceberg REST catalog at http://127.0.0.1:1 does not answer" in status.detail


def test_a_file_that_goes_while_it_is_opened_is_missing(sail_shop, s3):
    declare(sail_shop, s3)
    s3.put("raw", "base/in/a.csv", b"id\n" + b"1\n" * 5000)
    request = ReadRequest(target("dataos://raw:in/a.csv"), format="csv")
    place = sail_shop.door._opener.store_of(request, "r").place(request)
    with place.failures(), place.filesystem.open_input_stream(place.path) as stream:
        s3.client().delete_object(Bucket="raw", Key="base/in/a.csv")
        with pytest.raises(DatasetNotFound, match=r"in/a\.csv does not exist"), place.failures():
            stream.read()

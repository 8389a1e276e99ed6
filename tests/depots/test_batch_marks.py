"""Marks of micro-batches: only the last one of a stream is kept, because each batch reads what is kept."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from depot_manifests import postgresql_depot
from depot_shop import ANN, target

from dataos_dagster.depots.door import WriteRequest
from dataos_dagster.depots.streams import batch_mark

ROWS = "SELECT CAST(1 AS BIGINT) AS id"
DAY = 24 * 3600


@pytest.fixture
def folder(sail_shop):
    return sail_shop, WriteRequest(target("dataos://shopfiles:out/orders"), "append", format="csv")


@pytest.fixture
def bucket(sail_shop, s3):
    s3.create_bucket("warehouse")
    sail_shop.declare(
        f"""
name: raw
version: v2alpha
type: depot
depot:
  type: S3
  secrets: [{{name: raw-rw}}]
  s3: {{bucket: warehouse, relativePath: /batches, format: PARQUET, region: {s3.region}, endpoint: "{s3.endpoint}"}}
---
name: raw-rw
version: v1
type: instance-secret
instance-secret:
  type: key-value-properties
  acl: rw
  data: {{accesskeyid: {s3.access_key}, secretkey: "{s3.secret_key}"}}
""",
        "raw.yaml",
    )
    return sail_shop, WriteRequest(target("dataos://raw:out/orders"), "append", format="parquet")


@pytest.fixture
def database(sail_shop, postgresql):
    sail_shop.declare(postgresql_depot(postgresql, postgresql.create_database()), "shopdb.yaml")
    return sail_shop, WriteRequest(target("dataos://shopdb:public/orders"), "append")


def write(shop, request, mark):
    session = shop.session(request)
    shop.door.write(session.spark.sql(ROWS), replace(request, mark=mark), session, ANN)


@pytest.mark.parametrize("store", ["folder", "bucket", "database"])
def test_only_the_last_mark_of_a_stream_is_kept_and_those_of_others_stay(store, request):
    shop, wanted = request.getfixturevalue(store)
    others = {"one", batch_mark("b", 0)}
    for mark in sorted(others):
        write(shop, wanted, mark)
    for batch in (9, 10, 11):
        write(shop, wanted, batch_mark("a", batch))
        assert shop.door.evidence(wanted).marks == {*others, batch_mark("a", batch)}


def grow_old(shop, days):
    for file in (shop.data / "out/orders").glob("_dataos_write.*"):
        old = file.stat().st_mtime - days * DAY
        os.utime(file, (old, old))


def test_old_marks_are_removed_by_the_next_write_but_for_the_last_of_each_stream(folder):
    shop, request = folder
    last = batch_mark("a", 9)
    for mark in ("one", last):
        write(shop, request, mark)
    grow_old(shop, 90.5)
    write(shop, request, "two")
    assert shop.door.evidence(request).marks == {"one", "two", last}
    grow_old(shop, 2)
    write(shop, request, None)
    assert shop.door.evidence(request).marks == {"two", last}


def test_a_database_forgets_old_marks_but_for_the_last_of_each_stream(database, postgresql):
    shop, request = database
    last = batch_mark("a", 9)
    for mark in ("one", last):
        write(shop, request, mark)
    name = shop.door.catalog.find("shopdb").connection.database
    for age, left in (("90 days 12 hours", {"one", "two", last}), ("2 days", {"two", "three", last})):
        postgresql.execute(
            f"UPDATE dataos_writes SET written_at = written_at - interval '{age}' WHERE mark IN ('one', '{last}')",
            database=name,
        )
        write(shop, request, "two" if "two" not in shop.door.evidence(request).marks else "three")
        assert shop.door.evidence(request).marks == left

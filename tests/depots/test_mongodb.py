"""MongoDB through its Spark connector, against a server that speaks its protocol."""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest

# The server does not tell the sizes by which the connector parts a collection.
ONE_PART = {"partitioner": "com.mongodb.spark.sql.connector.read.partitioner.SinglePartitionPartitioner"}
QUERY = """SELECT id, concat('n', id) AS name, 1.5D AS x, array(1, 2) AS l, named_struct('a', 1) AS s,
    TIMESTAMP'2024-01-30 10:15:00' AS at FROM range({})"""
AT = datetime(2024, 1, 30, 10, 15)  # noqa: DTZ001 - Spark's rows have no zone


@pytest.fixture
def docs(spark_shop, mongodb):
    """Return the shop with a depot on the server, and the address of a collection that is not there."""
    spark_shop.declare(
        "name: docs\nversion: v2alpha\ntype: depot\n"
        f"depot: {{type: mongodb, mongodb: {{subprotocol: mongodb, nodes: ['{mongodb.node}']}}}}\n",
        "docs.yaml",
    )
    return spark_shop, f"dataos://docs:shop/orders_{uuid.uuid4().hex[:6]}"


def test_documents_are_written_added_to_replaced_and_read(docs):
    shop, address = docs
    shop.write(QUERY.format(2), address, "append")
    types = shop.types(address, options=ONE_PART)
    assert types.pop("_id") == "string"
    assert types == {
        "id": "bigint", "name": "string", "x": "double", "l": "array<int>", "s": "struct<a:int>", "at": "timestamp",
    }  # fmt: skip
    rows = {row["id"]: row for row in shop.frame(address, options=ONE_PART).collect()}
    assert (rows[1]["name"], rows[1]["x"], rows[1]["l"], rows[1]["s"]["a"], rows[1]["at"]) == ("n1", 1.5, [1, 2], 1, AT)
    shop.write(QUERY.format(1), address, "append")
    assert shop.frame(address, options=ONE_PART).count() == 3
    shop.write("SELECT CAST(9 AS BIGINT) AS id", address, "overwrite")
    assert [row["id"] for row in shop.frame(address, options=ONE_PART).collect()] == [9]


def test_the_check_says_that_the_server_answers(docs, monkeypatch):
    shop, _ = docs
    monkeypatch.setattr("dataos_dagster.depots.spark_connectors.is_cached", lambda _: True)
    status = shop.door.check("docs")
    assert status.status == "active"
    assert "accepts connections; connector mongodb" in status.found

"""What `saveMode` does: the same in every store that can be written here, on both engines."""

from __future__ import annotations

import uuid

import pytest
from depot_manifests import mysql_depot, postgresql_depot
from manifest_builder import job_text

FILES = ("parquet", "csv", "json", "delta", "xlsx")


@pytest.fixture
def dataset(request, shop):
    """Return the address of a dataset that is not there, and the format to give for it."""
    store = request.param
    if store == "iceberg":
        return "dataos://lakehouse:sales/{}", "iceberg"
    if store == "postgresql":
        server = request.getfixturevalue("postgresql")
        shop.declare(postgresql_depot(server, server.create_database()), "db.yaml")
        return "dataos://shopdb:public/{}", None
    return "dataos://shopfiles:out/{}", store


def ids(shop, address, format_):
    return sorted(int(row["id"]) for row in shop.frame(address, format=format_).collect())


@pytest.mark.parametrize("dataset", ["iceberg", *FILES, "postgresql"], indirect=True)
def test_append_adds_overwrite_replaces_and_both_create(shop, dataset):
    address, format_ = dataset
    first, second = address.format("first"), address.format(f"second_{uuid.uuid4().hex[:6]}")
    assert shop.write("SELECT 1 AS id", first, "overwrite", format=format_).created
    assert not shop.write("SELECT 2 AS id", first, "append", format=format_).created
    assert ids(shop, first, format_) == [1, 2]
    assert not shop.write("SELECT 3 AS id", first, "overwrite", format=format_).created
    assert ids(shop, first, format_) == [3]
    assert shop.write("SELECT 4 AS id", second, "append", format=format_).created
    assert ids(shop, second, format_) == [4]


def test_mysql_is_written_like_the_others(spark_shop, mariadb):
    spark_shop.declare(mysql_depot(mariadb), "db.yaml")
    address = f"dataos://shopdb:{mariadb.create_database()}/first"
    assert spark_shop.write("SELECT 1 AS id", address, "overwrite").created
    assert not spark_shop.write("SELECT 2 AS id", address, "append").created
    assert ids(spark_shop, address, None) == [1, 2]
    spark_shop.write("SELECT 3 AS id", address, "overwrite")
    assert ids(spark_shop, address, None) == [3]


@pytest.mark.parametrize("format_", ["orc", "avro", "xml"])
def test_formats_of_spark_keep_rows_and_types_in_either_mode(spark_shop, format_):
    address = "dataos://shopfiles:out/typed"
    query = """SELECT CAST({0} AS BIGINT) AS id, IF({0} = 2, NULL, 's') AS s, 1.25D AS x, true AS b,
        TIMESTAMP'2024-01-30 10:15:00' AS at, CAST(1.5 AS DECIMAL(10,2)) AS d"""
    spark_shop.write(query.format(1), address, format=format_)
    spark_shop.write(query.format(2), address, "append", format=format_)
    types = spark_shop.types(address, format=format_)
    assert types == {
        "id": "bigint", "s": "string", "x": "double", "b": "boolean", "at": "timestamp",
        "d": "double" if format_ == "xml" else "decimal(10,2)",
    }  # fmt: skip
    rows = [(row["id"], row["s"], row["x"]) for row in spark_shop.frame(address, format=format_).collect()]
    assert sorted(rows) == [(1, "s", 1.25), (2, None, 1.25)]
    spark_shop.write(query.format(3), address, "overwrite", format=format_)
    assert [row["id"] for row in spark_shop.frame(address, format=format_).collect()] == [3]


def test_rows_of_xml_are_named_by_an_option(spark_shop):
    spark_shop.put("in/a.xml", "<orders><order id='1'><n>x</n></order><order id='2'><n>y</n></order></orders>")
    options = {"rowTag": "order", "attributePrefix": "at_", "inferSchema": "false"}
    assert spark_shop.rows("dataos://shopfiles:in/a.xml", options=options) == [("1", "x"), ("2", "y")]
    assert list(spark_shop.types("dataos://shopfiles:in/a.xml", options=options)) == ["at_id", "n"]


def test_avro_is_read_by_a_schema_of_the_manifest(spark_shop):
    address = "dataos://shopfiles:out/avro"
    spark_shop.write("SELECT 1 AS id, 'a' AS name", address, format="avro")
    schema = '{"type":"record","name":"r","fields":[{"name":"id","type":"int"},{"name":"more","type":["null","string"],"default":null}]}'
    assert spark_shop.rows(address, format="avro", options={"avroSchema": schema}) == [(1, None)]


@pytest.mark.parametrize("word", ["ignore", "errorIfExists", "upsert"])
def test_other_words_are_told_with_those_that_there_are(project_of, word):
    job = job_text(f"""
inputs: [{{name: a, dataset: dataos://lakehouse:a/b}}]
outputs: [{{name: a, dataset: dataos://lakehouse:a/c?acl=rw, options: {{saveMode: {word}}}}}]
""")
    [found] = [each for each in project_of(job).diagnostics if each.severity == "error"]
    assert "append" in f"{found.message} {found.hint}"
    assert "overwrite" in f"{found.message} {found.hint}"
    assert found.line == 13

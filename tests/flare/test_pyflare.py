"""Datasets in Python in the words of PyFlare, on the embedded engine."""

from __future__ import annotations

import re

import pytest

from dataos_dagster import flare
from dataos_dagster.errors import DepotError
from dataos_dagster.flare.relations import SqlRefused

ORDERS = "dataos://lakehouse:sales/orders"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Return an open session on a project without any manifest."""
    with flare.session(tmp_path_factory.mktemp("project")) as opened:
        yield opened


def rows(name, **options):
    return sorted(tuple(row) for row in flare.load(name, **options).collect())


def test_what_is_saved_is_loaded_and_the_default_mode_appends(engine):
    frame = engine.spark.sql("SELECT id, 'x' AS note FROM range(2)")
    assert flare.save(f"{ORDERS}?acl=rw", frame, format="iceberg").created
    assert flare.save(ORDERS, frame).rows == 2
    assert rows(ORDERS) == [(0, "x"), (0, "x"), (1, "x"), (1, "x")]
    assert flare.save(ORDERS, frame, mode="overwrite").rows == 2
    assert rows(ORDERS, query="SELECT id FROM {dataset} WHERE id > 0") == [(1,)]
    braces = """SELECT id FROM {dataset} WHERE note RLIKE 'x{1}' AND note <> '{"k": {}}' -- {x}"""
    assert rows(ORDERS, query=braces) == [(0,), (1,)]


def test_options_of_iceberg_are_pyflares(engine):
    name = "dataos://lakehouse:sales/merged"
    options = {
        "iceberg": {
            "table_properties": {"mine": 1},
            "partition": [{"type": "bucket", "column": "id", "bucket_count": 2}],
        }
    }
    flare.save(name, engine.spark.sql("SELECT 1 AS id, 'old' AS note"), options=options)
    merge = {"onClause": "old.id = new.id", "whenClause": "matched then update set * when not matched then insert *"}
    changes = engine.spark.sql("SELECT * FROM VALUES (1, 'new'), (2, 'added') AS t(id, note)")
    flare.save(name, changes, options={"iceberg": {"merge": merge}})
    assert rows(name) == [(1, "new"), (2, "added")]
    with pytest.raises(DepotError, match="iceberg knows no 'partitions'"):
        flare.save(name, changes, options={"iceberg": {"partitions": []}})


def test_a_merge_may_speak_of_target_and_source(engine):
    name = "dataos://lakehouse:sales/spoken"
    flare.save(name, engine.spark.sql("SELECT 1 AS id, 'old' AS note"))
    merge = {
        "onClause": "target.id = source.id",
        "whenClause": "WHEN MATCHED THEN UPDATE SET target.note = source.note",
    }
    flare.save(name, engine.spark.sql("SELECT 1 AS id, 'source.x' AS note"), options={"iceberg": {"merge": merge}})
    assert rows(name) == [(1, "source.x")]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM parquet.`/etc/x`", "opens files past the job's inputs"),
        (
            "SELECT * FROM {dataset} WHERE id IN (SELECT id FROM lakehouse.sales.other)",
            "is not the dataset that is loaded",
        ),
        ("SELECT * FROM {dataset} JOIN leftover USING (id)", "'leftover' is not the dataset that is loaded"),
        ("SELECT reflect('java.lang.System', 'exit') FROM {dataset}", "calls Java"),
        ("DROP TABLE {dataset}", "is not a query"),
        ("SELECT 1; SELECT 2", "one step is one query"),
    ],
)
def test_a_query_reads_the_dataset_and_nothing_else(engine, query, message):
    flare.save("dataos://lakehouse:sales/asked", engine.spark.sql("SELECT 1 AS id"), mode="overwrite")
    with pytest.raises(SqlRefused, match=re.escape(message)):
        flare.load("dataos://lakehouse:sales/asked", query=query)


@pytest.mark.parametrize(
    ("merge", "error", "message"),
    [
        ({"onClause": "old.id = new.id"}, DepotError, "a merge has onClause and whenClause, and this one onClause"),
        ({}, None, ""),
        (
            {"onClause": "old.id = new.id", "whenClause": "matched and exists (select 1 from other) then delete"},
            SqlRefused,
            "'other' is another relation",
        ),
        ({"onClause": "old.id = = new.id", "whenClause": "matched then delete"}, SqlRefused, "does not parse"),
    ],
)
def test_a_merge_has_both_clauses_and_reads_its_two_sides_only(engine, merge, error, message):
    frame = engine.spark.sql("SELECT 1 AS id")
    if error is None:
        assert flare.save("dataos://lakehouse:sales/plain", frame, options={"iceberg": {"merge": merge}}).rows == 1
        return
    with pytest.raises(error, match=re.escape(message)):
        flare.save("dataos://lakehouse:sales/plain", frame, options={"iceberg": {"merge": merge}})


def test_a_depot_that_needs_more_than_the_session_has_is_told(engine, tmp_path_factory):
    project = tmp_path_factory.mktemp("bucket")
    (project / "depot.yaml").write_text(
        "name: raw\nversion: v2alpha\ntype: depot\ndepot: {type: s3, s3: {bucket: b, endpoint: 'http://127.0.0.1:1'}}\n"
    )
    with flare.session(project), pytest.raises(DepotError, match="its depot is not loaded in this session") as refused:
        flare.load("dataos://raw:none/a.parquet", format="parquet")
    assert "flare.session(project" in refused.value.hint


def test_without_a_session_it_is_said_what_to_write(monkeypatch):
    from dataos_dagster.flare import pyflare

    monkeypatch.setattr(pyflare, "_CURRENT", pyflare.ContextVar("none", default=None))
    with pytest.raises(DepotError, match="no session is open"):
        flare.load(ORDERS)

"""Datasets in Python in the words of PyFlare, on the embedded engine."""

from __future__ import annotations

import pytest

from dataos_dagster import flare
from dataos_dagster.errors import DepotError

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

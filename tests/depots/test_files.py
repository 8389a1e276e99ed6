"""Folders of files: the same files' content on both engines, and no moment at which nothing is there."""

from __future__ import annotations

import os
from datetime import date, datetime

import pytest
from depot_shop import SHOP_FILES, target

from dataos_dagster.address import Address
from dataos_dagster.depots.door import Merge, ReadRequest, Sort, SortColumn, Target, WriteRequest
from dataos_dagster.depots.files import commit
from dataos_dagster.errors import DatasetNotFound, DepotError, DepotUnsupported, SchemaMismatch, WriteFailed

OUT = "dataos://shopfiles:out/orders"
QUERY = """SELECT id, IF(id = 1, NULL, concat('s, "', id, ' \\\\')) AS s, TIMESTAMP'2024-01-01 10:00:00' AS at,
    DATE'2024-01-01' AS day, 1.5D AS x, IF(id = 2, '', ' t ') AS e FROM range({})"""
AT = datetime(2024, 1, 1, 10)  # noqa: DTZ001 - Spark's rows have no zone


@pytest.mark.parametrize("format_", ["parquet", "json", "csv"])
def test_append_adds_and_overwrite_replaces(shop, format_):
    assert shop.write(QUERY.format(3), OUT, format=format_).created
    assert not shop.write(QUERY.format(2), OUT, "append", format=format_).created
    assert shop.frame(OUT, format=format_).count() == 5
    written = shop.write(QUERY.format(1), OUT, format=format_)
    assert shop.frame(OUT, format=format_).count() == 1
    assert written.bytes > 0
    assert written.rows == (1 if format_ == "parquet" else None)
    assert not [path for path in (shop.data / "out").iterdir() if path.name.endswith(".writing")]


@pytest.mark.parametrize("format_", ["xlsx", "delta", "parquet"])
def test_bytes_of_another_format_are_no_rows_of_the_depots(sail_shop, format_):
    sail_shop.declare(SHOP_FILES.replace("./data", "./data, format: csv"), "shopfiles.yaml")
    sail_shop.write("SELECT 1 AS id", OUT, format=format_)
    with pytest.raises(DepotUnsupported, match="is no csv, which is what the depot holds") as raised:
        sail_shop.frame(OUT)
    assert raised.value.hint == f"write `format: {format_}`"
    assert sail_shop.frame(OUT, format=format_).count() == 1


def test_parquet_keeps_rows_and_types(shop):
    shop.write(QUERY.format(3), OUT, format="parquet")
    assert shop.types(OUT) == {
        "id": "bigint",
        "s": "string",
        "at": "timestamp",
        "day": "date",
        "x": "double",
        "e": "string",
    }
    assert shop.rows(OUT)[1] == (1, None, AT, date(2024, 1, 1), 1.5, " t ")


def test_csv_is_written_by_the_same_rules(shop):
    shop.write(QUERY.format(3), OUT, format="csv")
    assert shop.rows(OUT, format="csv") == [
        ("0", 's, "0 \\', "2024-01-01T10:00:00.000Z", "2024-01-01", "1.5", "t"),
        ("1", None, "2024-01-01T10:00:00.000Z", "2024-01-01", "1.5", "t"),
        ("2", 's, "2 \\', "2024-01-01T10:00:00.000Z", "2024-01-01", "1.5", None),
    ]
    text = "".join(file.read_text() for file in sorted((shop.data / "out/orders").glob("part-*.csv")))
    assert text.count("id,s,at,day,x,e\n") >= 1
    assert '"s, \\"0 \\\\"' in text


def test_csv_without_header_and_with_another_separator(shop):
    options = {"header": "false", "sep": ";"}
    shop.write("SELECT 1 AS a, 'x;y' AS b", OUT, format="csv", options=options)
    assert shop.rows(OUT, format="csv", options=options) == [("1", "x;y")]


def test_json_is_written_by_the_same_rules(shop):
    shop.write(
        "SELECT 1 AS id, CAST(NULL AS STRING) AS n, TIMESTAMP'2024-01-01 10:00:00' AS at, double('NaN') AS x, named_struct('a', array(1)) AS s",
        OUT,
        format="json",
    )
    [file] = (shop.data / "out/orders").glob("part-*.json")
    assert file.read_text() == '{"id":1,"at":"2024-01-01T10:00:00.000Z","x":"NaN","s":{"a":[1]}}\n'


def test_text_holds_lines(shop):
    shop.write("SELECT 'one' AS value UNION ALL SELECT 'two'", OUT, format="text")
    assert shop.rows(OUT, format="text") == [("one",), ("two",)]
    shop.put("in/a.txt", "a\nb\n")
    assert shop.rows("dataos://shopfiles:in/a.txt", options={"wholetext": "true"}) == [("a\nb\n",)]


@pytest.mark.parametrize("format_", ["parquet", "csv"])
def test_a_frame_without_rows_keeps_its_columns(shop, format_):
    shop.write(QUERY.format(2), OUT, format=format_)
    shop.write(QUERY.format(0), OUT, format=format_)
    assert shop.rows(OUT, format=format_) == []
    assert list(shop.types(OUT, format=format_)) == ["id", "s", "at", "day", "x", "e"]


def test_partitions_keep_nulls_and_odd_values(shop):
    query = "SELECT id, IF(id = 1, NULL, id) AS k, concat('x/=', id) AS y FROM range(3)"
    shop.write(query, OUT, format="parquet", partition_by=("k", "y"))
    assert shop.rows(OUT) == [(0, 0, "x/=0"), (1, None, "x/=1"), (2, 2, "x/=2")]
    assert shop.types(OUT) == {"id": "bigint", "k": "int", "y": "string"}


def test_an_append_to_parquet_must_fit(shop):
    shop.write("SELECT 1 AS id, 'a' AS name", OUT, format="parquet")
    with pytest.raises(SchemaMismatch, match="has no column name"):
        shop.write("SELECT 1 AS id", OUT, "append", format="parquet")
    assert shop.rows(OUT) == [(1, "a")]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_failing_query_leaves_the_files_as_they_were(shop, mode):
    shop.write("SELECT CAST(1 AS BIGINT) AS id", OUT, format="parquet")
    before = sorted(path.name for path in (shop.data / "out/orders").iterdir())
    with pytest.raises(WriteFailed, match="boom"):
        shop.write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", OUT, mode, format="parquet")
    assert sorted(path.name for path in (shop.data / "out/orders").iterdir()) == before


def test_a_folder_is_overwritten_from_itself(shop):
    from depot_shop import ANN

    shop.write("SELECT id FROM range(4)", OUT, format="parquet")
    request = WriteRequest(target(OUT), "overwrite", format="parquet")
    shop.door.write(shop.frame(OUT).filter("id < 2"), request, shop.session(request), ANN)
    assert shop.rows(OUT) == [(0,), (1,)]


def test_the_format_is_told_by_the_extension_or_else_asked_for(shop):
    shop.put("in/a.csv", "id\n1\n")
    shop.put("in/odd", "id\n1\n")
    assert shop.rows("dataos://shopfiles:in/a.csv") == [("1",)]
    with pytest.raises(DepotUnsupported, match="nothing says which format it has"):
        shop.frame("dataos://shopfiles:in/odd")
    assert shop.rows("dataos://shopfiles:in/odd", format="CSV") == [("1",)]


@pytest.mark.parametrize("format_", ["parquet", "csv", "json", "text"])
def test_a_missing_file_is_an_error_and_no_empty_frame(shop, format_):
    with pytest.raises(DatasetNotFound, match="does not exist"):
        shop.frame("dataos://shopfiles:in/nope", format=format_)
    (shop.data / "empty").mkdir()
    with pytest.raises(DatasetNotFound, match="holds no file"):
        shop.frame("dataos://shopfiles:none/empty", format=format_)


def test_a_file_beside_the_missing_one_is_guessed(sail_shop):
    sail_shop.put("in/orders.csv", "id\n1\n")
    with pytest.raises(DatasetNotFound) as missing:
        sail_shop.frame("dataos://shopfiles:in/ordrs.csv")
    assert missing.value.hint == "did you mean orders.csv?"
    with pytest.raises(DatasetNotFound) as missing:
        sail_shop.frame("dataos://shopfiles:in/nothing.csv")
    assert missing.value.hint == "check the address and the depot's path"


def test_an_address_does_not_lead_out_of_the_depot(sail_shop):
    outside = ReadRequest(Target(Address("shopfiles", "in", ("..", "..", "secrets.yaml"))), format="text")
    with pytest.raises(DepotError, match="is outside of"):
        sail_shop.door.requirements([outside])


def test_standalone_paths_are_relative_to_the_project(shop):
    from depot_shop import ANN

    request = WriteRequest(Target(path="elsewhere/orders"), "overwrite", format="parquet")
    session = shop.session(request)
    shop.door.write(session.spark.sql("SELECT 1 AS id"), request, session, ANN)
    assert (shop.root / "elsewhere/orders").is_dir()
    found = shop.door.read(ReadRequest(Target(path=str(shop.root / "elsewhere/orders"))), session, ANN)
    assert [tuple(row) for row in found.collect()] == [(1,)]


def test_a_standalone_warehouse_holds_tables(shop):
    from depot_shop import ANN

    request = WriteRequest(Target(warehouse="lake", namespace="retail", table="city"), "overwrite", format="iceberg")
    session = shop.session(request)
    assert shop.door.write(session.spark.sql("SELECT 1 AS id"), request, session, ANN).rows == 1
    read = ReadRequest(Target(warehouse="lake", namespace="retail", table="city"))
    assert shop.door.read(read, session, ANN).count() == 1


def test_files_know_no_merge(shop):
    with pytest.raises(DepotUnsupported, match="neither merge nor branches"):
        shop.write("SELECT 1 AS id", OUT, format="parquet", merge=Merge("a", "b"))


def test_what_sail_does_not_do_with_files_goes_to_spark(sail_shop):
    sort = Sort("global", (SortColumn("id"),))
    for request, said in (
        (WriteRequest(target(OUT), "append", format="orc"), "Sail does not write orc"),
        (WriteRequest(target(OUT), "append", format="csv", partition_by=("k",)), "Sail does not write partitioned csv"),
        (WriteRequest(target(OUT), "append", format="csv", compression="gzip"), "Sail does not write compressed csv"),
        (WriteRequest(target(OUT), "append", format="json", options={"ignoreNullFields": "false"}), "ignorenullfields"),
        (ReadRequest(target(OUT), format="xml"), "Sail does not read xml"),
        (ReadRequest(target(OUT), format="parquet", options={"mergeSchema": "true"}), "mergeschema"),
    ):
        [reason] = sail_shop.door.requirements([request]).vetoes["sail"]
        assert said in reason
    [note] = sail_shop.door.requirements([WriteRequest(target(OUT), "append", format="parquet", sort=sort)]).notes
    assert "does not keep the order" in note


def test_orc_and_xml_are_read_and_written_on_spark(spark_shop):
    spark_shop.write("SELECT 1 AS id", OUT, format="orc")
    assert spark_shop.rows(OUT) == [(1,)]


def test_datasets_are_files_and_folders_that_an_engine_wrote(sail_shop):
    sail_shop.put("in/a.csv", "id\n1\n")
    sail_shop.write("SELECT id, id AS k FROM range(3)", OUT, format="parquet", partition_by=("k",))
    assert [str(address) for address in sail_shop.door.datasets("shopfiles")] == ["dataos://shopfiles:in/a.csv", OUT]


class TestCommit:
    """Putting folders in place, and what a writer that died leaves to the next."""

    @pytest.fixture
    def dataset(self, tmp_path):
        folder = tmp_path / "orders"
        (folder / "k=1").mkdir(parents=True)
        (folder / "k=1" / "a").write_text("old")
        return folder

    def staged(self, dataset):
        folder = commit.staging_folder(dataset)
        (folder / "k=1").mkdir(parents=True)
        (folder / "k=1" / "b").write_text("new")
        (folder / "c").write_text("new")
        return folder

    def names(self, dataset):
        return sorted(str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file())

    def test_an_overwrite_exchanges_the_folders(self, dataset):
        commit.replace_folder(self.staged(dataset), dataset)
        assert self.names(dataset) == ["c", "k=1/b"]
        assert [path.name for path in dataset.parent.iterdir()] == ["orders"]

    def test_an_overwrite_works_where_nothing_can_be_exchanged(self, dataset, monkeypatch):
        monkeypatch.setattr(commit, "_exchange", lambda *_: False)
        commit.replace_folder(self.staged(dataset), dataset)
        assert self.names(dataset) == ["c", "k=1/b"]

    def test_the_old_rows_come_back_when_a_writer_died_between_two_renames(self, dataset, monkeypatch):
        monkeypatch.setattr(commit, "_exchange", lambda *_: False)
        staged, real = self.staged(dataset), os.rename

        def rename(self, where):
            if self == staged:
                raise KeyboardInterrupt  # as a crash: nothing is cleaned up after it
            real(self, where)

        with monkeypatch.context() as dying:
            dying.setattr("pathlib.Path.rename", rename)
            with pytest.raises(KeyboardInterrupt):
                commit.replace_folder(staged, dataset)
        assert not dataset.exists()
        commit.remove_abandoned(dataset)
        commit.settle_local(dataset)
        assert self.names(dataset) == ["k=1/a"]
        assert [path.name for path in dataset.parent.iterdir()] == ["orders"]

    def test_old_rows_that_a_writer_died_over_removing_are_removed_by_the_next(self, dataset):
        dataset.parent.joinpath(".orders.1.writing.old").mkdir()
        commit.settle_local(dataset)
        assert [path.name for path in dataset.parent.iterdir()] == ["orders"]
        assert self.names(dataset) == ["k=1/a"]

    def test_undoing_an_append_leaves_what_somebody_else_put_there(self, dataset):
        commit._write_note(dataset, ["b", "never-arrived"])
        for name in ("b", "of-a-user"):
            (dataset / name).touch()
        commit.settle_local(dataset)
        assert self.names(dataset) == ["k=1/a", "of-a-user"]

    def test_an_append_that_fails_midway_is_undone(self, dataset, monkeypatch):
        staged, real = self.staged(dataset), os.rename
        moves = []

        def rename(self, where):
            moves.append(where)
            if len(moves) == 2:
                raise OSError(28, "No space left on device")
            real(self, where)

        monkeypatch.setattr("pathlib.Path.rename", rename)
        with pytest.raises(OSError, match="No space left"):
            commit.move_into(staged, dataset)
        assert self.names(dataset) == ["k=1/a"]

    def test_an_append_whose_writer_died_does_not_count_and_is_undone_by_the_next(self, sail_shop):
        sail_shop.write("SELECT CAST(1 AS BIGINT) AS id", OUT, format="parquet")
        dataset = sail_shop.data / "out/orders"
        commit._write_note(dataset, ["part-of-a-dead-writer.parquet"])
        [part] = dataset.glob("*.parquet")
        (dataset / "part-of-a-dead-writer.parquet").write_bytes(part.read_bytes())
        assert sail_shop.rows(OUT) == [(1,)]
        sail_shop.write("SELECT CAST(2 AS BIGINT) AS id", OUT, "append", format="parquet")
        assert sail_shop.rows(OUT) == [(1,), (2,)]

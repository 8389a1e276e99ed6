"""Excel workbooks: the same rows and types on both engines, and files that are none told by name."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
import xlsxwriter
from depot_shop import target
from pyspark.sql.types import StructType

from dataos_dagster.depots.door import GivenSchema, ReadRequest, WriteRequest
from dataos_dagster.depots.files.xlsx import write as xlsx_write
from dataos_dagster.depots.files.xlsx.options import WorkbookOptions
from dataos_dagster.errors import DepotError, DepotUnsupported, SchemaMismatch, WriteFailed

OUT = "dataos://shopfiles:out/orders"
BOOK = "dataos://shopfiles:in/book.xlsx"
AT = datetime(2024, 1, 30, 10, 15)  # noqa: DTZ001 - Spark's rows have no zone
QUERY = """SELECT id, IF(id = 1, NULL, concat('=s', id)) AS s, TIMESTAMP'2024-01-30 10:15:00' AS at,
    DATE'2024-01-30' AS day, CAST(1.5 AS DECIMAL(10,2)) AS x, id = 1 AS b, 1.25D AS f FROM range({})"""
SCHEMA = GivenSchema("ddl", "id bigint, s string, at timestamp, day date, x decimal(10,2), b boolean, f double")


def put_book(shop, rows, *, path="in/book.xlsx", sheet=None, first=(0, 0)):
    file = shop.data / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(file)) as book:
        book.add_worksheet(sheet or "Sheet1")
        page = book.worksheets()[0]
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                place = (first[0] + number, first[1] + column)
                if isinstance(value, datetime):
                    page.write_datetime(*place, value, day)
                elif value is not None:
                    page.write(*place, value)


ROWS = [("id", "name", "price", "at", "ok"), (1, "ann", 1.5, AT, True), (2, None, 2, None, False), (None,) * 5]


def test_cells_are_texts_unless_types_are_inferred(shop):
    put_book(shop, ROWS)
    assert shop.rows(BOOK) == [("1", "ann", "1.5", "2024-01-30T10:15:00", "true"), ("2", None, "2", None, "false")]
    inferred = {"options": {"inferSchema": "true"}}
    assert shop.types(BOOK, **inferred) == {
        "id": "int", "name": "string", "price": "double", "at": "timestamp", "ok": "boolean",
    }  # fmt: skip
    assert shop.rows(BOOK, **inferred) == [(1, "ann", 1.5, AT, True), (2, None, 2.0, None, False)]


def test_a_schema_names_and_types_the_columns(shop):
    put_book(shop, [("a", "b"), (7, "x"), ("n/a", "y")])
    schema = GivenSchema("ddl", "id int, name string")
    assert shop.rows(BOOK, schema=schema) == [(7, "x"), (None, "y")]
    assert shop.rows(BOOK, schema=schema, options={"mode": "DROPMALFORMED"}) == [(7, "x")]
    with pytest.raises(SchemaMismatch, match=r"book\.xlsx: row 2 is malformed \(mode FAILFAST\): \['n/a', 'y'\]"):
        shop.frame(BOOK, schema=schema, options={"mode": "FAILFAST"})


def test_rows_are_read_where_the_options_say(sail_shop):
    put_book(sail_shop, [("id", "name"), (1, "ann")], sheet="My Sheet", first=(2, 1))
    for options in ({"dataAddress": "'My Sheet'!B3"}, {"sheetName": "My Sheet", "dataAddress": "B3:C9"}):
        assert sail_shop.rows(BOOK, options=options) == [("1", "ann")]
    assert sail_shop.types(BOOK, options={"dataAddress": "B4", "header": "false"}) == {"_c0": "string", "_c1": "string"}


def test_a_range_ends_where_its_last_cell_is(sail_shop):
    notes = [("id", "v", None, "note"), (1, 2, None, "beside"), (3, 4), (None, None), ("Total", 6)]
    put_book(sail_shop, notes)
    frame = sail_shop.frame(BOOK, options={"dataAddress": "A1:B3"})
    assert (frame.columns, [tuple(row) for row in frame.collect()]) == (["id", "v"], [("1", "2"), ("3", "4")])
    assert len(sail_shop.rows(BOOK, options={"dataAddress": "A1"})) == 3


@pytest.mark.parametrize("name", ["header", "useHeader"])
def test_a_sheet_without_a_header_keeps_its_first_row(sail_shop, name):
    put_book(sail_shop, [(1, "ann"), (2, "bob")])
    assert sail_shop.rows(BOOK, options={name: "false"}) == [("1", "ann"), ("2", "bob")]


@pytest.mark.parametrize(
    "options", [{"dataAddress": "'Data'!B3"}, {"header": "false"}, {"useHeader": "false", "dataAddress": "C1"}]
)
def test_an_append_finds_the_columns_where_the_rows_before_it_were_put(sail_shop, options):
    sail_shop.write("SELECT 1 AS id, 'a' AS name", OUT, format="xlsx", options=options)
    sail_shop.write("SELECT 2 AS id, 'b' AS name", OUT, "append", format="xlsx", options=options)
    assert sorted(sail_shop.rows(OUT, options=options)) == [("1", "a"), ("2", "b")]
    with pytest.raises(SchemaMismatch):
        sail_shop.write("SELECT 2 AS id", OUT, "append", format="xlsx", options=options)


def test_days_that_programs_count_differently_are_texts(sail_shop):
    sail_shop.write(
        """SELECT DATE'1850-01-02' AS a, DATE'1900-01-01' AS b, DATE'1900-03-01' AS c, DATE'9999-12-31' AS d,
        TIMESTAMP'1899-12-31 10:00:00' AS e, '{=1+1}' AS f, 'internal:x' AS g""",
        OUT,
        format="xlsx",
    )
    schema = GivenSchema("ddl", "a date, b date, c date, d date, e timestamp, f string, g string")
    at = datetime(1899, 12, 31, 10)  # noqa: DTZ001 - Spark's rows have no zone
    days = (date(1850, 1, 2), date(1900, 1, 1), date(1900, 3, 1), date(9999, 12, 31))
    assert sail_shop.rows(OUT, schema=schema) == [(*days, at, "{=1+1}", "internal:x")]


def test_what_is_written_is_read_again(shop):
    shop.write(QUERY.format(3), OUT, format="xlsx", options={"sheetName": "Orders"})
    rows = [(i, None if i == 1 else f"=s{i}", AT, date(2024, 1, 30), Decimal("1.50"), i == 1, 1.25) for i in range(3)]
    assert shop.rows(OUT, format="xlsx", schema=SCHEMA, options={"sheetName": "Orders"}) == rows
    shop.write(QUERY.format(1), OUT, "append", format="xlsx", options={"sheetName": "Orders"})
    assert len(shop.rows(OUT)) == 4
    assert len(list((shop.data / "out/orders").glob("*.xlsx"))) == 2
    shop.write(QUERY.format(1), OUT, format="xlsx")
    assert len(shop.rows(OUT)) == 1


def test_the_rows_of_a_workbook_are_counted_as_they_are_written(sail_shop):
    first = sail_shop.write(QUERY.format(3), OUT, format="xlsx")
    more = sail_shop.write(QUERY.format(2), OUT, "append", format="xlsx")
    assert [(each.rows, each.total_rows) for each in (first, more)] == [(3, 3), (2, None)]


def test_numbers_that_a_cell_cannot_hold_keep_their_digits_as_texts(sail_shop):
    sail_shop.write(
        "SELECT 9007199254740993 AS big, CAST(12345678901234.5678 AS DECIMAL(20,4)) AS d, double('NaN') AS n",
        OUT,
        format="xlsx",
    )
    assert sail_shop.rows(OUT) == [("9007199254740993", "12345678901234.5678", "NaN")]
    numbers = {"schema": GivenSchema("ddl", "big bigint, d decimal(20,4), n double")}
    [(big, exact, nan)] = sail_shop.rows(OUT, **numbers)
    assert (big, exact, nan != nan) == (9007199254740993, Decimal("12345678901234.5678"), True)  # noqa: PLR0124 - is NaN


def test_workbooks_of_a_folder_have_the_same_columns(sail_shop):
    put_book(sail_shop, [("id", "name"), (1, "ann")], path="in/books/a.xlsx")
    put_book(sail_shop, [("ID", "Name"), (2, "bob")], path="in/books/b.xlsx")
    assert sail_shop.rows("dataos://shopfiles:in/books") == [("1", "ann"), ("2", "bob")]
    put_book(sail_shop, [("id", "price"), (3, 4)], path="in/books/c.xlsx")
    with pytest.raises(SchemaMismatch, match=r"c\.xlsx has the columns id, price, and the workbook before it id, name"):
        sail_shop.frame("dataos://shopfiles:in/books")


def test_what_excel_puts_beside_an_open_workbook_is_no_workbook(sail_shop):
    put_book(sail_shop, ROWS, path="in/books/a.xlsx")
    sail_shop.put("in/books/~$a.xlsx", "\x03ann")
    assert len(sail_shop.rows("dataos://shopfiles:in/books")) == 2


def test_a_file_that_cannot_be_made_is_an_error_of_the_disk(tmp_path):
    options = WorkbookOptions.parse({}, write=True)
    request = WriteRequest(target(OUT), "append", format="xlsx")
    with pytest.raises(OSError, match="No such file or directory"):
        xlsx_write.write_workbook(pa.table({}), StructType([]), tmp_path / "missing/a.xlsx", options, request)


def test_an_append_has_the_columns_that_are_there(sail_shop):
    sail_shop.write("SELECT 1 AS id, 'a' AS name", OUT, format="xlsx")
    with pytest.raises(SchemaMismatch, match="has the columns name, id, and the workbooks that are there id, name"):
        sail_shop.write("SELECT 'b' AS name, 2 AS id", OUT, "append", format="xlsx")
    assert sail_shop.rows(OUT) == [("1", "a")]


def test_a_file_that_is_no_workbook_and_a_sheet_that_is_not_there_are_told(sail_shop):
    sail_shop.put("in/broken.xlsx", "PK no workbook")
    with pytest.raises(DepotError, match=r"in/broken\.xlsx cannot be read as an Excel workbook"):
        sail_shop.frame("dataos://shopfiles:in/broken.xlsx")
    put_book(sail_shop, ROWS)
    with pytest.raises(DepotError, match="has no sheet 'Orders'") as missing:
        sail_shop.frame(BOOK, options={"sheetName": "Orders"})
    assert missing.value.hint == "it has 'Sheet1'; write sheetName: <name>"


def test_what_workbooks_do_not_hold_is_refused_before_anything_is_written(sail_shop, monkeypatch):
    sail_shop.write("SELECT 1 AS id", OUT, format="xlsx")
    with pytest.raises(SchemaMismatch, match=r"a workbook cannot hold l array<int>, m map<int,int>"):
        sail_shop.write("SELECT array(1) AS l, map(1, 2) AS m", OUT, format="xlsx")
    with pytest.raises(WriteFailed, match="a text of s has 32768 characters"):
        sail_shop.write("SELECT repeat('x', 32768) AS s", OUT, format="xlsx")
    monkeypatch.setattr(xlsx_write, "MOST_COLUMNS", 3)
    with pytest.raises(SchemaMismatch, match="3 columns are more than the 2 that a sheet holds"):
        sail_shop.write("SELECT 1 AS a, 2 AS b, 3 AS c", OUT, format="xlsx", options={"dataAddress": "B1"})
    monkeypatch.setattr(xlsx_write, "MOST_ROWS", 3)
    with pytest.raises(WriteFailed, match="3 rows are more than the 2 that a sheet holds"):
        sail_shop.write("SELECT id FROM range(3)", OUT, format="xlsx")
    assert sail_shop.rows(OUT) == [("1",)]


def test_options_that_are_not_followed_are_told_when_the_job_is_planned(sail_shop):
    for request, said in (
        (ReadRequest(target(BOOK), options={"workbookPassword": "x"}), "workbooks with a password"),
        (ReadRequest(target(BOOK), options={"sheetname": "a", "location": "x"}), "the option location"),
        (ReadRequest(target(BOOK), options={"dataAddress": "here"}), "is no place in a sheet"),
        (ReadRequest(target(BOOK), options={"dataAddress": "B3:A9"}), "is no place in a sheet"),
        (ReadRequest(target(BOOK), options={"dataAddress": "A1:last"}), "is no place in a sheet"),
        (WriteRequest(target(OUT), "append", format="xlsx", options={"dataAddress": "A1:B9"}), "has a last cell"),
        (WriteRequest(target(OUT), "append", format="xlsx", options={"sheetName": "2024/01"}), "takes no sheet of the"),
        (WriteRequest(target(OUT), "append", format="xlsx", options={"sheetName": "x" * 32}), "takes no sheet of the"),
        (WriteRequest(target(OUT), "append", format="xlsx", options={"sheetName": "History"}), "takes no sheet of the"),
        (ReadRequest(target(BOOK), stream=True), "workbooks are no stream"),
        (WriteRequest(target(OUT), "append", format="xlsx", partition_by=("k",)), "know no partitionBy"),
        (WriteRequest(target(OUT), "append", format="xlsx", compression="gzip"), "know no compressionType"),
    ):
        put_book(sail_shop, ROWS)
        with pytest.raises(DepotUnsupported, match=said):
            sail_shop.door.requirements([request])


def test_a_workbook_is_written_to_a_bucket(sail_shop, s3):
    s3.create_bucket("books")
    sail_shop.declare(
        f"""
name: books
version: v1
type: depot
depot:
  type: S3
  connectionSecret:
    - {{acl: rw, type: key-value-properties, data: {{accesskeyid: {s3.access_key}, secretkey: {s3.secret_key}}}}}
  spec: {{bucket: books, relativePath: /, format: XLSX, scheme: s3a, region: {s3.region}, endpoint: "{s3.endpoint}"}}
""",
        "books.yaml",
    )
    assert sail_shop.write("SELECT 1 AS id", "dataos://books:out/orders").rows == 1
    assert sail_shop.rows("dataos://books:out/orders") == [("1",)]

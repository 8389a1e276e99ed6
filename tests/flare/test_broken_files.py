"""Files that are not what a job takes them for: told at their input, nothing lost, and the next run succeeds."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import DataOSError

OUT = "dataos://lakehouse:shop/out"
DEPOT = """
    name: shopfiles
    version: v1
    type: depot
    depot: {type: file, file: {path: ./data}}
    """
AVRO = '{"type": "record", "name": "r", "fields": [{"name": "id", "type": "int"}]}'


def job(path: str, more: str = "") -> str:
    return f"""
        inputs:
          - name: rows
            dataset: dataos://shopfiles:in/{path}
            {more}
        outputs:
          - {{name: rows, dataset: "{OUT}?acl=rw", options: {{saveMode: overwrite}}}}
        """


@pytest.fixture
def shop(project):
    """Return a project with a depot of files, and a table with one row that a broken run must not touch."""
    project.write("depot.yaml", DEPOT)
    project.seed(OUT, "SELECT 7 AS id")
    return project


def refused(project, text):
    """Run a job that must fail, and return its error after checking that the table is as it was."""
    error = project.error_of(text)
    assert isinstance(error, DataOSError)
    assert error.location is not None
    assert error.location.file == "job.yaml"
    assert project.table(OUT) == (["id int"], [(7,)])
    return error


def test_a_corrupt_parquet_file_is_named_and_a_whole_one_is_read_next(shop):
    shop.seed("dataos://shopfiles:in/orders", "SELECT 1 AS id")
    folder = shop.folder / "data" / "in" / "orders"
    broken = folder / "part-99999-broken.parquet"
    broken.write_bytes(b"PAR1 this is no parquet file PAR1")
    error = refused(shop, job("orders", "format: parquet"))
    assert "in/orders/part-99999-broken.parquet" in error.message
    broken.unlink()
    shop.run_job(job("orders", "format: parquet"))
    assert shop.table(OUT)[1] == [(1,)]


def test_a_parquet_file_that_was_cut_off_is_told(shop):
    shop.seed("dataos://shopfiles:in/orders", "SELECT CAST(id AS INT) AS id FROM range(1000)")
    file = next((shop.folder / "data" / "in" / "orders").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-20])
    refused(shop, job("orders", "format: parquet"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type": "record", "fields": ', "the schema is no JSON"),
        ('{"type": "enum", "name": "e", "symbols": ["a"]}', "a record"),
        ('{"type": "record", "name": "r", "fields": [{"name": "id", "type": "integer"}]}', "unknown type 'integer'"),
        ('{"type": "record", "name": "r", "fields": [{"type": "int"}]}', "lacks 'name'"),
        ("", "is empty"),
        ("id whole", "WHOLE"),
    ],
)
def test_a_schema_file_that_is_none_is_told_and_the_right_one_is_taken_next(shop, text, said):
    shop.write("data/in/orders.csv", "id\n1\n")
    schema = shop.folder / "data" / "schemas" / "order.avsc"
    schema.parent.mkdir(parents=True)
    schema.write_text(text, "utf-8")
    where = "schemaPath: dataos://shopfiles:schemas/order.avsc"
    error = refused(shop, job("orders.csv", f"format: csv\n            {where}"))
    assert said.lower() in f"{error.message} {error.hint}".lower()
    schema.write_text(AVRO, "utf-8")
    shop.run_job(job("orders.csv", f"format: csv\n            {where}"))
    assert shop.table(OUT)[1] == [(1,)]


def test_a_schema_file_that_is_not_there_is_told_at_its_line(shop):
    shop.write("data/in/orders.csv", "id\n1\n")
    error = refused(shop, job("orders.csv", "schemaPath: dataos://shopfiles:schemas/none.avsc"))
    assert "none.avsc" in error.message


def test_columns_of_csv_that_do_not_fit_the_table_are_named(shop):
    shop.write("data/in/orders.csv", "id,name\n1,a\n")
    append = job("orders.csv", "format: csv").replace("overwrite", "append")
    error = refused(shop, append)
    assert "has columns that the dataset lacks: name" in error.message
    assert "cannot safely cast id from string to int" in error.message


def test_ragged_rows_and_values_of_another_type_are_null_dropped_or_an_error_as_the_mode_says(shop):
    shop.write("data/in/orders.csv", "id,name\n1,a\nx,b\n3\n4,d,more\n")
    schema = "format: csv\n            schemaString: 'id int, name string'\n            options: {{mode: {}}}"
    shop.run_job(job("orders.csv", schema.format("PERMISSIVE")).replace("shop/out", "shop/permissive"))
    rows = [(1, "a"), (3, None), (4, "d"), (None, "b")]
    assert sorted(shop.table("dataos://lakehouse:shop/permissive")[1], key=repr) == sorted(rows, key=repr)
    shop.run_job(job("orders.csv", schema.format("DROPMALFORMED")).replace("shop/out", "shop/dropped"))
    assert shop.table("dataos://lakehouse:shop/dropped")[1] == [(1, "a")]
    narrow = schema.replace(", name string", "").format("FAILFAST")
    error = refused(shop, job("orders.csv", narrow))
    assert "in/orders.csv" in error.message


def test_a_workbook_that_is_none_is_told_at_its_input(shop):
    shop.write("data/in/orders.xlsx", "id,name")
    error = refused(shop, job("orders.xlsx"))
    assert "cannot be read as an Excel workbook" in error.message
    assert error.location.line == 14


def test_json_that_is_none_is_a_corrupt_record_and_no_lost_row(shop):
    shop.write("data/in/orders.json", '{"id": 1}\n{"id": \n')
    shop.run_job(job("orders.json", "format: json").replace("shop/out", "shop/json"))
    columns, rows = shop.table("dataos://lakehouse:shop/json")
    assert columns == ["_corrupt_record string", "id bigint"]
    assert sorted(rows, key=repr) == [('{"id": ', None), (None, 1)]


@pytest.mark.parametrize(("format_", "name"), [("avro", "a.avro"), ("orc", "a.orc")])
def test_a_file_that_is_unreadable_on_spark_is_told_at_its_input(spark_project, format_, name):
    spark_project.write("depot.yaml", DEPOT)
    spark_project.seed(OUT, "SELECT 7 AS id")
    spark_project.write(f"data/in/{name}", "no such file")
    error = refused(spark_project, job(name, f"format: {format_}"))
    assert error.location.line in {13, 14}

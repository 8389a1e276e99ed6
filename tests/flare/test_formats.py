"""Jobs over files of every format that both engines have: read by a schema in the manifest, written, read again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DEPOT = """
name: drop
version: v2alpha
type: depot
depot: {type: file, file: {path: data}}
"""
DDL = "id INT, placed DATE, amount DECIMAL(8,2)"
# The same as Spark writes it.
FIELDS = '{"name": "%s", "type": "%s", "nullable": true, "metadata": {}}'
TYPES = [("id", "integer"), ("placed", "date"), ("amount", "decimal(8,2)")]
JSON = f'{{"type": "struct", "fields": [{", ".join(FIELDS % each for each in TYPES)}]}}'

STEPS = """
steps:
  - sequence:
      - name: every
        sql: >
          SELECT 'csv' AS source, id, placed, amount, cast(null AS int) AS words FROM of_csv
          UNION ALL SELECT 'json', id, placed, amount, cast(null AS int) FROM of_json
          UNION ALL SELECT 'parquet', id, placed, amount, cast(null AS int) FROM of_parquet
          UNION ALL SELECT 'text', cast(null AS int), cast(null AS date), cast(null AS decimal(8,2)), length(value)
          FROM of_text
"""
READ = """
inputs:
  - {{name: of_csv, dataset: "dataos://drop:{csv}", format: csv, schemaString: "{ddl}", options: {{header: true}}}}
  - {{name: of_json, dataset: "dataos://drop:{json}", format: json, schemaString: '{schema}'}}
  - {{name: of_parquet, dataset: "dataos://drop:{parquet}", format: parquet}}
  - {{name: of_text, dataset: "dataos://drop:{text}", format: text}}
"""
WRITE = """
outputs:
  - {name: of_csv, dataset: "dataos://drop:made/csv?acl=rw", format: csv, options: {saveMode: overwrite}}
  - {name: of_json, dataset: "dataos://drop:made/json?acl=rw", format: json, options: {saveMode: overwrite}}
  - {name: of_parquet, dataset: "dataos://drop:made/parquet?acl=rw", format: parquet, options: {saveMode: overwrite}}
  - {name: of_text, dataset: "dataos://drop:made/text?acl=rw", format: text, options: {saveMode: overwrite}}
  - {name: every, dataset: "dataos://lakehouse:sales/given?acl=rw"}
"""
AGAIN = """
outputs:
  - {name: every, dataset: "dataos://lakehouse:sales/again?acl=rw"}
"""

VALUES = (7, date(2024, 2, 29), Decimal("2.50"))
COLUMNS = ["source string", "id int", "placed date", "amount decimal(8,2)", "words int"]
ROWS = sorted(
    [
        *((source, *values, None) for source in ("csv", "json", "parquet") for values in (VALUES, (None,) * 3)),
        ("text", None, None, None, 9),
    ],
    key=repr,
)


@pytest.fixture
def files(project):
    """Return a project whose depot has an order and a row of nulls in each format, and a line of text."""
    project.write("drop.yaml", DEPOT)
    project.write("data/in/orders.csv", "id,placed,amount\n7,2024-02-29,2.50\n,,\n")
    project.write("data/in/orders.json", '{"amount": 2.50, "placed": "2024-02-29", "id": 7}\n{"id": null}\n')
    project.write("data/in/notes.txt", "two words\n")
    schema = pa.schema({"id": pa.int32(), "placed": pa.date32(), "amount": pa.decimal128(8, 2)})
    orders = pa.table([[value, None] for value in VALUES], schema=schema)
    pq.write_table(orders, project.folder / "data" / "in" / "orders.parquet")
    return project


def test_files_of_each_format_are_read_by_a_schema_written_and_read_again(files):
    given = {"csv": "in/orders.csv", "json": "in/orders.json", "parquet": "in/orders.parquet", "text": "in/notes.txt"}
    files.run_job(READ.format(**given, ddl=DDL, schema=JSON) + STEPS + WRITE)
    assert files.table("dataos://lakehouse:sales/given") == (COLUMNS, ROWS)
    written = {format_: f"made/{format_}" for format_ in given}
    files.run_job(READ.format(**written, ddl=DDL, schema=JSON) + STEPS + AGAIN, name="again")
    assert files.table("dataos://lakehouse:sales/again") == (COLUMNS, ROWS)

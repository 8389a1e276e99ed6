"""Ways to write: merge, branch, append, old forms, and schemas in files, on both engines."""

from __future__ import annotations

import subprocess
import sys

ORDERS = "dataos://lakehouse:sales/orders"
TARGET = "dataos://lakehouse:sales/target"


def copy(options: str, *, view: str = "orders", steps: str = "") -> str:
    return f"""
        inputs:
          - {{name: orders, dataset: "{ORDERS}"}}
        {steps}
        outputs:
          - {{name: {view}, dataset: "{TARGET}?acl=rw", format: iceberg, options: {options}}}
        """


def test_appending_adds_rows_and_overwriting_replaces_them(project):
    project.seed(ORDERS, "SELECT 1 AS id")
    for _ in range(2):
        project.run_job(copy("{saveMode: append}"))
    assert project.table(TARGET)[1] == [(1,), (1,)]
    project.run_job(copy("{saveMode: overwrite}"))
    assert project.table(TARGET)[1] == [(1,)]


def test_a_merge_updates_and_inserts_from_another_table(project):
    project.seed(TARGET, "SELECT * FROM VALUES (1, 'old'), (2, 'kept') AS t(id, name)")
    project.seed(ORDERS, "SELECT * FROM VALUES (1, 'new'), (3, 'added') AS t(id, name)")
    options = """{iceberg: {merge: {
        onClause: "old.id = new.id", whenClause: "matched then update set * when not matched then insert *"}}}"""
    result = project.run_job(copy(options))
    assert project.table(TARGET)[1] == [(1, "new"), (2, "kept"), (3, "added")]
    assert not [note for note in result.notes if "saveMode" in note]
    # Sail counts the unchanged rows of rewritten files too, and so says nothing.
    assert result.outputs[0].rows == (2 if project.engine == "spark" else None)


def test_dynamic_overwrite_replaces_the_partitions_that_occur(project):
    options = "{saveMode: overwrite, iceberg: {properties: {overwrite-mode: dynamic}, partitionSpec: [{column: day}]}}"
    project.seed(ORDERS, "SELECT * FROM VALUES ('mon', 1), ('tue', 2) AS t(day, n)")
    project.run_job(copy(options))
    project.seed(ORDERS, "SELECT 'tue' AS day, 9 AS n")
    project.run_job(copy(options))
    assert project.table(TARGET) == (["day string", "n int"], [("mon", 1), ("tue", 9)])


def test_old_manifests_write_through_sinks(project):
    project.seed(ORDERS, "SELECT 1 AS id")
    project.run_job(f"""
        inputs:
          - {{name: orders, dataset: "{ORDERS}"}}
        outputs:
          - {{name: out, depot: "dataos://lakehouse:sales?acl=rw"}}
        steps:
          - sequence:
              - {{name: made, sql: "SELECT id + 1 AS id FROM orders"}}
            sink:
              - {{sequenceName: made, datasetName: target, outputName: out, outputType: Iceberg,
                  outputOptions: {{saveMode: append}}}}
        """)
    assert project.table(TARGET)[1] == [(2,)]


def test_a_schema_is_read_from_a_file_of_a_depot(project):
    project.write(
        "depot.yaml",
        """
        name: shopfiles
        version: v1
        type: depot
        depot: {type: file, file: {path: ./data, format: csv}}
        """,
    )
    project.write("data/orders.csv", "a,b\n7,2024-01-30\n,x\n")
    project.write(
        "data/schemas/order.avsc",
        """
        {"type": "record", "name": "order", "fields": [
          {"name": "id", "type": ["null", "int"]},
          {"name": "placed", "type": ["null", {"type": "int", "logicalType": "date"}]}]}
        """,
    )
    project.run_job(f"""
        inputs:
          - name: orders
            dataset: dataos://shopfiles:none/orders.csv
            format: csv
            schemaPath: dataos://shopfiles:schemas/order.avsc?acl=r
        outputs:
          - {{name: orders, dataset: "{TARGET}"}}
        """)
    columns, rows = project.table(TARGET)
    assert columns == ["id int", "placed date"]
    assert [[str(value) for value in row] for row in rows] == [["7", "2024-01-30"], ["None", "None"]]


def test_sql_may_stand_in_a_file_beside_the_manifest(project):
    project.seed(ORDERS, "SELECT 1 AS id")
    project.write("sql/made.sql", "SELECT id * 5 AS id\nFROM orders;\n")
    project.run_job(copy("{}", view="made", steps="steps: [{sequence: [{name: made, sqlFile: sql/made.sql}]}]"))
    assert project.table(TARGET)[1] == [(5,)]


def test_two_runs_at_once_on_one_table_keep_the_rows_of_both(sail_project):
    sail_project.seed(ORDERS, "SELECT 1 AS id")
    sail_project.write_job(copy("{saveMode: append}"))
    command = [sys.executable, "-m", "dataos_dagster", "run", str(sail_project.folder), "--engine", "sail"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    for run in runs:
        output, _ = run.communicate(timeout=120)
        assert run.returncode == 0, output.decode()
    assert sail_project.table(TARGET)[1] == [(1,), (1,)]


def test_a_standalone_table_is_named_by_its_warehouse_or_by_its_folder(project):
    warehouse = project.folder / "warehouse"
    project.seed("dataos://lakehouse:sales/orders", "SELECT 1 AS id, 'a' AS name")
    project.run_job(
        f"""
        inputs: [{{name: orders, dataset: dataos://lakehouse:sales/orders}}]
        outputs:
          - name: orders
            outputType: file
            file: {{warehousePath: {warehouse}, schemaName: sales, tableName: orders, format: Iceberg, options: {{saveMode: append}}}}
        """,
        name="write",
    )
    project.run_job(
        f"""
        inputs:
          - {{name: a, inputType: file, file: {{warehousePath: {warehouse}, schemaName: sales, tableName: orders, format: iceberg}}}}
          - {{name: b, inputType: file, file: {{path: {warehouse}/sales/orders, format: iceberg}}}}
        steps: [{{sequence: [{{name: both, sql: SELECT * FROM a UNION ALL SELECT * FROM b}}]}}]
        outputs: [{{name: both, dataset: 'dataos://lakehouse:sales/both?acl=rw', options: {{saveMode: overwrite}}}}]
        """,
        name="read",
    )

    assert project.table("dataos://lakehouse:sales/both") == (["id int", "name string"], [(1, "a"), (1, "a")])

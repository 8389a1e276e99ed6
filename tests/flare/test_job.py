"""Whole jobs: from datasets through steps to datasets, on both engines."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import AssertionsFailed, DatasetNotFound

ORDERS = "SELECT * FROM VALUES (1, 'ann', 10.5D), (2, 'bob', 7D), (3, 'ann', 2D) AS t(OrderID, customer, amount)"


def test_a_job_reads_computes_and_writes(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    result = project.run_job("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - name: clean
                sql: SELECT * FROM orders;
                functions:
                  - name: cleanse_column_names
              - name: totals
                sql: SELECT customer, sum(amount) AS total, count(order_id) AS orders FROM clean GROUP BY customer
        outputs:
          - name: totals
            dataset: dataos://lakehouse:sales/totals?acl=rw
            format: iceberg
            options: {saveMode: overwrite}
        """)
    assert project.table("dataos://lakehouse:sales/totals") == (
        ["customer string", "total double", "orders bigint"],
        [("ann", 12.5, 2), ("bob", 7.0, 1)],
    )
    [output] = result.outputs
    assert (output.rows, output.created, result.rows) == (2, True, 2)
    assert output.snapshot_id is not None
    assert [column.name for column in output.schema] == ["customer", "total", "orders"]
    sources = {name: [f"{s.dataset}.{s.column}" for s in found] for name, found in output.lineage.columns.items()}
    assert sources == {
        "customer": ["dataos://lakehouse:sales/orders.customer"],
        "total": ["dataos://lakehouse:sales/orders.amount"],
        "orders": ["dataos://lakehouse:sales/orders.OrderID"],
    }
    assert output.lineage.untraced == ()


def test_a_job_without_steps_copies_an_input(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    result = project.run_job("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        outputs:
          - {name: orders, dataset: "dataos://lakehouse:backup", options: {saveMode: append}}
        """)
    assert str(result.outputs[0].address) == "dataos://lakehouse:backup/orders"
    assert project.table("dataos://lakehouse:backup/orders") == project.table("dataos://lakehouse:sales/orders")


def test_a_view_may_be_replaced_by_a_step_that_reads_it(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    project.run_job("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - {name: orders, sql: "SELECT customer, amount + 1 AS amount FROM orders"}
              - {name: ORDERS, sql: "SELECT customer, amount * 2 AS amount FROM Orders"}
        outputs:
          - {name: Orders, dataset: "dataos://lakehouse:sales/twice"}
        """)
    _, rows = project.table("dataos://lakehouse:sales/twice")
    assert rows == [("ann", 23.0), ("ann", 6.0), ("bob", 16.0)]


def test_a_dataset_named_in_sql_is_read_through_the_door(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    project.seed("dataos://lakehouse:sales/customers", "SELECT 'ann' AS name, 'DE' AS country")
    result = project.run_job("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - name: joined
                sql: |
                  SELECT orders.OrderID, lakehouse.sales.customers.country
                  FROM orders JOIN lakehouse.sales.customers ON customers.name = orders.customer
        outputs:
          - {name: joined, dataset: "dataos://lakehouse:sales/joined"}
        """)
    _, rows = project.table("dataos://lakehouse:sales/joined")
    assert rows == [(1, "DE"), (3, "DE")]
    assert [(entry.dataset, entry.implicit) for entry in result.inputs] == [
        ("dataos://lakehouse:sales/orders", False),
        ("dataos://lakehouse:sales/customers", True),
    ]
    lineage = result.outputs[0].lineage.columns
    assert [source.column for source in lineage["country"]] == ["country"]


def test_several_outputs_may_write_one_view(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    result = project.run_job("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        outputs:
          - {name: orders, dataset: "dataos://lakehouse:a/orders"}
          - {name: orders, dataset: "dataos://lakehouse:b/orders"}
        """)
    assert [output.rows for output in result.outputs] == [3, 3]
    assert project.table("dataos://lakehouse:a/orders") == project.table("dataos://lakehouse:b/orders")


def test_caching_is_left_out_on_sail_and_done_on_spark(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    result = project.run_job("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - {name: cached, sql: CACHE TABLE orders}
              - name: big
                sql: SELECT * FROM orders WHERE amount > 5
                commands:
                  - {name: persist, sequenceName: big, mode: MEMORY_AND_DISK}
                  - {name: persist, sequenceName: Orders, mode: DISK_ONLY}
                  - {name: unpersist, sequenceName: orders}
              - {name: dropped, sql: UNCACHE TABLE orders}
        outputs:
          - {name: big, dataset: "dataos://lakehouse:sales/big"}
        """)
    _, rows = project.table("dataos://lakehouse:sales/big")
    assert [row[0] for row in rows] == [1, 2]
    left_out = [note for note in result.notes if "no effect on Sail" in note]
    assert len(left_out) == (5 if project.engine == "sail" else 0)


def test_previews_and_plans_are_kept_when_the_manifest_asks_for_them(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    result = project.run_job("""
        explain: true
        showPreviewLines: 1
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - {name: bobs, sql: SELECT * FROM orders WHERE customer = 'bob'}
        outputs:
          - {name: bobs, dataset: "dataos://lakehouse:sales/bobs"}
        """)
    orders, bobs = result.previews
    assert (orders.name, orders.columns, len(orders.rows)) == ("orders", ("OrderID", "customer", "amount"), 1)
    assert bobs.rows == ((2, "bob", 7.0),)
    assert result.outputs[0].preview == bobs
    assert list(result.explain) == ['steps[0].sequence[0] "bobs"', 'outputs[0] "bobs"']
    assert all("Logical Plan" in plan and "Physical Plan" in plan for plan in result.explain.values())


def test_nothing_is_computed_that_nothing_needs(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    job = """
        {asked}
        inputs:
          - {{name: orders, dataset: dataos://lakehouse:sales/orders}}
        steps:
          - sequence:
              - {{name: failing, sql: "SELECT assert_true(amount > 1000, 'too small') AS e FROM orders"}}
          - sequence:
              - {{name: fine, sql: SELECT * FROM orders}}
        outputs:
          - {{name: fine, dataset: "dataos://lakehouse:sales/fine"}}
        """
    assert project.run_job(job.format(asked="")).outputs[0].rows == 3
    assert "too small" in project.error_of(job.format(asked="showPreviewLines: 1")).message


def test_double_quotes_stand_around_texts_and_columns_have_any_case(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    project.run_job("""
        inputs:
          - {name: Orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - {name: all, sql: SELECT O.* FROM ORDERS o}
              - {name: some, sql: 'SELECT ORDERID AS id, o.Customer || "s" AS who FROM All o WHERE o.CUSTOMER = "ann"'}
        outputs:
          - {name: some, dataset: "dataos://lakehouse:sales/some"}
        """)
    assert project.table("dataos://lakehouse:sales/some") == (["id int", "who string"], [(1, "anns"), (3, "anns")])


def test_steps_of_a_file_run_among_the_others(sail_project):
    sail_project.seed("dataos://lakehouse:sales/orders", ORDERS)
    sail_project.write("parts/more.yaml", "sequence:\n  - {name: b, sql: SELECT n + 1 AS n FROM a}\n")
    sail_project.run_job("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence: [{name: a, sql: SELECT count(*) AS n FROM orders}]
          - parts/more.yaml
          - sequence: [{name: c, sql: SELECT n * 10 AS n FROM b}]
        outputs:
          - {name: c, dataset: "dataos://lakehouse:sales/c"}
        """)
    assert sail_project.table("dataos://lakehouse:sales/c")[1] == [(40,)]


def test_what_an_engine_refuses_of_a_step_in_a_file_is_told_at_its_word_there(sail_project):
    sail_project.seed("dataos://lakehouse:sales/orders", ORDERS)
    job = """
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps: [parts/more.yaml]
        outputs:
          - {name: b, dataset: "dataos://lakehouse:sales/c"}
        """
    step = "sequence:\n  - name: b\n    sql: SELECT customer FROM orders\n"
    call = "    functions:\n      - {name: trim, column: customr, method: trim}\n"
    sail_project.write("parts/more.yaml", step.replace("customer", "customr"))
    assert str(sail_project.error_of(job).location) == "parts/more.yaml:3:17"
    sail_project.write("parts/more.yaml", step + call)
    assert str(sail_project.error_of(job).location) == "parts/more.yaml:5:30"


def test_the_system_column_is_added_when_the_project_asks_for_it_and_dropped_again_when_read(project):
    project.write("dataos.yaml", "flare: {system_columns: true}\n")
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    copy = """
        inputs:
          - {{name: orders, dataset: "{source}"}}
        outputs:
          - {{name: orders, dataset: "{target}"}}
        """
    first = project.run_job(copy.format(source="dataos://lakehouse:sales/orders", target="dataos://lakehouse:a/orders"))
    assert [column.name for column in first.outputs[0].schema] == ["__metadata", "OrderID", "customer", "amount"]
    second = project.run_job(copy.format(source="dataos://lakehouse:a/orders", target="dataos://lakehouse:b/orders"))
    assert [column.name for column in second.outputs[0].schema] == ["__metadata", "OrderID", "customer", "amount"]


def test_overwriting_without_saying_so_is_told(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    job = """
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        outputs:
          - {name: orders, dataset: "dataos://lakehouse:sales/copy"}
        """
    assert not [note for note in project.run_job(job).notes if "saveMode" in note]
    [note] = [note for note in project.run_job(job).notes if "saveMode" in note]
    assert note.endswith("no saveMode is given, so what was in dataos://lakehouse:sales/copy was replaced")


def test_views_of_a_job_are_gone_for_the_next_one(project):
    project.seed("dataos://lakehouse:sales/orders", ORDERS)
    project.run_job("""
        inputs:
          - {name: leftover, dataset: dataos://lakehouse:sales/orders}
        outputs:
          - {name: leftover, dataset: "dataos://lakehouse:sales/copy"}
        """)
    assert "leftover" not in [table.name for table in project.session().spark.catalog.listTables()]


def test_outputs_are_written_in_their_order_and_those_before_a_failure_stay(sail_project):
    sail_project.seed("dataos://lakehouse:sales/orders", ORDERS)
    error = sail_project.error_of("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        outputs:
          - {name: orders, dataset: "dataos://lakehouse:sales/first"}
          - name: orders
            dataset: dataos://lakehouse:sales/second
            assertions: [{column: amount, tests: [max < 5]}]
          - {name: orders, dataset: "dataos://lakehouse:sales/third"}
        """)
    assert isinstance(error, AssertionsFailed)
    assert len(sail_project.table("dataos://lakehouse:sales/first")[1]) == 3
    for dataset in ("second", "third"):
        with pytest.raises(DatasetNotFound):
            sail_project.table(f"dataos://lakehouse:sales/{dataset}")


def test_a_statement_without_rows_makes_no_view(sail_project):
    error = sail_project.error_of("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence: [{name: kept, sql: CACHE TABLE orders}]
        outputs:
          - {name: kept, dataset: "dataos://lakehouse:sales/kept"}
        """)
    assert "there is no view 'kept' to write" in error.message

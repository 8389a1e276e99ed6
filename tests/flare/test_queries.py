"""SQL of steps is read with the manifest: what is wrong in it has its place, and what Spark accepts passes."""

from __future__ import annotations

import json

import pytest
from manifest_builder import job_text
from typer.testing import CliRunner

from dataos_dagster.cli.application import application
from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import Settings
from dataos_dagster.workflows.building import build_graph

MANIFEST = (
    job_text(
        """\
inputs:
  - name: sales
    dataset: dataos://lakehouse:sales/orders
steps:
  - sequence:
      - name: daily
        {sql}
      - name: last
        sql: SELECT * FROM daily
outputs:
  - name: daily
    dataset: dataos://lakehouse:sales/totals?acl=rw
"""
    )
    + """\
    - name: other
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs: [{{name: sales, dataset: dataos://lakehouse:sales/orders}}]
            outputs: [{{name: sales, dataset: dataos://lakehouse:sales/copy?acl=rw}}]
"""
)
LINE, COLUMN = 18, 26  # of the first character behind `sql: `


def project_of(tmp_path, sql: str, **files: str):
    (tmp_path / "job.yaml").write_text(MANIFEST.format(sql=sql), encoding="utf-8")
    for name, text in files.items():
        (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return load_project(tmp_path, settings=Settings(project=tmp_path), environment={}, use_cache=False)


# SQL, code, the part that is at fault, what the hint names.
WRONG = [
    ("SELECT (a FROM sales", "sql-syntax", "(", "')'"),
    ("SELECT a) FROM sales", "sql-syntax", ")", "delete"),
    ("SELECT count(a FROM sales GROUP BY b", "sql-syntax", "(", "')'"),
    ("SELECT 'a FROM sales", "sql-syntax", "'", "'"),
    ("SELECT a /* FROM sales", "sql-syntax", "/*", "*/"),
    ("SELEC a FROM sales", "sql-syntax", "SELEC", "SELECT"),
    ("SELECT a FRM sales", "sql-syntax", "FRM", "FROM"),
    ("SELECT * FROM sales WHER a > 1", "sql-syntax", "WHER", "WHERE"),
    ("SELECT a FROM sales ORDER YB a", "sql-syntax", "YB", "BY"),
    ("SELECT a FROM sales GROPU BY a", "sql-syntax", "GROPU", "GROUP"),
    ("SELECT a, FROM sales", "sql-syntax", ",", "delete"),
    ("SELECT a FROM sales WHERE", "sql-syntax", "WHERE", "write"),
    ("SELECT CASE WHEN a THEN 1 FROM sales", "sql-syntax", "CASE", "END"),
    ("SELECT a b cc FROM sales", "sql-syntax", "cc", "write one"),
    ("SELECT a AS b cc, d FROM sales", "sql-syntax", "cc", "write one"),
    ("SELECT a, count(*) n total FROM sales", "sql-syntax", "total", "write one"),
    ("SELECT * FROM (SELECT a b cc FROM sales)", "sql-syntax", "cc", "write one"),
    ("SELECT a FROM sales WHERE sum(b) > 3 GROUP BY a", "sql-misplaced", "sum", "HAVING sum(…)"),
    ("SELECT a FROM sales HAVING sum(b) > 3 WHERE a", "sql-misplaced", "WHERE", "in front of HAVING"),
    ("SELECT a FROM lakehous.sales.orders", "unknown-depot", "lakehous.sales.orders", "`lakehouse`"),
    ("SELECT a FROM sales JOIN `shop`.sales.orders", "unknown-depot", "`shop`.sales.orders", "lakehouse"),
    ("INSERT INTO t SELECT 1", "sql-refused", "INSERT", "SELECT"),
    ("SELECT * FROM parquet.`/data`", "sql-refused", "parquet.`/data`", "input"),
    ("SELECT a FROM sale", "unknown-view", "sale", "`sales`"),
    ("SELECT s.a FROM sales s JOIN SALE b ON s.a = b.a", "unknown-view", "SALE", "`sales`"),
    ("SELECT a FROM daily", "unknown-view", "daily", "sales"),
    ("SELECT a FROM x.y", "unknown-view", "x.y", "sales"),
    ("WITH t AS (SELECT 1) SELECT * FROM t JOIN u", "unknown-view", "u", "sales"),
]


@pytest.mark.parametrize(("sql", "code", "part", "hint"), WRONG, ids=[entry[0] for entry in WRONG])
def test_wrong_sql_is_an_error_at_its_part(tmp_path, sql, code, part, hint):
    [found] = project_of(tmp_path, f"sql: {sql}").diagnostics
    assert (found.code, found.severity, found.line) == (code, Severity.ERROR, LINE)
    begins = COLUMN + sql.rindex(part) if code != "sql-syntax" else COLUMN + sql.index(part)
    assert (found.column, found.end_column) == (begins, begins + len(part))
    assert hint in found.hint


@pytest.mark.parametrize(
    "sql", ["SELECT a FROM sales x y", "SELECT a FROM sales WHERE a b c", "SELECT a DIV b % FROM sales"]
)
def test_sql_that_the_parser_does_not_know_is_a_warning_because_spark_may_know_it(tmp_path, sql):
    [found] = project_of(tmp_path, f"sql: {sql}").diagnostics
    assert (found.code, found.severity) == ("sql-not-read", Severity.WARNING)


def test_a_depot_that_sql_names_may_be_declared_later_where_templates_are_checked(tmp_path):
    project_of(tmp_path, "sql: SELECT a FROM shop.sales.orders")
    found = load_project(tmp_path, settings=Settings(project=tmp_path), environment={}, allow_placeholders=True)
    assert [(told.code, told.severity) for told in found.diagnostics] == [("unknown-depot", Severity.WARNING)]


def test_a_depot_in_a_file_of_sql_is_told_at_the_path_of_the_file(tmp_path):
    [found] = project_of(tmp_path, "sqlFile: daily.sql", daily_sql="SELECT a\nFROM shop.sales.orders\n").diagnostics
    assert (found.code, found.line, found.column) == ("unknown-depot", LINE, COLUMN + 4)


def test_places_count_in_the_file_also_where_lines_are_folded(tmp_path):
    folded = "sql: >-\n                      SELECT a\n\n                      FROM sale s"
    [found] = project_of(tmp_path, folded).diagnostics
    assert (found.line, found.column, found.end_column) == (LINE + 3, 28, 32)
    assert found.snippet.splitlines()[-1].endswith("^^^^")


def test_a_file_of_sql_is_told_with_its_own_line(tmp_path):
    [found] = project_of(tmp_path, "sqlFile: daily.sql", daily_sql="SELECT a\nFROM sale\n").diagnostics
    assert (found.code, found.line) == ("unknown-view", LINE)
    assert found.message.startswith("line 2 of the file: ")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM Sales",
        "WITH sale AS (SELECT * FROM sales) SELECT * FROM sale",
        "SELECT x FROM sales LATERAL VIEW explode(items) t AS x",
        "SELECT from FROM sales",
        "SELECT a, from FROM sales",
        "SELECT * FROM lakehouse.sales.orders",
        "SELECT transform(xs, x -> x + 1) FROM sales TABLESAMPLE (10 ROWS)",
        "SELECT * FROM sales PIVOT (sum(a) FOR b IN (1, 2))",
        "SELECT * EXCEPT (a) FROM sales QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) = 1",
        "VALUES (1), (2)",
    ],
)
def test_sql_that_is_right_says_nothing(tmp_path, sql):
    assert project_of(tmp_path, f'sql: "{sql}"').diagnostics == ()


def test_a_placeholder_in_sql_is_told_once_and_the_sql_left_alone(tmp_path):
    project = project_of(tmp_path, "sql: SELECT a FROM ${{view}}")
    assert [found.code for found in project.diagnostics] == ["placeholder"]


def test_the_job_stays_and_is_kept_from_running_and_the_others_run(tmp_path):
    graph = build_graph(project_of(tmp_path, "sql: SELECT a FROM sale"))
    blocked = {
        job_id.rpartition("/")[2]: [found.code for found in node.blocked] for job_id, node in graph.nodes.items()
    }
    assert blocked == {"job": ["unknown-view"], "other": []}


def test_check_and_plan_tell_the_same_place(tmp_path):
    project_of(tmp_path, "sql: SELECT a FROM sale")
    checked = CliRunner().invoke(application, ["check", str(tmp_path), "--json"])
    planned = CliRunner().invoke(application, ["run", str(tmp_path), "--plan", "--json"])
    [found] = json.loads(checked.stdout)["diagnostics"]
    first = json.loads(planned.stdout)["plans"][0]
    assert (checked.exit_code, planned.exit_code) == (1, 1)
    assert first["errors"][0]["location"] == f"job.yaml:{found['line']}:{found['column']}"
    assert found["message"] in first["errors"][0]["message"]

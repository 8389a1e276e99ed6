"""Incremental inputs: windows that follow one another, on both engines and on every kind of input."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

SEED = """
SELECT cast(id AS bigint) AS id, cast(placed AS timestamp) AS placed, cast(amount AS decimal(8,2)) AS amount
FROM VALUES (1, '2020-01-05 10:00:00', 10.00), (2, '2020-01-31 23:59:59', 7.50),
            (3, '2020-02-01 00:00:00', 3.00), (4, '2020-03-15 12:00:00', 9.25) AS t(id, placed, amount)
"""
SOURCE = "dataos://lakehouse:shop/source"
TARGET = "dataos://lakehouse:shop/target"
FILES_DEPOT = """
name: drop
version: v2alpha
type: depot
depot:
  type: file
  file: {path: ./data, format: csv}
"""
ORDERS_CSV = "id,placed\n1,2020-01-05\n2,2020-02-07\n"

MONTHS = """
inputs:
  - name: orders
    dataset: dataos://lakehouse:shop/source
    incremental:
      context: all_orders
      sql: SELECT * FROM all_orders WHERE placed >= '$|start|' AND placed < '$|end|'
      keys:
        - name: start
          sql: select to_timestamp('2020-01-01 00:00:00')
        - name: end
          sql: select to_timestamp('$|start|') + INTERVAL '1' MONTH
      state:
        - {key: start, value: end}
outputs:
  - name: orders
    dataset: dataos://lakehouse:shop/target
    options: {saveMode: append}
"""


def job_of(sql: str, keys: str, state: str = "", *, dataset: str = SOURCE, extra: str = "") -> str:
    """Return a job that appends what is new in a dataset to another one."""
    return f"""
inputs:
  - name: orders
    dataset: {dataset}
    {extra}
    incremental:
      context: all_orders
      sql: {sql}
      keys: [{keys}]
      state: [{state}]
outputs:
  - {{name: orders, dataset: "{TARGET}", options: {{saveMode: append}}}}
"""


NEWER = "SELECT * FROM all_orders WHERE id > $|last| AND id <= $|newest|"
LAST = "{name: last, sql: select 0}"
NEWEST = "{name: newest, sql: select max(id) from all_orders where id > $|last|}"
MOVING = "{key: last, value: newest}"


def ids(project, address=TARGET):
    return sorted(int(row[0]) for row in project.table(address)[1])


def stored(project):
    return {f"{each.at.input}.{each.at.key}": each.value for each in project.state.watermarks.find()}


def test_each_run_reads_the_month_after_the_last_one(project):
    project.seed(SOURCE, SEED)
    found = []
    for _ in range(3):
        result = project.run_job(MONTHS)
        [window] = result.windows
        found.append((window.values["start"], window.values["end"], ids(project)))
    assert found == [
        ("2020-01-01 00:00:00", "2020-02-01 00:00:00", [1, 2]),
        ("2020-02-01 00:00:00", "2020-03-01 00:00:00", [1, 2, 3]),
        ("2020-03-01 00:00:00", "2020-04-01 00:00:00", [1, 2, 3, 4]),
    ]
    assert result.windows[0].origins == {"start": "stored", "end": "query"}
    assert stored(project) == {"orders.start": "2020-04-01 00:00:00"}


def test_an_empty_window_of_a_merge_changes_nothing_and_moves_on(project):
    project.seed(SOURCE, f"SELECT * FROM ({SEED}) WHERE id IN (1, 4)")
    rows: list[int | None] = []
    clauses = '{onClause: old.id = new.id, whenClause: "MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"}'
    job = MONTHS.replace("{saveMode: append}", f"{{iceberg: {{merge: {clauses}}}}}")
    found = []
    for _ in range(3):
        [output] = project.run_job(job).outputs
        found.append((stored(project)["orders.start"], ids(project)))
        rows.append(output.rows)
    # The second of them matches nothing, of which Sail makes no snapshot.
    assert found == [("2020-02-01 00:00:00", [1]), ("2020-03-01 00:00:00", [1]), ("2020-04-01 00:00:00", [1, 4])]
    assert rows[1] == 0
    assert project.state.intents.unfinished() == ()


def test_rows_that_came_since_the_last_run_are_read_once(project):
    job = job_of(NEWER, f"{LAST}, {NEWEST}", MOVING)
    project.seed(SOURCE, f"SELECT * FROM ({SEED}) WHERE id < 3")
    project.run_job(job)
    assert (ids(project), stored(project)) == ([1, 2], {"orders.last": "2"})
    project.seed(SOURCE, SEED)
    project.run_job(job)
    assert (ids(project), stored(project)) == ([1, 2, 3, 4], {"orders.last": "4"})


def test_a_key_without_a_value_makes_the_window_empty_and_moves_nothing(project):
    job = job_of(NEWER, f"{LAST}, {NEWEST}", MOVING)
    project.seed(SOURCE, SEED)
    project.run_job(job)
    result = project.run_job(job)
    assert result.windows[0].values == {"last": "4", "newest": None}
    assert result.windows[0].stored == {}
    assert (ids(project), stored(project)) == ([1, 2, 3, 4], {"orders.last": "4"})


def test_a_key_in_quotes_without_a_value_matches_no_text(project):
    project.seed(SOURCE, "SELECT cast(1 AS bigint) AS id, 'ANN' AS name")
    sql = "SELECT * FROM all_orders WHERE name < '$|limit|'"
    project.run_job(job_of(sql, "{name: limit, sql: select max(name) from all_orders where id > 5}"))
    assert ids(project) == []


@pytest.mark.parametrize(
    ("value", "condition", "text"),
    [
        ("to_timestamp('2020-01-31 23:59:59')", "placed <= '$|k|'", "2020-01-31 23:59:59"),
        ("cast('2020-02-01' as date)", "placed < '$|k|'", "2020-02-01"),
        ("cast(8.00 as decimal(8,2))", "amount < $|k| AND id < 3 OR id = 1", "8.00"),
        ("cast(2 as bigint)", "id <= $|k|", "2"),
        ("2.5D", "id < $|k|", "2.5"),
        ("'January'", "date_format(placed, 'MMMM') = '$|k|'", "January"),
        ("1", "id < 3 AND 1 = $|k|", "1"),
        ("true", "id < 3 AND $|k|", "true"),
    ],
)
def test_keys_of_every_type_are_texts_that_mean_the_same_again(project, value, condition, text):
    project.seed(SOURCE, SEED)
    result = project.run_job(
        job_of(f'"SELECT * FROM all_orders WHERE {condition}"', f'{{name: k, sql: "select {value}"}}')
    )
    assert (result.windows[0].values, ids(project)) == ({"k": text}, [1, 2])
    assert stored(project) == {}


def test_two_inputs_may_call_their_contexts_and_keys_alike(project):
    project.seed(SOURCE, SEED)
    project.seed("dataos://lakehouse:shop/other", "SELECT cast(7 AS bigint) AS id, cast(9 AS bigint) AS size")
    section = "{context: ctx, sql: select * from CTX where ctx.id > $|start|, keys: [{name: start, sql: select %s}], state: [{key: start, value: start}]}"
    result = project.run_job(f"""
inputs:
  - {{name: orders, dataset: "{SOURCE}", incremental: {section % 2}}}
  - {{name: others, dataset: "dataos://lakehouse:shop/other", incremental: {section % 5}}}
steps:
  - sequence:
      - {{name: both, sql: SELECT id FROM orders UNION ALL SELECT id FROM others}}
outputs:
  - {{name: both, dataset: "{TARGET}"}}
""")
    assert ids(project) == [3, 4, 7]
    assert stored(project) == {"orders.start": "2", "others.start": "5"}
    [lineage] = [output.lineage for output in result.outputs]
    assert {source.dataset for source in lineage.columns["id"]} == {SOURCE, "dataos://lakehouse:shop/other"}


def test_steps_may_read_the_whole_dataset_by_its_context(project):
    project.seed(SOURCE, SEED)
    project.run_job(f"""
inputs:
  - name: orders
    dataset: {SOURCE}
    incremental: {{context: everything, sql: select * from everything where id > $|k|, keys: [{{name: k, sql: select 3}}]}}
steps:
  - sequence:
      - {{name: counted, sql: SELECT count(*) AS id FROM Everything UNION ALL SELECT count(*) AS id FROM orders}}
outputs:
  - {{name: counted, dataset: "{TARGET}"}}
""")
    assert ids(project) == [1, 4]


def test_files_are_read_incrementally_too(project):
    project.write("depot.yaml", FILES_DEPOT)
    project.write("data/orders.csv", ORDERS_CSV)
    sql = "SELECT * FROM all_orders WHERE placed > '$|start|' AND placed <= '$|end|'"
    keys = "{name: start, sql: select ''}, {name: end, sql: select max(placed) from all_orders}"
    job = job_of(sql, keys, "{key: start, value: end}", dataset="dataos://drop:none/orders.csv", extra="format: csv")
    project.run_job(job)
    project.write("data/orders.csv", ORDERS_CSV + "3,2020-03-01\n")
    project.run_job(job)
    assert (ids(project), stored(project)) == ([1, 2, 3], {"orders.start": "2020-03-01"})


def test_the_older_form_keeps_state_at_the_key(project):
    project.seed(SOURCE, SEED)
    job = job_of(NEWER, "{name: last, default: 1, updateFromKey: newest}, " + NEWEST)
    result = project.run_job(job)
    assert result.windows[0].origins == {"last": "default", "newest": "query"}
    assert (ids(project), stored(project)) == ([2, 3, 4], {"orders.last": "4"})


def test_given_keys_win_for_one_run_and_move_nothing(project):
    project.seed(SOURCE, SEED)
    job = job_of(NEWER, f"{LAST}, {NEWEST}", MOVING)
    project.run_job(job)
    project.keys = {"last": "1", "orders.newest": "3"}
    result = project.run_job(job)
    assert result.windows[0].origins == {"last": "given", "newest": "given"}
    assert (ids(project), stored(project)) == ([1, 2, 2, 3, 3, 4], {"orders.last": "4"})


def test_a_failed_run_stores_nothing(project):
    project.seed(SOURCE, SEED)
    job = job_of(NEWER, f"{LAST}, {NEWEST}", MOVING)
    broken = job.replace(
        "outputs:",
        'steps: [{sequence: [{name: late, sql: "SELECT id, raise_error(\'no\') AS x FROM orders"}]}]\noutputs:\n  - {name: late, dataset: "dataos://lakehouse:shop/late"}',
    )
    project.error_of(broken)
    assert stored(project) == {}
    project.run_job(job)
    assert ids(project) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("sql", "keys", "state", "said", "hint"),
    [
        (NEWER, LAST, "", r"\$\|newest\| stands for no key", "keys that have a value here: last"),
        ("SELECT * FROM all_orders WHERE id > $|lst|", LAST, "", r"\$\|lst\| stands for no key", r"did you mean \$\|last\|"),
        ('"SELECT * FROM all_orders WHERE id > $|last"', LAST, "", "a placeholder is not closed", "bar at both ends"),
        ("SELECT * FROM elsewhere", LAST, "", "'elsewhere' is not the context", "read 'all_orders'; join in a step"),
        ("SELECT * FROM lakehouse.shop.other", LAST, "", "is not the context", "join in a step"),
        ("DROP TABLE all_orders", LAST, "", "DROP is not a query", None),
        ("SELECT * FROM all_orders", LAST, "{key: last, value: newst}", "`state` names 'newst'", "keys: last"),
        ("SELECT * FROM all_orders", "{name: last}", "", "'last' has no value to begin with", "write its `sql`"),
        ("SELECT * FROM all_orders", f"{LAST}, {LAST}", "", "'last' is there twice", None),
        ("SELECT * FROM all_orders", "{name: last, sql: selec 1}", "", "'selec' begins no query", None),
    ],
)  # fmt: skip
def test_what_an_incremental_input_cannot_mean_is_said_at_its_line(sail_project, sql, keys, state, said, hint):
    error = sail_project.error_of(job_of(sql, keys, state))
    assert re.search(said, error.message), error.message
    if hint:
        assert re.search(hint, error.hint or ""), error.hint
    assert error.location is not None
    assert error.location.line > 1


def test_a_key_whose_query_fails_says_which_and_where(project):
    project.seed(SOURCE, SEED)
    error = project.error_of(job_of("SELECT * FROM all_orders", "{name: last, sql: select max(idd) from all_orders}"))
    assert "key 'last'" in error.message
    assert error.location.line > 1


@pytest.mark.parametrize(("given", "once"), [({}, False), ({"last": "1"}, True), ({"of_another_job": "1"}, False)])
def test_a_run_with_given_keys_is_planned_as_one_that_writes_once(sail_project, given, once):
    sail_project.seed(SOURCE, SEED)
    sail_project.keys = given
    plan = sail_project.plan(job_of('"SELECT * FROM all_orders WHERE id > $|last|"', LAST))
    assert [output.request.exactly_once for output in plan.outputs] == [once]


def test_a_plan_shows_keys_what_is_stored_and_the_window_that_it_would_read(sail_project):
    sail_project.seed(SOURCE, SEED)
    given = job_of(f'"{NEWER}"', f"{LAST}, {NEWEST}", MOVING)
    first = sail_project.plan(given)
    asked = "newest: asked by select max(id) from all_orders where id > $|last|"
    reads = "reads SELECT * FROM all_orders WHERE id > {} AND id <= $|newest|"
    assert first.prospects['inputs[0] "orders"'] == ("last: asked by select 0", asked, reads.format("$|last|"))
    sail_project.run()
    [watermark] = sail_project.state.watermarks.find()
    stored_by = f"last = 4, stored by run {watermark.run_id[:8]}"
    again = sail_project.plan(given)
    assert again.prospects['inputs[0] "orders"'] == (stored_by, asked, reads.format("4"))
    assert f"    new  {stored_by}" in again.as_text().splitlines()
    assert again.as_json()["inputs"][0]["prospect"][0] == stored_by
    sail_project.keys = {"orders.last": "2"}
    assert sail_project.plan(given).prospects['inputs[0] "orders"'][0] == "last = 2, given"


def test_a_plan_makes_no_state_database(sail_project):
    sail_project.write_job(job_of(f'"{NEWER}"', f"{LAST}, {NEWEST}", MOVING))
    sail_project.seed(SOURCE, SEED)
    [node] = sail_project.graph.nodes.values()
    context = replace(sail_project.context, state=None)
    for file in sail_project.settings.state_folder.glob("state.db*"):
        file.unlink()
    assert node.stack.plan(node.job, context).prospects
    assert not (sail_project.settings.state_folder / "state.db").exists()

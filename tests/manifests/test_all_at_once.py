"""One wrong value hides nothing else: a document is told all that is wrong with it in one go."""

from __future__ import annotations

from itertools import combinations

import pytest

from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import Settings

MANIFEST = """\
name: wf-job
version: v1
type: workflow
{owner}
workflow:
  schedule: {{cron: "{cron}"}}
  dag:
    - name: job
      spec:
        stack: {stack}
        compute: runnable-default
        stackSpec:
          job:
            logLevel: {level}
            showPreviewLines: {lines}
            {inputs}:
              - {{{name}: sales, dataset: "dataos://{depot}:sales/orders"}}
            steps:
              - sequence:
                  - name: daily
                    sql: SELECT * {word} {view}
                    functions: [{{name: {function}, columns: [a]}}]
            outputs:
              - name: {output}
                dataset: dataos://lakehouse:sales/totals?acl=rw
      dependencies: [{dependency}]
    - name: first
      spec: {{stack: flare:7.0, stackSpec: {{job: {{inputs: [{{name: a, dataset: "dataos://lakehouse:a/b"}}]}}}}}}
"""
RIGHT = {
    "owner": "owner: mira",
    "cron": "0 5 * * *",
    "stack": "flare:7.0",
    "level": "INFO",
    "lines": "3",
    "inputs": "inputs",
    "name": "name",
    "depot": "lakehouse",
    "word": "FROM",
    "view": "sales",
    "function": "drop",
    "output": "daily",
    "dependency": "first",
}
# What is wrong: the diagnostic that it gets.
MISTAKES = {
    ("owner", "owner: [mira]"): "wrong-type",
    ("owner", "ownr: mira"): "unknown-key",
    ("cron", "61 5 * * *"): "bad-cron",
    ("stack", "flair:7.0"): "unknown-stack",
    ("level", "INFOO"): "wrong-value",
    ("lines", "[3]"): "wrong-type",
    ("inputs", "input"): "missing-key",
    ("depot", "lakehous"): "unknown-depot",
    ("depot", "lakehouse:"): "bad-address",
    ("word", "FRM"): "sql-syntax",
    ("view", "sale"): "unknown-view",
    ("function", "dropp"): "wrong-function",
    ("output", "dayly"): "unknown-view",
    ("dependency", "frist"): "unknown-dependency",
}
# A view cannot be unknown where the SQL does not parse, nor a depot where the address is none.
HIDDEN_BY = {("view", "sale"): {"word"}}


# One job of each kind alone in its list: where a list must not be empty, its only item is no reason to leave out all.
LOADING = """\
name: wf-load
version: v1
type: workflow
workflow:
  dag:
    - name: load
      retry: {{count: {count}, strategy: {strategy}}}
      spec:
        stack: flare:7.0
        dataosSecrets: [{{name: {secret}, consumptionType: {consumption}}}]
        stackSpec:
          job:
            inputs:
              - name: orders
                dataset: dataos://{depot}:sales/orders
                format: {format}
                incremental:
                  context: all_orders
                  sql: SELECT * FROM all_orders WHERE id > '$|start|'
                  keys: [{{name: start, {key}: SELECT 0}}]
            steps:
              - sequence: [{{name: loud, sql: "SELECT * FROM {view}"}}]
            outputs:
              - name: {output}
                dataset: dataos://lakehouse:sales/loud
                options:
                  saveMode: {mode}
                  sort: {{mode: {sort}, columns: [{{name: id, order: {order}}}]}}
                  iceberg: {{partitionSpec: [{{type: {transform}, column: id, numBuckets: {buckets}}}]}}
                assertions: [{{column: id, tests: ["{test}"]}}]
            streaming: {{outputMode: {written}}}
            profile: {{filters: [{{{expression}: id > 0}}]}}
"""
# What is right, what is wrong, and the diagnostic that it gets.
LOADING_MISTAKES = {
    "count": ("1", "-1", "wrong-value"),
    "strategy": ("Always", "Alwys", "wrong-value"),
    "secret": ("shop", "shp", "unknown-secret"),
    "consumption": ("envVars", "envVrs", "wrong-value"),
    "depot": ("lakehouse", "lakehous", "unknown-depot"),
    "format": ("iceberg", "iceberk", "unknown-format"),
    "key": ("sql", "sqll", "unknown-key"),
    "view": ("orders", "order", "unknown-view"),
    "output": ("loud", "lod", "unknown-view"),
    "mode": ("overwrite", "overwrit", "wrong-value"),
    "sort": ("partition", "partitio", "wrong-value"),
    "order": ("asc", "up", "wrong-value"),
    "transform": ("bucket", "buckt", "wrong-value"),
    "buckets": ("4", "four", "wrong-type"),
    "test": ("min > 0", "mn > 0", "wrong-value"),
    "written": ("append", "appnd", "wrong-value"),
    "expression": ("expression", "expresion", "missing-key"),
}
MAINTAINING = """\
name: wf-maintain
version: v1
type: workflow
workflow:
  dag:
    - name: maintain
      spec:
        stack: flare:7.0
        stackSpec:
          job:
            inputs: [{{name: orders, dataset: "dataos://{depot}:sales/orders", format: iceberg}}]
            actions:
              - {{name: {rewrite}, input: {table}, options: {{strategy: {strategy}, properties: {{{property}: "1"}}}}}}
              - {{name: expire_snapshots, input: orders, options: {{retainLast: {retain}, olderThanTimestamp: "{moment}"}}}}
              - {{name: delete_from_dataset, input: orders, {where}: id = 1}}
              - {{name: remove_orphans, input: orders, options: {{dryRun: {dry}}}}}
            assertions:
              - {{column: id, tests: ["{first}", "max < 10"]}}
              - {{column: id, tests: ["{second}"]}}
"""
MAINTAINING_MISTAKES = {
    "depot": ("lakehouse", "lakehous", "unknown-depot"),
    "rewrite": ("rewrite_dataset", "rewrite_datase", "wrong-value"),
    "table": ("orders", "ordrs", "unknown-view"),
    "strategy": ("binpack", "binpak", "wrong-value"),
    "property": ("target-file-size-bytes", "target-file-size-byte", "unknown-key"),
    "retain": ("3", "none", "wrong-type"),
    "moment": ("2026-01-01 00:00:00", "yesterday", "wrong-value"),
    "where": ("deleteWhere", "deletWhere", "missing-key"),
    "dry": ("true", "perhaps", "wrong-type"),
    "first": ("missing_count == 0", "missing_cnt == 0", "wrong-value"),
    "second": ("min > 0", "min <> 0", "wrong-value"),
}
SECRET = "name: shop\nversion: v1\ntype: secret\nsecret: {type: key-value, data: {user: ann}}\n"


def codes(tmp_path, **values: str) -> list[str]:
    return codes_of(tmp_path, MANIFEST.format(**RIGHT | values))


def codes_of(tmp_path, text: str) -> list[str]:
    (tmp_path / "job.yaml").write_text(text, encoding="utf-8")
    project = load_project(tmp_path, settings=Settings(project=tmp_path), environment={}, use_cache=False)
    return sorted(found.code for found in project.diagnostics if found.severity is not Severity.INFO)


def test_the_manifest_is_right_without_a_mistake(tmp_path):
    assert codes(tmp_path) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=": ".join)
def test_a_mistake_is_told_alone(tmp_path, mistake):
    assert codes(tmp_path, **dict([mistake])) == [MISTAKES[mistake]]


@pytest.mark.parametrize("one", MISTAKES, ids=": ".join)
def test_a_mistake_hides_no_other(tmp_path, one):
    for other, code in MISTAKES.items():
        if other[0] != one[0] and other[0] not in HIDDEN_BY.get(one, ()) and one[0] not in HIDDEN_BY.get(other, ()):
            assert codes(tmp_path, **dict([one, other])) == sorted([MISTAKES[one], code]), other


@pytest.mark.parametrize(
    ("text", "mistakes"), [(LOADING, LOADING_MISTAKES), (MAINTAINING, MAINTAINING_MISTAKES)], ids=["load", "maintain"]
)
def test_every_pair_of_mistakes_is_told_together(tmp_path, text, mistakes):
    (tmp_path / "secret.yaml").write_text(SECRET, encoding="utf-8")
    right = {name: value for name, (value, _, _) in mistakes.items()}
    assert codes_of(tmp_path, text.format(**right)) == []
    for one, (_, wrong, code) in mistakes.items():
        assert codes_of(tmp_path, text.format(**right | {one: wrong})) == [code], one
    for one, other in combinations(mistakes, 2):
        (_, first, code), (_, second, another) = mistakes[one], mistakes[other]
        told = codes_of(tmp_path, text.format(**right | {one: first, other: second}))
        assert told == sorted([code, another]), (one, other)


def test_all_mistakes_of_a_job_are_told_in_one_go(tmp_path):
    (tmp_path / "secret.yaml").write_text(SECRET, encoding="utf-8")
    for text, mistakes in ((LOADING, LOADING_MISTAKES), (MAINTAINING, MAINTAINING_MISTAKES)):
        wrong = {name: value for name, (_, value, _) in mistakes.items()}
        assert codes_of(tmp_path, text.format(**wrong)) == sorted(code for _, _, code in mistakes.values())


def test_a_name_that_is_missing_makes_no_view_unknown(tmp_path):
    assert codes(tmp_path, name="format") == ["missing-key", "unknown-format"]


def test_who_names_a_broken_depot_is_told_where_it_is_broken(tmp_path):
    depot = (
        "name: shop\nversion: v2alpha\ntype: depot\ndepot:\n  type: file\n  external: maybe\n  file: {path: /data}\n"
    )
    (tmp_path / "depot.yaml").write_text(depot, encoding="utf-8")
    assert codes(tmp_path, depot="shop") == ["unknown-depot", "wrong-type"]
    project = load_project(tmp_path, settings=Settings(project=tmp_path), environment={}, use_cache=False)
    found = next(found for found in project.diagnostics if found.code == "unknown-depot")
    assert (found.message, found.hint) == ("the depot `shop` has errors", "mend it first: depot.yaml:1:1")

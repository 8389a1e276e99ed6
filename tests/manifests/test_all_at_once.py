"""One wrong value hides nothing else: a document is told all that is wrong with it in one go."""

from __future__ import annotations

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


def codes(tmp_path, **values: str) -> list[str]:
    (tmp_path / "job.yaml").write_text(MANIFEST.format(**RIGHT | values), encoding="utf-8")
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

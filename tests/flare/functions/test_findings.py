"""What `dataos check` says of functions: everything that is wrong with a step, at its place."""

from __future__ import annotations

import json

from manifest_builder import job_text
from typer.testing import CliRunner

from dataos_dagster.cli.application import application

MANIFEST = job_text(
    """\
inputs:
  - {name: orders, dataset: "dataos://lakehouse:sales/orders"}
steps:
  - sequence:
      - name: daily
        sql: SELECT * FROM orders
        functions:
          - name: drp
            columns: [a]
          - name: trim
            colum: a
            method: up
          - name: find_and_replace
            column: a
            sedExpression: s/(/x/
outputs:
  - {name: daily, dataset: "dataos://lakehouse:sales/daily"}
"""
)


def test_all_that_is_wrong_with_the_functions_of_a_step_is_told_at_once(tmp_path):
    (tmp_path / "job.yaml").write_text(MANIFEST, encoding="utf-8")
    result = CliRunner().invoke(application, ["check", str(tmp_path), "--json"])
    found = json.loads(result.stdout)["diagnostics"]
    assert result.exit_code == 1
    assert found[1]["end"] == {"line": 22, "column": found[1]["column"] + len("colum")}
    assert [(told["line"], told["code"], told["message"], told["hint"]) for told in found] == [
        (19, "wrong-function", "there is no function 'drp'", "did you mean 'drop'?"),
        (22, "wrong-function", "trim has no parameter 'colum'", "did you mean 'column'?"),
        (23, "wrong-function", "trim method: input should be 'trim', 'ltrim' or 'rtrim'", ""),
        (
            26,
            "wrong-function",
            "find_and_replace sedExpression: 's/(/x/': the regular expression does not parse: missing ), unterminated subpattern at position 0",
            "",
        ),
    ]

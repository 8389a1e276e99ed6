"""`dataos explain` prints the catalogue."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from dataos_dagster.cli.explain import app
from dataos_dagster.manifests.codes import CODES


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_a_code_is_explained_with_both_examples():
    result = run("key-beside-dash")
    assert result.exit_code == 0
    assert result.output.startswith("key-beside-dash: A key of a list item stands in the column of the dash\n")
    assert "Wrong:\n\n    secrets:\n      - name: orders-r\n      allkeys: true\n" in result.output
    assert "Right:" in result.output


def test_without_a_code_all_are_listed():
    result = run()
    assert result.exit_code == 0
    assert all(f"  {code} " in result.output for code in CODES)


def test_an_unknown_code_ends_with_2_and_names_the_nearest():
    result = run("Key_beside_dash")
    assert result.exit_code == 2
    assert "did you mean 'key-beside-dash'?" in result.output


def test_json_holds_the_same():
    assert json.loads(run("tab", "--json").output)["wrong"] == CODES["tab"].wrong
    assert [entry["code"] for entry in json.loads(run("--json").output)["codes"]] == list(CODES)

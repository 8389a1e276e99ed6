"""`dataos show` and `dataos depot`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from dataos_dagster.cli.application import application


def call(*arguments: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(application, [str(argument) for argument in arguments])


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project with a file in a depot, a depot that cannot be reached, and one that needs a connector."""
    monkeypatch.setenv("DATAOS_CACHE", str(tmp_path / "no-connectors"))
    depots = {
        "shopfiles": "  type: file\n  file: {path: ./data}\n",
        "gone": "  type: file\n  file: {path: ./nowhere}\n",
        "cloud": "  type: GCS\n  gcs: {bucket: b}\n",
    }
    for name, body in depots.items():
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nversion: v2alpha\ntype: depot\ndepot:\n{body}")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text("id,note\n1,a [bold]\n2,\n3,c\n")
    return tmp_path


def show(project, *arguments):
    return call("show", "dataos://shopfiles:none/orders.csv", "--project", project, *arguments)


def test_rows_are_shown_as_they_are(project):
    lines = show(project).stdout.splitlines()
    assert [line.split() for line in lines] == [["id", "note"], ["1", "a", "[bold]"], ["2"], ["3", "c"]]


def test_json_holds_columns_and_as_many_rows_as_asked_for(project):
    found = json.loads(show(project, "--json", "--limit", 2).stdout)
    column = {"type": "string", "nullable": True, "comment": None}
    assert found == {
        "address": "dataos://shopfiles:none/orders.csv",
        "engine": "sail",
        "columns": [{"name": "id", **column}, {"name": "note", **column}],
        "rows": [["1", "a [bold]"], ["2", None]],
    }


def test_count_and_schema(project):
    assert show(project, "--count").stdout == "3\n"
    assert json.loads(show(project, "--count", "--json").stdout)["count"] == 3
    assert show(project, "--schema").stdout.splitlines()[1].split() == ["id", "string"]


def test_what_cannot_be_read_ends_with_1_and_what_is_no_address_with_2(project):
    missing = call("show", "dataos://shopfiles:none/nope.csv", "--project", project)
    assert (missing.exit_code, "does not exist" in missing.stderr) == (1, True)
    unknown = call("show", "dataos://shopfile:none/orders.csv", "--project", project, "--json")
    assert unknown.exit_code == 1
    assert json.loads(unknown.stdout)["error"]["hint"] == "did you mean 'shopfiles'?"
    assert call("show", "orders", "--project", project).exit_code == 2


def test_an_address_without_a_dataset_lists_what_is_there(project):
    (project / "data" / "2024").mkdir()
    (project / "data" / "2024" / "may.csv").write_text("id\n1\n")
    both = ["dataos://shopfiles:2024/may.csv", "dataos://shopfiles:none/orders.csv"]
    assert sorted(call("show", "dataos://shopfiles", "--project", project).stdout.splitlines()) == both
    one = call("show", "dataos://shopfiles:2024", "--project", project, "--json")
    assert json.loads(one.stdout) == {"datasets": both[:1]}
    none = call("show", "dataos://shopfiles:2025", "--project", project)
    assert none.exit_code == 1
    assert "there is no dataset in dataos://shopfiles:2025\n  hint: collections of shopfiles: 2024" in none.stderr


def test_depots_are_listed_without_being_opened(project):
    found = json.loads(call("depot", "list", "--project", project, "--json").stdout)["depots"]
    assert [(depot["name"], depot["type"]) for depot in found] == [
        ("lakehouse", "file"),
        ("cloud", "gcs"),
        ("gone", "file"),
        ("shopfiles", "file"),
    ]
    assert "built in" in call("depot", "list", "--project", project).stdout


def test_the_check_fails_for_what_is_in_error_and_not_for_what_lacks_a_connector(project):
    result = call("depot", "check", "--project", project, "--json")
    found = {depot["name"]: depot["status"] for depot in json.loads(result.stdout)["depots"]}
    assert found == {"lakehouse": "active", "gone": "error", "shopfiles": "active", "cloud": "unsupported"}
    assert result.exit_code == 1
    fine = call("depot", "check", "shopfiles", "cloud", "--project", project)
    assert fine.exit_code == 0
    assert "1 file, 26 bytes" in fine.stdout
    assert call("depot", "check", "nope", "--project", project).exit_code == 1

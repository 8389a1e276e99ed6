"""`dataos check` says what is wrong, mends what is safe, and ends with the right status."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from dataos_dagster.cli.check import app

WORKFLOW = """\
name: wf-orders
version: v1
type: workflow
workflow:
  dag:
    - name: load
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - name: orders
                dataset: dataos://lakehouse:retail/orders
            steps:
              - sequence:
                  - name: late
                    sql: select * from orders
            outputs:
              - name: late
                dataset: dataos://lakehouse:retail/late
                format: iceberg
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataos.yaml").write_text("schedules: stopped\n")
    (tmp_path / "orders.yaml").write_text(WORKFLOW)
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_a_good_project_ends_with_0_and_a_summary(project):
    result = run()
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1].startswith("1 file, 1 document, 1 resource: no errors, no warnings")


def test_an_error_is_shown_with_its_place_its_line_and_what_to_do(project):
    (project / "bad.yaml").write_text("name: b\nsecrets:\n  - name: a\n  allkeys: true\n")
    result = run(".")
    assert result.exit_code == 1
    assert "bad.yaml:4:3: error key-beside-dash: " in result.output
    assert "  4 |   allkeys: true\n    |   ^^^^^^^\n  hint: move 'allkeys' 2 columns to the right" in result.output
    assert "2 files, 1 document, 1 resource: 1 error" in result.output


def test_a_broken_file_does_not_hide_what_is_wrong_with_others(project):
    (project / "a.yaml").write_text("name: *\n")
    (project / "b.yaml").write_text("name: {{x}} y\n")
    (project / "c.yaml").write_bytes(b"\x00\x01")
    codes = [found["code"] for found in json.loads(run("--json").output)["diagnostics"] if found["severity"] == "error"]
    assert codes == ["reserved-character", "unquoted-braces", "binary-file"]


def test_one_file_is_checked_as_a_part_of_its_project(project):
    depot = "name: shopfiles\nversion: v1\ntype: depot\ndepot:\n  type: file\n  file: {path: data}\n"
    (project / "depot.yaml").write_text(depot)
    (project / "orders.yaml").write_text(WORKFLOW.replace("dataos://lakehouse:retail/orders", "dataos://shopfiles:o/o"))
    (project / "bad.yaml").write_text("name: b\nsecrets:\n  - name: a\n  allkeys: true\n")
    result = run("orders.yaml")
    assert (result.exit_code, "bad.yaml" in result.output) == (0, False), result.output
    assert result.output.splitlines()[-1].startswith("1 file, 1 document, 1 resource: no errors")
    lost = run("orders.yaml", "bad.yaml")
    assert (lost.exit_code, "bad.yaml" in lost.output) == (1, True)


def test_files_that_a_checked_file_names_are_checked_with_it(project):
    (project / "bundles").mkdir()
    (project / "bundles" / "shop.yaml").write_text(
        "name: shop\nversion: v1beta\ntype: bundle\nbundle:\n  resources:\n    - {id: load, file: ../load.yaml}\n"
    )
    (project / "load.yaml").write_text(WORKFLOW.replace("wf-orders", "wf-load").replace("stack:", "stak:"))
    (project / "other.yaml").write_text("name: *\n")
    result = run("bundles/shop.yaml")
    assert (result.exit_code, "load.yaml" in result.output, "other.yaml" in result.output) == (1, True, False)
    assert result.output.splitlines()[-1].startswith("2 files, 2 documents")


def test_a_missing_path_ends_with_2(project):
    assert run("nowhere.yaml").exit_code == 2


def test_wrong_settings_end_with_2(project):
    (project / "dataos.yaml").write_text("schedule: stopped\n")
    assert run().exit_code == 2


def test_warnings_fail_only_when_asked_to(project):
    (project / "orders.yaml").write_text(WORKFLOW.replace("type: workflow\n", "type: workflow\ncolour: red\n"))
    assert run().exit_code == 0
    assert run("--strict").exit_code == 1


def test_placeholders_fail_unless_templates_are_checked(project):
    (project / "orders.yaml").write_text(WORKFLOW.replace("wf-orders", "${{name}}"))
    assert run().exit_code == 1
    assert run("--allow-placeholders").exit_code == 0
    assert run("--allow-placeholders", "--strict").exit_code == 1


def test_json_is_one_object_with_counts_resources_and_diagnostics(project):
    (project / "bad.yaml").write_text("owner: @mira\n")
    result = run("--json")
    assert result.exit_code == 1
    said = json.loads(result.output)
    assert (said["files"], said["documents"]) == (2, 1)
    assert said["resources"] == [
        {"kind": "workflow", "name": "wf-orders", "workspace": None, "file": "orders.yaml", "line": 1}
    ]
    [found] = said["diagnostics"]
    assert {key: found[key] for key in ("code", "severity", "file", "line", "column", "end", "path")} == {
        "code": "reserved-character",
        "severity": "error",
        "file": "bad.yaml",
        "line": 1,
        "column": 8,
        "end": {"line": 1, "column": 13},
        "path": [],
    }
    assert found["fix"] == {"description": "put the value in quotes", "safe": True}


def test_fix_mends_what_is_safe_and_nothing_is_left_to_mend(project):
    text = f"# kept\nowner: @mira   # who\ntags:\n  - daily\n  -sales\n{WORKFLOW}"
    (project / "orders.yaml").write_text(text)
    result = run("--fix")
    assert "fixed orders.yaml" in result.output
    mended = (project / "orders.yaml").read_text()
    assert mended == text.replace("@mira", '"@mira"').replace("-sales", "- sales")
    assert result.exit_code == 0, result.output
    assert "fixed" not in run("--fix").output
    assert (project / "orders.yaml").read_text() == mended


def test_fix_spells_keys_as_they_are_known(project):
    text = (
        WORKFLOW.replace("name: wf", "Name: wf").replace("stackSpec", '"StackSpec"').replace("\nworkflow", "\nWorkflow")
    )
    (project / "orders.yaml").write_text(text)
    result = run("--fix", "--strict")
    assert result.exit_code == 0, result.output
    assert (project / "orders.yaml").read_text() == WORKFLOW.replace("stackSpec", '"stackSpec"')


def test_without_fix_no_file_is_changed(project):
    (project / "orders.yaml").write_text(f"owner: @mira\n{WORKFLOW}")
    assert run().exit_code == 1
    assert (project / "orders.yaml").read_text() == f"owner: @mira\n{WORKFLOW}"


def test_secrets_are_in_neither_output(project):
    (project / "secret.yaml").write_text(
        "name: s\nversion: v1\ntype: secret\nsecret:\n  type: key-value\n  acl: r\n  data:\n    a: hunter2\n     b: hunter2\n"
    )
    for arguments in ([], ["--json"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "hunter2" not in result.output


def test_checking_imports_neither_dagster_nor_an_engine(project):
    code = (
        "import sys\nfrom dataos_dagster.cli.application import application\n"
        "try:\n    application(['check'])\nexcept SystemExit as end:\n    assert end.code in (0, None), end.code\n"
        "print([name for name in ('dagster', 'pyspark', 'pyarrow', 'pandas', 'pyiceberg') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project)
    assert result.stdout.splitlines()[-1] == "[]"


def test_a_folder_without_manifests_is_told_and_is_no_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run()
    assert (result.exit_code, result.output) == (0, f"no manifests found in {tmp_path}\n")
    assert json.loads(run("--json").stdout)["notes"] == [f"no manifests found in {tmp_path}"]
    assert list(tmp_path.iterdir()) == []


def test_many_findings_are_counted_by_code(project):
    jobs = "".join(f"    - {{name: job-{number}, spec: {{stack: toolbox, tempVolume: x}}}}\n" for number in range(8))
    (project / "many.yaml").write_text(f"name: m\nversion: v1\ntype: workflow\nworkflow:\n  dag:\n{jobs}")
    lines = run().output.splitlines()
    assert "  8 warning no-effect" in lines
    assert "  8 info stack-not-run" in lines
    assert not any(line.startswith("by code") for line in run("orders.yaml").output.splitlines())


def test_placeholders_point_to_the_option_for_templates(project):
    text = (project / "orders.yaml").read_text().replace("type: workflow", "type: workflow\nowner: ${{owner}}")
    (project / "orders.yaml").write_text(text)
    assert "placeholders are 1 of 1 error: `--allow-placeholders` checks templates" in run().output
    assert "placeholders are" not in run("--allow-placeholders").output

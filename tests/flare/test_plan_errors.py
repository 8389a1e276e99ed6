"""A job that cannot be planned is told all that is wrong with it, and stand-ins let a job be planned anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from manifest_builder import job_text
from typer.testing import CliRunner

from dataos_dagster.cli.application import application

MANIFEST = job_text(
    """\
inputs:
  - name: orders
    dataset: {dataset}
    format: {format}
    options: {{workbookPassword: geheim-7, header: true}}
steps:
  - sequence:
      - name: daily
        sql: {sql}
      - name: last
        sql: SELECT * FROM {view}
outputs:
  - name: daily
    dataset: dataos://{target}:sales/totals?acl=rw
    format: iceberg
    options: {{saveMode: overwrite, iceberg: {{partitionSpec: [{{type: identity, column: a}}]}}}}
"""
)
RIGHT = {
    "dataset": "dataos://lakehouse:sales/orders",
    "format": "iceberg",
    "sql": "SELECT * FROM orders",
    "view": "daily",
    "target": "lakehouse",
}


def plan(tmp_path, *options: str, **values: str):
    (tmp_path / "job.yaml").write_text(MANIFEST.format(**RIGHT | values), encoding="utf-8")
    result = CliRunner().invoke(application, ["run", str(tmp_path), "--plan", "--json", *options])
    return result.exit_code, json.loads(result.stdout)


def test_a_plan_has_the_options_of_its_inputs_and_hides_what_sounds_secret(tmp_path):
    status, found = plan(tmp_path)
    [job] = found["plans"]
    assert (status, found["stand_ins"], found["manifests"]) == (0, [], [])
    [read] = job["inputs"]
    assert (read["format"], read["options"]) == ("iceberg", {"header": "true", "workbookPassword": "********"})
    [written] = job["outputs"]
    assert (written["format"], written["mode"]) == ("iceberg", "overwrite")
    assert written["partition_spec"] == [{"transform": "identity", "column": "a"}]


def test_all_that_is_wrong_is_told_with_its_line(tmp_path):
    status, found = plan(tmp_path, dataset="dataos://nowhere:a/b", sql="SELECT * FRM orders", target="elsewhere")
    [job] = found["plans"]
    assert status == 1
    assert [(error["location"].split(":")[1], error["message"]) for error in job["errors"]] == [
        ("14", "there is no depot `nowhere`"),
        ("20", "'FRM' is no keyword"),
        ("25", "there is no depot `elsewhere`"),
    ]


def test_stand_ins_take_the_place_of_unknown_depots_and_placeholders(tmp_path):
    values = {"dataset": "dataos://<depot>:${{collection}}/orders", "target": "shop"}
    assert plan(tmp_path, **values)[0] == 1
    status, found = plan(tmp_path, "--stand-ins", **values)
    assert (status, found["stand_ins"]) == (0, ["depot", "shop"])
    [job] = found["plans"]
    assert job["inputs"][0]["dataset"] == "dataos://depot:collection/orders"
    assert not (tmp_path / ".dataos" / "stand-ins").exists()


@pytest.mark.parametrize("word", ["csv", "postgres", "jdbc", "text", "json", "parquet"])
def test_a_stand_in_is_of_the_kind_that_its_format_speaks_of(tmp_path, word):
    status, found = plan(tmp_path, "--stand-ins", dataset="dataos://shop:sales/orders", format=word)
    assert (status, found["stand_ins"]) == (0, ["shop"])


def test_nothing_is_run_on_stand_ins(tmp_path):
    (tmp_path / "job.yaml").write_text(MANIFEST.format(**RIGHT), encoding="utf-8")
    result = CliRunner().invoke(application, ["run", str(tmp_path), "--stand-ins"])
    assert result.exit_code == 2
    assert "add --plan" in result.output


def test_a_broken_manifest_is_told_beside_the_plans(tmp_path):
    (tmp_path / "broken.yaml").write_text(
        "name: b\nversion: v1\ntype: workflow\nworkflow: {dag: 3}\n", encoding="utf-8"
    )
    status, found = plan(tmp_path)
    assert (status, [each["file"] for each in found["manifests"]]) == (1, ["broken.yaml"])
    assert found["plans"][0]["engine"] in {"sail", "spark"}


def test_a_mistake_in_a_file_of_steps_is_told_once_with_its_place_there(tmp_path):
    (tmp_path / "parts").mkdir()
    step = "sequence:\n  - name: daily\n    sql: SELECT * FRM orders\n"
    (tmp_path / "parts" / "more.yaml").write_text(step, encoding="utf-8")
    begins, ends = MANIFEST.index("  - sequence:"), MANIFEST.index("outputs:")
    manifest = f"{MANIFEST[:begins]}          - parts/more.yaml\n        {MANIFEST[ends:]}"
    (tmp_path / "job.yaml").write_text(manifest.format(**RIGHT), encoding="utf-8")
    result = CliRunner().invoke(application, ["run", str(tmp_path), "--plan", "--json"])
    [job] = json.loads(result.stdout)["plans"]
    assert [error["message"] for error in job["errors"]] == ["parts/more.yaml:3:19: 'FRM' is no keyword"]


PAGE = (Path(__file__).parents[2] / "docs" / "planning.md").read_text(encoding="utf-8")
INCREMENTAL, MANIFEST_OF_PAGE, CONSOLE, OBJECT = re.findall(r"```(?:yaml|console|json)\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_about_plans_shows_what_is_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataos.yaml").touch()
    (tmp_path / "orders.yaml").write_text(MANIFEST_OF_PAGE, encoding="utf-8")
    command = ["run", "--plan", "--stand-ins"]
    assert CliRunner().invoke(application, command).stdout.strip() == CONSOLE.split("\n", 1)[1].strip()
    assert json.loads(CliRunner().invoke(application, [*command, "--json"]).stdout) == json.loads(OBJECT)


SHOP_JOB = """\
inputs:
  - name: orders
    dataset: dataos://lakehouse:shop/source
    incremental:
      context: all_orders
      sql: SELECT * FROM all_orders WHERE id > $|last| AND id <= $|newest|
      keys:
        - {name: last, sql: select 0}
        - {name: newest, sql: select max(id) from all_orders where id > $|last|}
      state:
        - {key: last, value: newest}
outputs:
  - {name: orders, dataset: dataos://lakehouse:shop/target, options: {saveMode: append}}
"""


def test_the_page_about_plans_shows_what_an_incremental_input_would_read(sail_project, monkeypatch):
    command, shown = INCREMENTAL.removeprefix("$ dataos ").split("\n", 1)
    sail_project.seed("dataos://lakehouse:shop/source", "SELECT CAST(id AS BIGINT) AS id FROM range(1, 5)")
    sail_project.run_job(SHOP_JOB, name="load")
    monkeypatch.chdir(sail_project.folder)
    printed = CliRunner().invoke(application, command.split()).stdout
    assert re.sub(r"run [0-9a-f]{8}", "run 5f0c2c1b", printed).strip() == shown.strip()

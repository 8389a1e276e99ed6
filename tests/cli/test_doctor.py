"""`dataos doctor` and `dataos engines`: what the machine has, and where each job goes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataos_dagster.cli.doctor import machine_checks
from dataos_dagster.engines.availability import Availability, EngineStatus, availability, find_java
from dataos_dagster.engines.coordinates import CONNECTORS
from dataos_dagster.settings import EngineSettings, load_settings

WORKFLOW = """
name: sales
version: v1
type: workflow
workflow:
  dag:
    - name: {name}
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - name: orders
                dataset: dataos://lakehouse:shop/orders
            outputs:
              - name: result
                dataset: dataos://lakehouse:shop/{name}?acl=rw
                format: iceberg
            steps:
              - sequence:
                  - name: result
                    sql: {sql}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, sql in {"plain": "SELECT id FROM orders", "capital": "SELECT initcap(note) AS n FROM orders"}.items():
        text = WORKFLOW.format(name=name, sql=sql).replace("name: sales", f"name: sales-{name}")
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


PAGE = Path(__file__).parents[2] / "docs" / "engines.md"
EXAMPLES = dict(re.findall(r"<!-- example: (.+?) -->\n```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))


def shape(value: object) -> object:
    """Return which keys an object has, and those inside; entries of a list are alike, numbers of them differ."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) else "a value"


def run(*arguments: str) -> tuple[int, str]:
    from dataos_dagster.cli.application import application

    result = CliRunner().invoke(application, arguments)
    return result.exit_code, result.output


def test_each_job_is_listed_with_its_engine_and_the_reason(project: Path) -> None:
    status, output = run("doctor", str(project), "--json")
    found = json.loads(output)
    assert status == 0, output
    jobs = {job["job"].rpartition("/")[2]: job for job in found["jobs"]}
    assert jobs["plain"]["engine"] == "sail"
    assert "proven equal" in jobs["plain"]["reasons"][0]
    if find_java():
        assert jobs["capital"]["engine"] == "spark"
    assert "initcap/1 at 23:33" in jobs["capital"]["reasons"][0]


def test_a_machine_without_java_says_so_and_still_runs_everything(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    status, output = run("doctor", str(project))
    assert status == 0, output
    assert "Apache Spark needs Java" in output
    assert "openjdk-17" in output
    assert output.count("sail: ") == 2


def test_text_for_people_has_a_line_a_job(project: Path) -> None:
    _, output = run("doctor", str(project))
    assert "✓ public/sales-plain/plain" in output
    assert "✓ python" in output


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert run("doctor", str(tmp_path / "nowhere"))[0] == 2


def test_an_engine_that_the_settings_ask_for_and_is_missing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dataos.yaml").write_text("engines: {default: connect}\n")
    checks = {check.name: check for check in machine_checks(load_settings(tmp_path), nothing_but("sail"))}
    assert checks["connect"].outcome == "error"
    assert checks["spark"].outcome == "warning"
    assert checks["sail"].outcome == "ok"
    assert {"memory", "disk", "python", "dagster"} <= checks.keys()


def nothing_but(engine: str) -> Availability:
    names = ("sail", "spark", "connect")
    return Availability(tuple(EngineStatus(name, name == engine, "not here", "get it") for name in names))


def test_engines_are_listed_with_what_is_missing(tmp_path: Path) -> None:
    status, output = run("engines", "list", str(tmp_path), "--json")
    assert status == 0
    found = {each["engine"]: each for each in json.loads(output)["engines"]}
    assert found["sail"]["available"]
    assert not found["connect"]["available"]
    assert "engines.connect.url" in found["connect"]["hint"]
    assert "functions" in found["sail"]["abilities"][0]


def test_the_examples_of_the_page_have_what_the_commands_print(project: Path) -> None:
    for command in ("dataos doctor --json", "dataos engines list --json"):
        status, output = run(*command.split()[1:], str(project))
        assert status == 0, output
        printed, example = json.loads(output), json.loads(EXAMPLES[command])
        assert example.pop("connectors", {}).keys() <= printed.pop("connectors", {}).keys()
        assert shape(printed) == shape(example)


def test_engines_are_listed_with_what_each_can_do_and_the_connectors(tmp_path: Path) -> None:
    status, output = run("engines", "list", str(tmp_path))
    assert status == 0
    assert "proven to give Spark's rows and types" in output
    assert "all of Spark SQL" in output
    for connector in CONNECTORS.values():
        assert f"{connector.coordinate}: {connector.purpose}" in output


def test_a_configured_cluster_is_available(tmp_path: Path) -> None:
    settings = EngineSettings.model_validate({"connect": {"url": "sc://cluster:15002"}})
    assert availability(settings).of("connect").detail == "Spark Connect at sc://cluster:15002"
    (tmp_path / "dataos.yaml").write_text("engines: {connect: {url: 'sc://cluster:15002'}}\n")
    assert "sc://cluster:15002" in run("engines", "list", str(tmp_path))[1]


@pytest.mark.parametrize("arguments", [("install", "sail"), ("install", "spark", ".", "--with", "no such thing")])
def test_what_cannot_be_installed_is_refused_with_what_can(arguments: tuple[str, ...]) -> None:
    status, output = run("engines", *arguments)
    assert status == 2
    assert "hint: " in output


def test_connectors_that_are_in_the_cache_are_installed_without_a_network(
    tmp_path: Path, spark_jars: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from servers.spark_jars import COORDINATES

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    status, output = run("engines", "install", "spark", str(tmp_path), "--json", "--with", ",".join(COORDINATES))
    assert status == 0, output
    installed = json.loads(output)
    assert any("iceberg-spark-runtime" in jar for jar in installed["jars"])
    assert Path(installed["classes"]).stat().st_size > 0
    assert shape(installed) == shape(json.loads(EXAMPLES["dataos engines install spark --json"]))

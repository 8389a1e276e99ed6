"""Stand-ins let a job be planned where its depots, secrets and views are not: nothing is opened or asked for it."""

from __future__ import annotations

import json
import socket
from typing import NoReturn

import pytest
from manifest_builder import job_text
from typer.testing import CliRunner

from dataos_dagster.cli.application import application
from dataos_dagster.depots.storage import Place
from dataos_dagster.engines.session import Sessions

HEAD = """\
name: wf-open
version: v1
type: workflow
workflow:
  dag:
    - name: open
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
"""


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Return a function that plans a job on stand-ins and returns exit status and JSON; opening anything fails."""

    def opened(*_: object, **__: object) -> NoReturn:
        pytest.fail("something was opened")

    monkeypatch.setattr(Sessions, "lease", opened)
    monkeypatch.setattr(Place, "filesystem", property(opened))
    monkeypatch.setattr(socket, "getaddrinfo", opened)
    monkeypatch.setattr(socket.socket, "connect", opened)

    def planned(job: str, *options: str, **files: str):
        (tmp_path / "job.yaml").write_text(job_text(job), encoding="utf-8")
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        result = CliRunner().invoke(application, ["run", str(tmp_path), "--plan", "--json", *options])
        return result.exit_code, json.loads(result.stdout)

    return planned


UNKNOWN_VIEWS = """
inputs:
  - {name: orders, dataset: dataos://lakehouse:sales/orders}
steps:
  - sequence:
      - {name: daily, sql: SELECT * FROM ordres JOIN orders USING (id)}
      - {name: kept, sql: CACHE TABLE nothing}
outputs:
  - {name: dayly, dataset: dataos://lakehouse:sales/totals?acl=rw, options: {saveMode: append}}
  - name: daily
    dataset: dataos://lakehouse:sales/copy?acl=rw
    options: {saveMode: append}
    assertions:
      - {sql: SELECT count(*) AS n FROM elsewhere, tests: n > 0}
"""
NAMES = {
    "16:54": "'ordres' is no view of this job and no dataset",
    "17:39": "CACHE: there is no view 'nothing' here",
    "19:40": "there is no view 'dayly' to write",
    "24:27": "there is no view 'elsewhere'",
}


def test_a_view_that_nothing_makes_is_a_finding_of_the_whole_plan(plan):
    status, found = plan(UNKNOWN_VIEWS, "--stand-ins")
    [job] = found["plans"]

    assert status == 0
    assert [item["type"] for item in job["findings"]] == ["UnknownView"] * 4
    assert {item["location"].split(":", 1)[1]: item["message"].split(": ", 1)[1] for item in job["findings"]} == NAMES
    assert job["findings"][0]["hint"] == "did you mean 'orders'?"
    assert [(step["view"], step["reads"]) for step in job["steps"]] == [("daily", ["ordres", "orders"]), ("kept", [])]
    assert [output["view"] for output in job["outputs"]] == ["dayly", "daily"]
    assert job["assertions"] == ["n > 0"]


def test_without_stand_ins_the_same_names_are_errors(tmp_path):
    (tmp_path / "job.yaml").write_text(job_text(UNKNOWN_VIEWS), encoding="utf-8")
    result = CliRunner().invoke(application, ["run", str(tmp_path), "--plan", "--json"])
    [job] = json.loads(result.stdout)["plans"]

    assert result.exit_code == 1
    assert [item["location"].split(":")[1] for item in job["errors"]] == [place.split(":")[0] for place in NAMES]


def test_findings_are_printed_with_their_places(tmp_path):
    (tmp_path / "job.yaml").write_text(job_text(UNKNOWN_VIEWS), encoding="utf-8")
    result = CliRunner().invoke(application, ["run", str(tmp_path), "--plan", "--stand-ins"])

    assert "  assume job.yaml:19:40: outputs[0] \"dayly\": there is no view 'dayly' to write" in result.stdout


def test_what_cannot_be_read_is_an_error_on_stand_ins_too(plan):
    status, found = plan(UNKNOWN_VIEWS.replace("SELECT * FROM ordres", "SELEC * FRM ordres"), "--stand-ins")
    [job] = found["plans"]

    assert status == 1
    assert "'SELEC' begins no query" in job["errors"][0]["message"]


OPEN = """
inputs:
  - {name: orders, dataset: dataos://lakehouse:sales/orders, schemaPath: dataos://elsewhere:none/schemas/orders.avsc}
  - {name: asked, query: SELECT * FROM LENS(SELECT a FROM b)}
steps:
  - sequence:
      - {name: filed, sqlFile: sql/daily.sql}
      - {name: left, sql: "${{the query}}"}
      - {name: made, sql: SELECT * FROM filed JOIN left USING (id) JOIN asked USING (id)}
outputs:
  - {name: made, dataset: dataos://lakehouse:sales/made?acl=rw, options: {saveMode: append}}
actions:
  - {name: rewrite_dataset, input: nothing}
"""


def test_files_that_are_not_there_queries_left_open_and_tables_that_nobody_reads_are_stood_in_for(plan):
    status, found = plan(OPEN, "--stand-ins")
    [planned] = found["plans"]

    assert status == 0
    assert found["stand_ins"] == ["elsewhere"]
    assert [step["view"] for step in planned["steps"]] == ["left", "made"]
    told = [finding["message"] for finding in planned["findings"]]
    for words in ("LENS", "there is no file 'sql/daily.sql'", "no input is called 'nothing'"):
        assert [message for message in told if words in message], (words, told)


def test_what_is_not_run_is_a_finding_and_the_rest_is_planned(plan):
    status, found = plan(
        """
        udfs: {shout: "(s: String) => s.toUpperCase"}
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - {name: loud, sql: SELECT shout(name) AS name FROM orders}
        outputs:
          - {name: loud, dataset: dataos://lakehouse:sales/loud?acl=rw}
        """,
        "--stand-ins",
    )
    [job] = found["plans"]

    assert status == 0
    assert [(item["type"], item["location"].split(":")[1]) for item in job["findings"]] == [("NotYetRun", "12")]
    assert (len(job["inputs"]), len(job["steps"]), len(job["outputs"])) == (1, 1, 1)


DEPOTS = """\
name: bucket
version: v2alpha
type: depot
depot:
  type: S3
  s3: {bucket: b, relativePath: raw, format: parquet}
  secrets: [{name: nowhere, allkeys: true}]
---
name: shop
version: v2alpha
type: depot
depot:
  type: POSTGRESQL
  postgresql: {host: db.invalid, port: 5432, database: shop}
  secrets: [{name: nowhere, allkeys: true}]
"""
SETTINGS = "catalogs: {warehouse: {uri: 'http://catalog.invalid:8181'}}\n"


def test_declared_depots_are_asked_nothing_and_their_secrets_need_not_be_there(plan, tmp_path):
    (tmp_path / "dataos.yaml").write_text(SETTINGS, encoding="utf-8")
    status, found = plan(
        """
        inputs:
          - {name: files, dataset: dataos://bucket:a/b}
          - {name: rows, dataset: dataos://shop:public/rows}
          - {name: logs, inputType: file, file: {path: s3a://other/logs, format: csv}}
          - {name: table, inputType: file, file: {path: s3a://other/table, format: iceberg}}
        outputs:
          - {name: files, dataset: dataos://warehouse:a/copy?acl=rw, options: {iceberg: {partitionSpec: [{type: day, column: d}]}}}
          - {name: rows, dataset: dataos://bucket:a/copy?acl=rw}
        """,
        "--stand-ins",
        depots=DEPOTS,
    )
    [job] = found["plans"]

    assert (status, found["stand_ins"], job["findings"]) == (0, [], [])
    assert [read["dataset"] for read in job["inputs"]][:2] == ["dataos://bucket:a/b", "dataos://shop:public/rows"]
    assert [write["mode"] for write in job["outputs"]] == ["overwrite", "overwrite"]


@pytest.mark.parametrize(
    ("read", "engine", "reason"),
    [
        (
            "dataset: dataos://sales:public/a, format: jdbc, options: {driver: com.mysql.cj.jdbc.Driver}",
            "spark",
            "MySQL",
        ),
        ("dataset: dataos://sales:dbo/a, options: {driver: com.microsoft.sqlserver.jdbc.SQLServerDriver}", "spark", ""),
        ("dataset: 'dataos://snowflake02:TPCH/REGION'", "spark", "snowflake"),
        ("dataset: dataos://fastbase:default/topic, isStream: false", "spark", "pulsar"),
        ("dataset: dataos://sales:public/a, format: postgres", "sail", ""),
        ("dataset: dataos://anything:public/a", "sail", ""),
    ],
)
def test_a_stand_in_is_of_the_kind_that_driver_format_or_name_speak_of(plan, read, engine, reason):
    status, found = plan(
        f"inputs: [{{name: a, {read}}}]\noutputs: [{{name: a, dataset: dataos://lakehouse:x/a}}]", "--stand-ins"
    )
    [job] = found["plans"]

    assert status == 0
    assert job["engine"] == engine
    assert reason.lower() in " ".join(job["reasons"]).lower()


def test_a_stream_that_runs_until_it_is_stopped_has_stand_ins_too(plan):
    status, found = plan(
        """
        inputs:
          - {name: events, dataset: dataos://broker:default/events, format: kafkajson, isStream: true}
        streaming: {triggerMode: ProcessingTime, triggerDuration: 10 seconds, checkpointLocation: /tmp/points}
        outputs:
          - {name: events, dataset: dataos://lakehouse:x/events, options: {saveMode: append}}
        """,
        "--stand-ins",
    )

    assert (status, found["stand_ins"]) == (0, ["broker"])
    assert found["plans"][0]["stream"]["ends"] is False


def test_files_of_keys_are_not_read(plan):
    status, found = plan(
        """
        inputs:
          - {name: rows, inputType: file, file: {path: "gs://bucket/rows", format: csv}}
        outputs:
          - {name: rows, dataset: dataos://cloud:x/rows, format: parquet}
        """,
        "--stand-ins",
        depot="""\
name: cloud
version: v2alpha
type: depot
depot: {type: GCS, gcs: {bucket: b}, secrets: [{name: nowhere, allkeys: true}]}
""",
    )

    assert (status, found["plans"][0]["findings"]) == (0, [])


def test_a_template_that_leaves_a_job_open_is_planned_as_one_that_does_nothing(tmp_path):
    (tmp_path / "open.yaml").write_text(HEAD.rstrip("\n") + " ${{job}}\n", encoding="utf-8")
    result = CliRunner().invoke(application, ["run", str(tmp_path), "--plan", "--stand-ins", "--json"])

    assert result.exit_code == 0
    assert [(job["inputs"], job["outputs"]) for job in json.loads(result.stdout)["plans"]] == [([], [])]


def test_credentials_that_a_job_leaves_empty_are_stood_in_for(plan):
    status, found = plan(
        """
        inputs:
          - name: events
            inputType: eventhub
            eventhub: {endpoint: "", eventhubName: hub, sasKeyName: "", sasKey: ""}
            isStream: false
        outputs:
          - {name: events, dataset: dataos://lakehouse:x/events}
        """,
        "--stand-ins",
    )

    assert (status, found["plans"][0]["engine"]) == (0, "spark")

"""What a job is handed over reaches the programs on its engine, and those of no other job."""

from __future__ import annotations

import json

import pytest

from dataos_dagster import flare
from dataos_dagster.errors import SecretBackendError, SecretNotFound, StepError
from dataos_dagster.secrets.properties import parse_properties

TOKEN = "tulip-1637"
MODULE = """\
import os
from pathlib import Path


def variable(name):
    return os.environ.get(name)


def secret_file(name):
    folder = os.environ.get("DATAOS_SECRET_DIR")
    return None if folder is None else Path(folder, name).read_text()


def folder():
    return os.environ.get("DATAOS_SECRET_DIR")
"""
JOB = """\
udfs:
  variable: {python: "reading:variable", returns: string}
  secret_file: {python: "reading:secret_file", returns: string}
inputs:
  - {name: names, dataset: "dataos://lakehouse:e/names"}
steps:
  - sequence:
      - name: found
        sql: SELECT name, variable(name) AS value, secret_file('git_password') AS file FROM names
outputs:
  - {name: found, dataset: "dataos://lakehouse:e/found"}
"""
GIVEN = {
    "envs": {"REGION": "north", "user": "from-envs", "STRICT": True},
    "dataosSecrets": [
        {"name": "git", "keys": ["user", "TOKEN"]},
        {"name": "git", "key": "password", "consumptionType": "file"},
    ],
}
SECRET = f"""\
name: git
version: v1
type: secret
secret:
  type: key-value
  data: {{user: ann, TOKEN: {TOKEN}, password: "rose 1845"}}
"""


def seeded(project):
    project.write("secret.yaml", SECRET)
    names = "SELECT * FROM VALUES ('REGION'), ('user'), ('STRICT'), ('TOKEN') AS t(name)"
    project.seed("dataos://lakehouse:e/names", names)
    return project


@pytest.fixture
def handed(project, module_in):
    module_in(project, "reading", MODULE)
    return seeded(project)


@pytest.fixture
def sail_handed(sail_project, module_in):
    module_in(sail_project, "reading", MODULE)
    return seeded(sail_project)


def found(project):
    return {name: value for name, value, _ in project.table("dataos://lakehouse:e/found")[1]}


def test_functions_of_a_job_see_its_variables_and_files_and_those_of_another_job_do_not(handed):
    result = handed.run_job(JOB, beside=GIVEN)
    assert found(handed) == {"REGION": "north", "user": "from-envs", "STRICT": "true", "TOKEN": TOKEN}
    assert {row[2] for row in handed.table("dataos://lakehouse:e/found")[1]} == {"rose 1845"}
    assert TOKEN not in str(result)
    assert "rose" not in repr(result)
    [run] = handed.state.job_runs.history(1)
    assert TOKEN not in repr(run)

    handed.run_job(JOB.replace("secret_file('git_password')", "variable('DATAOS_SECRET_DIR')"))
    assert set(found(handed).values()) == {None}
    assert {row[2] for row in handed.table("dataos://lakehouse:e/found")[1]} == {None}


def test_a_properties_file_holds_all_keys_of_its_secret(sail_handed):
    whole = {"dataosSecrets": [{"name": "git", "consumptionType": "propFile"}]}
    sail_handed.run_job(JOB.replace("git_password", "git.properties"), beside=whole)
    [text] = {row[2] for row in sail_handed.table("dataos://lakehouse:e/found")[1]}
    assert parse_properties(text) == {"user": "ann", "TOKEN": TOKEN, "password": "rose 1845"}


def test_files_are_gone_and_their_engine_has_ended_when_the_job_has(sail_handed):
    before = len(sail_handed.sessions._servers)
    sail_handed.run_job(JOB.replace("secret_file('git_password')", "variable('DATAOS_SECRET_DIR')"), beside=GIVEN)
    [folder] = {row[2] for row in sail_handed.table("dataos://lakehouse:e/found")[1]}
    assert folder
    assert not sail_handed.folder.joinpath(folder).exists()
    assert len(sail_handed.sessions._servers) == before


def test_jobs_with_the_same_variables_share_an_engine(sail_handed):
    given = {"envs": {"REGION": "south"}}
    plain = JOB.replace("secret_file('git_password')", "variable('DATAOS_SECRET_DIR')")
    sail_handed.run_job(plain, beside=given)
    servers = len(sail_handed.sessions._servers)
    sail_handed.run_job(plain, beside=given)
    assert len(sail_handed.sessions._servers) == servers
    assert found(sail_handed)["REGION"] == "south"


def test_variables_that_only_the_platform_reads_cost_no_engine(sail_handed):
    plain = JOB.replace("secret_file('git_password')", "variable('DATAOS_SECRET_DIR')")
    sail_handed.run_job(plain)
    servers = len(sail_handed.sessions._servers)
    sail_handed.run_job(plain, beside={"envs": {"DISABLE_HADOOP_PATH_CHECKS": "true", "FLARE_AUDIT_MODE": "LOG"}})
    assert len(sail_handed.sessions._servers) == servers


def test_a_plan_names_what_is_handed_over_and_tells_no_value(sail_handed):
    plan = sail_handed.plan(JOB, beside=GIVEN)
    told = [
        "variables REGION, user, STRICT",
        "secret git as envVars (user, TOKEN)",
        "secret git as file (password)",
    ]
    assert plan.as_json()["environment"] == told
    assert [line for line in plan.as_text().splitlines() if line.startswith("  given")] == [
        f"  given  {each}" for each in told
    ]
    assert "north" not in json.dumps(plan.as_json())
    assert "north" not in repr(plan)


def test_a_cluster_is_said_not_to_see_it(sail_handed):
    sail_handed.write("dataos.yaml", "engines: {connect: {url: 'sc://localhost:1'}}\n")
    sail_handed.engine = "connect"
    notes = sail_handed.plan(JOB, beside={"envs": {"REGION": "north"}}).notes
    assert "the processes of the cluster do not see what the job hands over: variables REGION" in notes


def test_a_key_that_is_nowhere_is_told_where_it_is_asked_for(sail_handed):
    error = sail_handed.error_of(JOB, beside={"dataosSecrets": [{"name": "git", "key": "tokn"}]})
    assert isinstance(error, SecretNotFound)
    assert "has no key 'tokn'" in error.message
    line = (sail_handed.folder / "job.yaml").read_text().splitlines()[error.location.line - 1]
    assert "name: git" in line


def test_a_name_that_no_process_can_have_is_refused(sail_handed):
    error = sail_handed.error_of(JOB, beside={"envs": {"a=b": "c"}})
    assert isinstance(error, SecretBackendError)
    assert error.location.line == 8
    assert "'a=b' cannot be a variable" in error.message


def test_a_module_that_reads_variables_as_it_is_imported_is_told_to_read_them_later(sail_handed):
    sail_handed.write("reading.py", "import os\nREGION = os.environ['REGION_OF_THE_JOB']\n")
    error = sail_handed.error_of(JOB, beside={"envs": {"REGION_OF_THE_JOB": "north"}})
    assert isinstance(error, StepError)
    assert (
        error.hint
        == "`envs` and secrets of the job are there when the function is called: read os.environ inside of it"
    )


def test_functions_of_a_python_program_see_what_its_session_is_given(tmp_path):
    (tmp_path / "secret.yaml").write_text(SECRET)
    module = tmp_path / "reading.py"
    module.write_text(MODULE)
    given = {"envs": {"REGION": "north"}, "secrets": ["git", {"name": "git", "consumptionType": "propFile"}]}
    with flare.session(tmp_path, **given) as engine:
        namespace = {}
        exec(compile(module.read_text(), "program", "exec"), namespace)
        engine.spark.udf.register("variable", namespace["variable"])
        engine.spark.udf.register("secret_file", namespace["secret_file"])
        [row] = engine.spark.sql(
            "SELECT variable('REGION'), variable('TOKEN'), secret_file('git.properties')"
        ).collect()
    assert tuple(row) == ("north", TOKEN, f"user=ann\nTOKEN={TOKEN}\npassword=rose 1845\n")


def test_a_secret_in_the_words_of_a_function_that_fails_is_masked(sail_handed):
    sail_handed.write("reading.py", "import os\n\n\ndef variable(name):\n    raise ValueError(os.environ['TOKEN'])\n")
    job = JOB.replace('  secret_file: {python: "reading:secret_file", returns: string}\n', "")
    job = job.replace(", secret_file('git_password') AS file", "")
    error = sail_handed.error_of(job, beside={"dataosSecrets": [{"name": "git", "key": "TOKEN"}]})
    assert isinstance(error, StepError)
    assert "ValueError" in error.message
    assert TOKEN not in str(error)
    [run] = sail_handed.state.job_runs.history(1)
    assert TOKEN not in run.error

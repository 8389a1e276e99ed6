"""A secret that a project holds in every place it may stand in comes out of none: no output, no stored file, no repr."""

from __future__ import annotations

import base64
import os
import pickle
import subprocess
import sys

import pytest

from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings

VALUE = "tulip-mania-1637"
FORMS = (VALUE, base64.b64encode(VALUE.encode()).decode())

FILES = {
    "dataos.yaml": f"engines: {{connect: {{token: {VALUE}}}}}\n",
    "secret.yaml": (
        "name: ferrydb-r\nversion: v1\ntype: instance-secret\n"
        f"instance-secret:\n  type: key-value-properties\n  acl: r\n  data:\n    username: svc\n    password: {VALUE}\n"
    ),
    "old-depot.yaml": (
        "name: olddb\nversion: v1\ntype: depot\n"
        "depot:\n  type: POSTGRESQL\n  connectionSecret:\n    - acl: r\n      type: key-value-properties\n"
        f"      data: {{username: svc, password: {VALUE}}}\n"
        "  spec: {host: 127.0.0.1, port: 1, database: ferry}\n"
    ),
    # Wrong in every way that would make a checker show what stands there.
    "wrong-value.yaml": (
        "name: wrong\nversion: v1\ntype: instance-secret\n"
        f"instance-secret:\n  type: key-values\n  acl: w\n  dat: {{password: {VALUE}}}\n  data: [{VALUE}]\n"
    ),
    "broken.yaml": (
        "name: broken\nversion: v1\ntype: secret\n"
        f"secret:\n  type: key-value\n  data:\n    password: {VALUE}\n   indent: {VALUE}\n"
    ),
    "twice.yaml": (
        "name: twice\nversion: v1\ntype: secret\n"
        f"secret:\n  type: key-value\n  acl: r\n  data:\n    password: {VALUE}\n    password: {VALUE}\n"
    ),
}


@pytest.fixture
def project(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def leaks(text: str) -> list[str]:
    return [line for line in text.splitlines() if any(form in line for form in FORMS)]


def stored(folder) -> str:
    files = [file for file in folder.rglob("*") if file.is_file() and file.name not in FILES]
    return "\n".join(f"{file}: {line}" for file in files for line in file.read_text(errors="replace").splitlines())


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["check", "--json"],
        ["secret", "list", "--project"],
        ["secret", "list", "--json", "--project"],
        ["history"],
    ],
    ids=" ".join,
)
def test_no_command_prints_or_stores_a_value(project, command):
    done = subprocess.run(
        [sys.executable, "-m", "dataos_dagster", *command, str(project)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout
    assert leaks(done.stdout + done.stderr) == []
    assert leaks(stored(project)) == []


def test_a_server_that_refuses_a_password_does_not_make_us_show_it(tmp_path, postgresql):
    (tmp_path / "depot.yaml").write_text(
        "name: ferrydb\nversion: v2alpha\ntype: depot\n"
        f"depot:\n  type: postgresql\n  postgresql: {{host: 127.0.0.1, port: {postgresql.port}, database: postgres}}\n"
        "  secrets:\n    - {name: ferrydb-r, allKeys: true}\n"
    )
    secret = {
        "DATAOS_SECRET__FERRYDB_R__USERNAME": postgresql.user,
        "DATAOS_SECRET__FERRYDB_R__PASSWORD": postgresql.password,
    }

    def check(**variables: str):
        command = [sys.executable, "-m", "dataos_dagster", "depot", "check", "ferrydb", "--json", "--project", tmp_path]
        environment = {**os.environ, **secret, **variables}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    accepted, refused = check(), check(DATAOS_SECRET__FERRYDB_R__PASSWORD=VALUE)
    assert (accepted.returncode, refused.returncode) == (0, 1), accepted.stdout + accepted.stderr
    assert "password" in refused.stdout
    assert leaks(refused.stdout + refused.stderr) == []
    assert postgresql.password not in accepted.stdout + accepted.stderr
    assert leaks(stored(tmp_path)) == []


def test_a_loaded_project_shows_and_caches_no_value(project):
    settings = load_settings(project)
    loaded = load_project(project, settings=settings, environment={})
    assert {"ferrydb-r", "olddb"} <= {resource.name for resource in loaded.resources}
    shown = [repr(settings), repr(loaded), *map(repr, loaded.diagnostics)]
    shown += [repr(resource.section) for resource in loaded.resources]
    assert [leak for text in shown for leak in leaks(text)] == []
    assert leaks(stored(project)) == []


def test_what_a_diagnostic_carries_can_be_kept(project):
    found = load_project(project, environment={}).diagnostics
    assert len(found) >= 3
    assert VALUE.encode() not in pickle.dumps(found)

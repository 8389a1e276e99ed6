"""`dataos secret`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from dataos_dagster.cli.secret import app
from dataos_dagster.secrets.store import encrypted_backend
from dataos_dagster.settings import Settings

VALUE = "tulip-mania-1637"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path_factory):
    for name in list(os.environ):
        if name.startswith("DATAOS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture
def secret(tmp_path):
    """Return a function that calls the command in an empty project."""

    def call(*arguments: str, given: str = ""):
        return CliRunner().invoke(app, [*arguments, "--project", str(tmp_path)], input=given)

    return call


def kept(folder) -> dict[str, dict[str, str]]:
    store = encrypted_backend(Settings(project=folder))
    return {
        found.name: {key: value.get_secret_value() for key, value in found.values.items()} for found in store.secrets()
    }


def test_one_value_is_read_from_standard_input(secret, tmp_path):
    result = secret("set", "ferrydb-rw", "password", given=f"{VALUE}\n")
    assert result.stdout == f"ferrydb-rw: password set in {tmp_path}/.dataos/secrets.enc\n"
    assert kept(tmp_path) == {"ferrydb-rw": {"password": VALUE}}
    assert (tmp_path / ".dataos" / ".gitignore").exists()


def test_a_value_of_several_lines_is_kept_as_it_is(secret, tmp_path):
    secret("set", "lake-r", "json_keyfile", given='{\n  "a": "b=c"\n}\n')
    assert kept(tmp_path) == {"lake-r": {"json_keyfile": '{\n  "a": "b=c"\n}'}}


def test_pairs_are_read_from_standard_input(secret, tmp_path):
    secret("set", "ferrydb-rw", given=f"username=svc\npassword={VALUE}\n")
    secret("set", "chosen", "a", "b", given="a=1\nb=2\nc=3\n")
    assert kept(tmp_path) == {"ferrydb-rw": {"username": "svc", "password": VALUE}, "chosen": {"a": "1", "b": "2"}}


def test_values_are_asked_for_without_being_shown(tmp_path):
    script = (
        f"from dataos_dagster.cli.secret import app; app(['set', 'a-rw', 'password', '--project', {str(tmp_path)!r}])"
    )
    master, terminal = pty.openpty()
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    shown = b""
    while b"password: " not in shown:  # the space comes once the terminal shows nothing more
        shown += os.read(master, 1000)
    os.write(master, f"{VALUE}\n".encode())
    assert process.wait(30) == 0
    while True:
        try:
            shown += os.read(master, 1000)
        except OSError:  # the other end is closed
            break
    os.close(master)
    assert VALUE.encode() not in shown
    assert b"a-rw: password set" in shown
    assert kept(tmp_path) == {"a-rw": {"password": VALUE}}


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        (("set", "x", f"password={VALUE}"), "", "values do not stand on the command line"),
        (("set", f"x={VALUE}"), "", "values do not stand on the command line"),
        (("set", "../x", "a"), "1", "'../x' is not a name"),
        (("set", "x", "a b"), "1", "'a b' is not a name"),
        (("set", "x", "a"), "", "no value for 'a' on standard input"),
        (("set", "x"), "no pairs", "standard input holds no key=value lines"),
        (("set", "x", "a", "b"), "a=1", "no value for b on standard input"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_is_kept(secret, tmp_path, arguments, given, message):
    result = secret(*arguments, given=given)
    assert result.exit_code == 1
    assert message in result.stderr
    assert VALUE not in result.output
    assert not (tmp_path / ".dataos" / "secrets.enc").exists()


def test_the_list_shows_names_and_keys_of_all_places_and_no_values(secret, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAOS_SECRET__GIT__TOKEN", VALUE)
    (tmp_path / "s.yaml").write_text(
        "name: api\nversion: v1\ntype: instance-secret\n"
        f"instance-secret:\n  type: key-value\n  acl: r\n  data: {{apikey: {VALUE}}}\n"
    )
    secret("set", "ferrydb-rw", "password", given=VALUE)
    listed = secret("list", "--json")
    assert json.loads(listed.stdout) == {
        "secrets": [
            {"name": "api", "acl": "r", "keys": ["apikey"], "place": "s.yaml (instance-secret)"},
            {"name": "GIT", "acl": "r", "keys": ["TOKEN"], "place": "environment"},
            {"name": "ferrydb-rw", "acl": "rw", "keys": ["password"], "place": f"{tmp_path}/.dataos/secrets.enc"},
        ]
    }
    plain = secret("list")
    assert plain.stdout.splitlines()[0] == "api  r  apikey  s.yaml (instance-secret)"
    assert VALUE not in listed.output + plain.output


def test_an_empty_list_says_so(secret):
    assert secret("list").stdout == "no secrets are known\n"


def test_a_key_or_a_whole_secret_is_removed(secret, tmp_path):
    secret("set", "x", given="a=1\nb=2\n")
    assert secret("remove", "x", "a").stdout == f"x: a removed from {tmp_path}/.dataos/secrets.enc\n"
    assert kept(tmp_path) == {"x": {"b": "2"}}
    assert secret("remove", "x").stdout == f"x: all keys removed from {tmp_path}/.dataos/secrets.enc\n"
    assert kept(tmp_path) == {}


def test_a_secret_that_others_depend_on_is_kept_unless_forced(secret, tmp_path):
    (tmp_path / "depot.yaml").write_text(
        "name: ferrydb\nversion: v2alpha\ntype: depot\n"
        "depot:\n  type: postgresql\n  postgresql: {host: db, port: 5432, database: ferry}\n"
        "  secrets:\n    - {name: ferrydb-rw, allKeys: true}\n"
    )
    secret("set", "ferrydb-rw", "password", given=VALUE)
    refused = secret("remove", "ferrydb-rw")
    assert refused.exit_code == 1
    assert "cannot remove secret 'ferrydb-rw', it is a dependency of depot:v2alpha:ferrydb" in refused.stderr
    assert kept(tmp_path)
    assert secret("remove", "ferrydb-rw", "--force").exit_code == 0
    assert kept(tmp_path) == {}


def test_rotating_the_key_keeps_the_secrets(secret, tmp_path):
    secret("set", "x", given="a=1\n")
    before = (tmp_path / ".dataos" / "secrets.enc").read_text()
    assert "is now encrypted with key" in secret("rotate-key").stdout
    assert (tmp_path / ".dataos" / "secrets.enc").read_text() != before
    assert kept(tmp_path) == {"x": {"a": "1"}}


def test_rotating_without_a_store_is_an_error(secret):
    result = secret("rotate-key")
    assert (result.exit_code, "there is no encrypted store" in result.stderr) == (1, True)

"""The command tree: help, version, misspelt words, and folders that are no project."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from manifest_builder import flare, workflow, write_project
from typer.testing import CliRunner

from dataos_dagster.cli.application import COMMANDS, application


def call(*arguments: object):
    return CliRunner(env={"COLUMNS": "100"}).invoke(application, [str(argument) for argument in arguments])


def test_the_version_is_that_of_the_package():
    result = call("--version")
    assert (result.exit_code, result.stdout) == (0, f"dataos-dagster {version('dataos-dagster')}\n")


def test_help_lists_every_command_and_no_completion():
    told = call("--help").stdout
    assert [command for command in COMMANDS if command not in told] == []
    assert "completion" not in told
    assert "complete -o" in call("--show-completion", "bash").stdout


@pytest.mark.parametrize(
    ("word", "advice"), [("rnu", "did you mean 'run'?"), ("zzz", "commands: check,")], ids=["close", "far"]
)
def test_a_misspelt_command_is_answered_with_one_that_is_close(word, advice):
    result = call(word)
    assert result.exit_code == 2
    assert f"there is no command '{word}'; {advice}" in result.stderr


@pytest.mark.parametrize("arguments", [("run",), ("run", "--plan"), ("history",), ("check",)], ids=" ".join)
def test_a_folder_without_manifests_stays_as_it_is(tmp_path, arguments):
    result = call(*arguments, tmp_path)
    if "run" in arguments:
        assert result.exit_code == 2
        assert f"no manifests found in {tmp_path}" in result.stderr
        assert "dataos init --here" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("named", "status"), [("broken.yaml", 1), ("fine.yaml", 0), ("", 1)])
def test_errors_of_manifests_fail_a_command_that_was_given_them(tmp_path, named, status):
    write_project(tmp_path, {"fine.yaml": workflow("fine", flare("load", writes="t")), "broken.yaml": "name: [1\n"})
    assert call("run", "--plan", tmp_path / named).exit_code == status

"""The examples of docs/manifests.md are what the commands print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataos_dagster.cli.application import application

PAGE = Path(__file__).parents[2] / "docs/manifests.md"
EXAMPLES = dict(re.findall(r"<!-- example: (.+?) -->\n```\w*\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "dataos.yaml").touch()
    (tmp_path / "orders.yaml").write_text(EXAMPLES["orders.yaml"])
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", [name for name in EXAMPLES if name.startswith("dataos ")])
def test_an_example_is_what_its_command_prints(project, command):
    printed = CliRunner().invoke(application, command.split()[1:]).output
    if "--json" in command:
        assert json.loads(printed) == json.loads(EXAMPLES[command])
    else:
        assert printed == EXAMPLES[command]

"""`dataos init` and `dataos workspace sync`."""

from __future__ import annotations

import dagster as dg
import pytest
from manifest_builder import flare, workflow, write_project
from typer.testing import CliRunner

from dataos_dagster import load_definitions, load_project, load_settings
from dataos_dagster.cli.init import app as init_app
from dataos_dagster.cli.workspace import app as workspace_app


def call(app, *arguments: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def diagnostics(folder):
    return load_project(folder, settings=load_settings(folder)).diagnostics


def test_a_new_project_has_no_problems_and_loads_in_dagster(here):
    created = call(init_app, "My Shop-2")
    assert created.exit_code == 0
    assert "\n  cd 'My Shop-2'\n" in created.stdout
    folder = here / "My Shop-2"
    assert diagnostics(folder) == ()
    definitions = load_definitions(folder)
    dg.Definitions.validate_loadable(definitions)
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().executable_asset_keys}
    assert keys == {"lakehouse/my_shop_2/orders", "lakehouse/my_shop_2/spend_by_customer"}
    assert (folder / ".dataos" / ".gitignore").exists()
    [schedule] = definitions.schedules
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_a_project_for_files_of_the_user_has_a_job_for_each(here):
    files = here / "exports"
    files.mkdir()
    (files / "Order Lines.csv").write_text("a\n1\n")
    (files / "shops.json").write_text('{"a": 1}\n')
    (files / "notes.txt").write_text("nothing\n")
    assert call(init_app, "shop", "--data", "exports").exit_code == 0
    assert diagnostics(here / "shop") == ()
    definitions = load_definitions(here / "shop")
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().executable_asset_keys}
    assert keys == {"lakehouse/shop/order_lines", "lakehouse/shop/shops"}
    assert not (here / "shop" / "data").exists()


def test_here_adds_what_is_missing_to_manifests_that_are_there(here):
    write_project(here, {"wf.yaml": workflow("wf", flare("load", writes="t")), "dataos.yaml": "identity: mira\n"})
    result = call(init_app, "--here")
    assert result.exit_code == 0
    assert sorted(file.name for file in here.iterdir() if not file.name.startswith(".")) == [
        "dagster.yaml",
        "dataos.yaml",
        "definitions.py",
        "wf.yaml",
        "workspace.yaml",
    ]
    assert (here / "dataos.yaml").read_text() == "identity: mira\n"
    assert "everything is there already" in call(init_app, "--here").stdout


@pytest.mark.parametrize("arguments", [(), ("shop", "--here"), ("shop", "--data", "nowhere"), ("full",)])
def test_wrong_use_ends_with_2_and_writes_nothing(here, arguments):
    (here / "full").mkdir()
    (here / "full" / "file").touch()
    assert call(init_app, *arguments).exit_code == 2
    assert not (here / "shop").exists()


def test_sync_says_what_it_did_and_check_what_it_would(here):
    write_project(here, {"wf.yaml": workflow("wf", flare("load", writes="t"))})
    would = call(workspace_app, "sync", "--check")
    assert (would.exit_code, would.stdout.splitlines()[0]) == (1, "would be created: definitions.py")
    assert not (here / "definitions.py").exists()
    assert call(workspace_app, "sync").exit_code == 0
    done = call(workspace_app, "sync", "--check")
    assert (done.exit_code, done.stdout) == (0, "up to date\n")


def test_sync_of_a_folder_that_is_not_there_is_wrong_use(here):
    assert call(workspace_app, "sync", "nowhere").exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"load_from: 3\n", "workspace.yaml has no list `load_from`"),
        (b"load_from: [\n", "workspace.yaml is not YAML: "),
        (b"\xff\x00", "workspace.yaml is not UTF-8 text"),
        (None, "workspace.yaml cannot be read: Is a directory"),
    ],
)
def test_sync_tells_what_keeps_it_from_working(here, content, message):
    file = here / "workspace.yaml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    result = call(workspace_app, "sync")
    assert result.exit_code == 2
    assert message in result.stderr


def test_wrong_settings_are_told_by_sync_as_by_other_commands(here):
    (here / "dataos.yaml").write_text("schedule: stopped\n")
    result = call(workspace_app, "sync")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: dataos.yaml:1:1: unknown setting 'schedule': did you mean 'schedules'?")


def test_a_project_is_not_made_in_the_place_of_a_file(here):
    (here / "shop").write_text("mine")
    result = call(init_app, "shop")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: shop is a file\n  hint: a project is a folder: give another NAME\n",
    )
    below = call(init_app, "shop/inner")
    assert below.exit_code == 2
    assert "dataos.yaml cannot be written: not a directory" in below.stderr

"""Dagster's files of a project: what is written, kept, and removed."""

from __future__ import annotations

import importlib.util
import sys

import dagster as dg
import pytest
import yaml
from manifest_builder import flare, workflow, write_project

from dataos_dagster.bundles.workspace import apply_changes, plan_workspace
from dataos_dagster.errors import SettingsError

SHOP = {
    "a.yaml": workflow("a", flare("load", writes="a")),
    "b.yaml": workflow("b", flare("load", reads="a", writes="b")),
}
BUNDLE = {
    "name": "sales",
    "version": "v1beta",
    "type": "bundle",
    "bundle": {"resources": [{"id": "b", "workspace": "public", "file": "b.yaml"}]},
}
ISOLATED = "bundles: {sales: {isolation: process}}"


def sync(folder):
    """Bring the files up to date and return what was done, by path."""
    changes = plan_workspace(folder)
    apply_changes(changes)
    return {change.file.relative_to(folder).as_posix(): change.action for change in changes}


def entries(folder):
    return [entry["python_file"] for entry in yaml.safe_load((folder / "workspace.yaml").read_text())["load_from"]]


def location(file) -> dg.Definitions:
    """Return the definitions of a code location's Python file."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.defs


def executable(definitions) -> set[str]:
    return {key.path[-1] for key in definitions.resolve_asset_graph().executable_asset_keys}


def test_a_project_gets_one_location_and_an_instance(tmp_path):
    folder = write_project(tmp_path / "shop", SHOP)
    assert sync(folder) == {"definitions.py": "create", "workspace.yaml": "create", "dagster.yaml": "create"}
    assert entries(folder) == [{"relative_path": "definitions.py", "location_name": "shop"}]
    assert executable(location(folder / "definitions.py")) == {"a", "b"}
    assert yaml.safe_load((folder / "dagster.yaml").read_text())["storage"]["sqlite"]["base_dir"] == ".dataos/dagster"


def test_a_second_time_changes_nothing(tmp_path):
    folder = write_project(tmp_path / "shop", SHOP | {"bundle.yaml": BUNDLE, "dataos.yaml": ISOLATED})
    sync(folder)
    assert sync(folder) == {}


def test_bundles_share_a_location_unless_the_settings_isolate_one(tmp_path):
    folder = write_project(tmp_path / "shop", SHOP | {"bundle.yaml": BUNDLE})
    sync(folder)
    assert len(entries(folder)) == 1
    write_project(folder, {"dataos.yaml": ISOLATED})
    assert sync(folder) == {"definitions_sales.py": "create", "workspace.yaml": "update"}
    shared, own = (location(folder / entry["relative_path"]) for entry in entries(folder))
    assert (executable(shared), executable(own)) == ({"a"}, {"b"})
    # The other location's table is still there to depend on.
    parents = own.resolve_asset_graph().get(dg.AssetKey(["lakehouse", "shop", "b"])).parent_keys
    assert parents == {dg.AssetKey(["lakehouse", "shop", "a"])}


def test_a_location_that_is_no_longer_wanted_goes(tmp_path):
    folder = write_project(tmp_path / "shop", SHOP | {"bundle.yaml": BUNDLE, "dataos.yaml": ISOLATED})
    sync(folder)
    write_project(folder, {"dataos.yaml": "{}"})
    assert sync(folder) == {"definitions_sales.py": "remove", "workspace.yaml": "update"}
    assert len(entries(folder)) == 1


def test_files_and_entries_of_the_user_stay(tmp_path):
    folder = write_project(tmp_path / "shop", SHOP)
    (folder / "definitions.py").write_text("# mine\n")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: true}\n")
    mine = {"python_module": {"module_name": "mine"}}
    (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [mine]}))
    assert sync(folder) == {"workspace.yaml": "update"}
    assert (folder / "definitions.py").read_text() == "# mine\n"
    assert yaml.safe_load((folder / "workspace.yaml").read_text())["load_from"][1] == mine
    assert sync(folder) == {}


@pytest.mark.parametrize("text", ["load_from: 3\n", "[\n", "- a\n"])
def test_a_workspace_that_cannot_be_read_is_told_and_left_alone(tmp_path, text):
    folder = write_project(tmp_path / "shop", SHOP)
    (folder / "workspace.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"workspace\.yaml"):
        plan_workspace(folder)


def test_a_collection_has_one_location_for_each_project_in_it(tmp_path):
    write_project(tmp_path / "definitions" / "flights", {"wf.yaml": workflow("wf", flare("load", writes="flights"))})
    write_project(tmp_path / "definitions" / "trains", {"wf.yaml": workflow("wf", flare("load", writes="trains"))})
    (tmp_path / "definitions" / "__pycache__").mkdir()
    sync(tmp_path)
    assert [entry["relative_path"] for entry in entries(tmp_path)] == [
        "definitions/flights.py",
        "definitions/trains.py",
    ]
    assert executable(location(tmp_path / "definitions" / "trains.py")) == {"trains"}
    code = (tmp_path / "definitions" / "trains.py").read_text().splitlines()
    assert sum(bool(line) and not line.startswith("#") for line in code) == 3


def test_code_of_a_location_needs_nothing_but_this_package(tmp_path):
    folder = write_project(tmp_path / "shop", SHOP)
    sync(folder)
    before = set(sys.path)
    location(folder / "definitions.py")
    assert set(sys.path) == before

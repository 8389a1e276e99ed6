"""The component of `dg` projects, loaded and scaffolded as `dg` does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.testing import create_defs_folder_sandbox
from manifest_builder import file_depot, flare, workflow, write_project

from dataos_dagster import DataOSBundleComponent
from dataos_dagster.bundles.component import component_label, nearest_folder
from dataos_dagster.errors import SettingsError

# Dagster's own handling of components calls pydantic's older names, and its own code references.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:.*CodeReference.*is currently in beta"),
    pytest.mark.filterwarnings("ignore:Parameter `(owners|execution_type)` of"),
    pytest.mark.filterwarnings("ignore:Class `Spark.* is currently in preview"),
]

TABLE = dg.AssetKey(["lakehouse", "shop", "t"])
TYPE = "dataos_dagster.components.DataOSBundleComponent"


def component(path: str | Path, **attributes):
    return {"type": TYPE, "attributes": {"path": str(path)} | attributes}


def test_a_folder_of_manifests_becomes_definitions():
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(
            component_cls=DataOSBundleComponent, defs_yaml_contents=component("manifests")
        )
        write_project(folder / "manifests", {"wf.yaml": workflow("wf", flare("load", writes="t"))})
        with sandbox.load_component_and_build_defs(defs_path=folder) as (loaded, definitions):
            assert isinstance(loaded, DataOSBundleComponent)
            assert TABLE in definitions.resolve_asset_graph().executable_asset_keys
            # Without a dataos.yaml on the way, the dg project is the DataOS project.
            assert definitions.resources["depot__lakehouse"].project == str(sandbox.project_root.resolve())


def test_a_component_reads_the_nearest_settings():
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(component_cls=DataOSBundleComponent, defs_yaml_contents=component("own"))
        body = workflow("wf", flare("load", writes="t"), schedule={"cron": "0 1 * * *"})
        write_project(folder / "own", {"wf.yaml": body, "dataos.yaml": "schedules: stopped"})
        with sandbox.load_component_and_build_defs(defs_path=folder) as (_, definitions):
            [schedule] = definitions.get_repository_def().schedule_defs
            assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
            assert definitions.resources["depot__lakehouse"].project == str((folder / "own").resolve())


def test_defs_yaml_beside_the_manifests_is_not_taken_for_one():
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(component_cls=DataOSBundleComponent, defs_yaml_contents=component("."))
        write_project(folder, {"wf.yaml": workflow("wf", flare("load", writes="t"))})
        with sandbox.load_component_and_build_defs(defs_path=folder) as (_, definitions):
            assert not definitions.asset_checks


def test_components_of_one_location_share_a_lakehouse():
    with create_defs_folder_sandbox() as sandbox:
        for name in ("one", "two"):
            folder = sandbox.scaffold_component(
                component_cls=DataOSBundleComponent, defs_path=name, defs_yaml_contents=component("manifests")
            )
            files = {
                "wf.yaml": workflow(name, flare("load", reads="raw", writes=name)),
                "broken.yaml": "name: [1\n",
                "depot.yaml": file_depot(f"{name}files", "data"),
            }
            write_project(folder / "manifests", files)
        with sandbox.build_all_defs() as definitions:
            dg.Definitions.validate_loadable(definitions)
            graph = definitions.resolve_asset_graph()
            assert {dg.AssetKey(["lakehouse", "shop", name]) for name in ("one", "two")} <= graph.executable_asset_keys
            assert {"depot__lakehouse", "depot__onefiles", "depot__twofiles"} <= definitions.resources.keys()


def test_components_of_one_location_agree_on_who_owns_a_dataset():
    with create_defs_folder_sandbox() as sandbox:
        for name in ("one", "two"):
            folder = sandbox.scaffold_component(
                component_cls=DataOSBundleComponent, defs_path=name, defs_yaml_contents=component("manifests")
            )
            # Each reads from the depot that the other's starter declares, and both write one table.
            reads = {"one": "dataos://twofiles:none/b.csv", "two": "dataos://onefiles:none/a.csv"}[name]
            write_project(folder / "manifests", {"wf.yaml": workflow(name, flare("load", reads=reads, writes="t"))})
        with sandbox.build_all_defs() as definitions:
            dg.Definitions.validate_loadable(definitions)
            graph = definitions.resolve_asset_graph()
            assert {TABLE, dg.AssetKey(["public", "two", "load"])} <= graph.executable_asset_keys
            assert dg.AssetKey(["public", "one", "load"]) not in graph.executable_asset_keys
            assert graph.get(TABLE).metadata["dataos/job"] == "public/one/load"
            assert not definitions.asset_checks


def test_two_projects_in_one_location_are_refused_by_name():
    with create_defs_folder_sandbox() as sandbox:
        for name in ("one", "two"):
            folder = sandbox.scaffold_component(
                component_cls=DataOSBundleComponent, defs_path=name, defs_yaml_contents=component("manifests")
            )
            files = {"wf.yaml": workflow(name, flare("load", writes=name)), "dataos.yaml": "schedules: stopped"}
            write_project(folder / "manifests", files)
        with pytest.raises(ComponentTreeException) as raised, sandbox.build_all_defs():
            pass
    causes = list(iter_causes(raised.value))
    [refused] = [cause for cause in causes if isinstance(cause, SettingsError)]
    assert "belong to 2 DataOS projects: " in refused.message
    assert "/two/manifests/dataos.yaml" in refused.message
    assert "keep one dataos.yaml" in (refused.hint or "")


def iter_causes(error):
    while error is not None:
        yield error
        error = error.__cause__


def test_a_file_belongs_to_the_deepest_component_around_it(tmp_path):
    inner = tmp_path / "outer" / "inner"
    assert nearest_folder(inner / "wf.yaml", {tmp_path / "outer", inner}) == inner
    assert nearest_folder(tmp_path / "outer" / "wf.yaml", {tmp_path / "outer", inner}) == tmp_path / "outer"
    assert nearest_folder(tmp_path / "wf.yaml", {inner}) is None


def test_a_component_may_leave_the_executor_to_the_location():
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(
            component_cls=DataOSBundleComponent, defs_yaml_contents=component("manifests", in_process=False)
        )
        write_project(folder / "manifests", {"wf.yaml": workflow("wf", flare("load", writes="t"))})
        with sandbox.load_component_and_build_defs(defs_path=folder) as (_, definitions):
            assert definitions.executor is None


@pytest.mark.parametrize(
    ("folder", "label"),
    [("/p/src/defs/sales", "src__defs__sales"), ("/p", "project"), ("/elsewhere/x", "elsewhere__x")],
)
def test_a_label_tells_components_apart(folder, label):
    assert component_label(Path(folder), Path("/p")) == label


def run_dg(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("dg"), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def dg_project(tmp_path):
    """Return a `dg` project as `create-dagster` lays it out, importable by this Python."""
    package = tmp_path / "src" / "shop_project"
    (package / "defs").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "defs" / "__init__.py").touch()
    code = (
        "from pathlib import Path\nfrom dagster import definitions, load_from_defs_folder\n\n\n"
        "@definitions\ndef defs():\n    return load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
    )
    (package / "definitions.py").write_text(code)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop_project"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        '[tool.dg.project]\nroot_module = "shop_project"\n'
    )
    return tmp_path


def test_dg_scaffolds_a_component_that_loads(dg_project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(dg_project / "src"))
    run_dg("scaffold", "defs", TYPE, "orders", cwd=dg_project)
    folder = dg_project / "src" / "shop_project" / "defs" / "orders"
    assert yaml.safe_load((folder / "defs.yaml").read_text())["attributes"] == {"path": "manifests"}
    listed = run_dg("list", "defs", "--json", cwd=dg_project)
    assert "lakehouse/orders/spend_by_customer" in listed

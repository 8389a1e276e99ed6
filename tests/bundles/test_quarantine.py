"""Broken manifests in Dagster: a failing check each, and the rest works."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from manifest_builder import flare, workflow, write_project

from dataos_dagster import ManifestError, load_definitions
from dataos_dagster.bundles.quarantine import CHECK, manifest_key

BROKEN = "name: broken\nversion: v1\ntype: workflow\nworkflow:\n  dag:\n    - name: a\n\t  spec: {}\n"
FINE = workflow("fine", flare("load", writes="t"))
SENSOR = "dataos_manifests__{}__report"


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path / "shop", {"fine.yaml": FINE, "team/broken.yaml": BROKEN})


def specs(definitions):
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


def test_a_broken_file_is_an_asset_with_its_diagnostics_and_the_rest_loads(project):
    definitions = load_definitions(project)
    dg.Definitions.validate_loadable(definitions)
    shown = specs(definitions)
    assert dg.AssetKey(["lakehouse", "shop", "t"]) in shown
    broken = shown[dg.AssetKey(["dataos_manifests", "team", "broken.yaml"])]
    assert "team/broken.yaml:7:1" in broken.metadata["diagnostics"].value
    [reference] = broken.metadata["dagster/code_references"].code_references
    assert (reference.file_path, reference.line_number) == (str(project / "team/broken.yaml"), 7)


def test_what_is_shown_of_a_broken_file_begins_with_an_error(tmp_path):
    lost = workflow("lost", flare("load", writes="dataos://nowhere:shop/t", spec={"logLevel": "DEBUG"}), lable="x")
    [broken] = [
        spec
        for key, spec in specs(load_definitions(write_project(tmp_path / "shop", {"lost.yaml": lost}))).items()
        if key == manifest_key("lost.yaml")
    ]
    assert "unknown-depot" in broken.description
    assert "unknown-key" in broken.metadata["diagnostics"].value
    assert "no-effect" not in broken.metadata["diagnostics"].value


def test_a_project_without_errors_has_no_quarantine(tmp_path):
    definitions = load_definitions(write_project(tmp_path / "shop", {"fine.yaml": FINE}))
    assert [sensor.name for sensor in definitions.sensors] == ["dataos_runs__shop"]
    assert not definitions.asset_checks


def test_the_check_fails_until_the_file_is_mended(project):
    [checks] = load_definitions(project).asset_checks
    key = manifest_key("team/broken.yaml")

    def evaluate():
        with dg.DagsterInstance.ephemeral() as instance:
            ran = dg.materialize([checks], selection=dg.AssetSelection.checks_for_assets(key), instance=instance)
        [evaluation] = ran.get_asset_check_evaluations()
        return evaluation

    failed = evaluate()
    assert (failed.asset_key, failed.check_name, failed.passed) == (key, CHECK, False)
    assert "team/broken.yaml:7:1" in failed.metadata["first"].value
    (project / "team/broken.yaml").unlink()
    assert evaluate().passed


def test_the_sensor_reports_each_failure_once_for_each_content(project):
    def evaluate(cursor):
        sensor = load_definitions(project).get_repository_def().get_sensor_def(SENSOR.format("shop"))
        return sensor.evaluate_tick(dg.build_sensor_context(cursor=cursor))

    first = evaluate(None)
    [event] = first.asset_events
    assert (event.asset_key, event.check_name, event.passed) == (manifest_key("team/broken.yaml"), CHECK, False)
    again = evaluate(first.cursor)
    assert again.asset_events == []
    assert again.skip_message == "everything that is broken is reported"
    (project / "team/broken.yaml").write_text("name: [1\n")
    assert len(evaluate(first.cursor).asset_events) == 1


def test_the_sensor_runs_from_the_start(project):
    sensors = load_definitions(project).sensors
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.RUNNING}


def test_the_cursor_forgets_files_that_are_mended(project):
    sensor = load_definitions(project).get_repository_def().get_sensor_def(SENSOR.format("shop"))
    cursor = sensor.evaluate_tick(dg.build_sensor_context(cursor='{"gone": "1"}')).cursor
    assert list(json.loads(cursor)) == ["dataos_manifests/team/broken.yaml"]


@pytest.mark.parametrize("how", ["argument", "settings"])
def test_fail_refuses_to_load_with_all_diagnostics(project, how):
    (project / "other.yaml").write_text("name: other\nversion: v1\ntype: workflow\n")
    if how == "settings":
        (project / "dataos.yaml").write_text("on_error: fail\n")
    with pytest.raises(ManifestError) as caught:
        load_definitions(project, on_error="fail" if how == "argument" else None)
    assert {diagnostic.file for diagnostic in caught.value.diagnostics} == {"team/broken.yaml", "other.yaml"}
    assert "team/broken.yaml:7:1" in str(caught.value)
    assert "other.yaml:3:7" in str(caught.value)


def test_a_broken_document_leaves_the_others_of_its_file(tmp_path):
    incomplete = {"name": "half", "version": "v1", "type": "workflow", "workflow": {"dag": []}}
    definitions = load_definitions(write_project(tmp_path, {"both.yaml": [incomplete, FINE]}))
    shown = specs(definitions)
    assert {dg.AssetKey(["lakehouse", "shop", "t"]), manifest_key("both.yaml")} <= shown.keys()


def lost(**known):
    """Return a workflow whose one job reads from a depot that is not there."""
    return workflow("wf", flare("load", reads="dataos://nowhere:a/b", writes="t", **known))


def test_a_job_that_cannot_run_has_a_failing_check_of_its_own(tmp_path):
    definitions = load_definitions(write_project(tmp_path / "shop", {"wf.yaml": lost()}))
    key = dg.AssetKey(["lakehouse", "shop", "t"])
    repository = definitions.get_repository_def()
    assert dg.AssetCheckKey(key, CHECK) in repository.asset_graph.asset_check_keys
    result = repository.get_sensor_def(SENSOR.format("shop")).evaluate_tick(dg.build_sensor_context())
    [reported] = [event for event in result.asset_events if event.asset_key == key]
    assert (reported.check_name, reported.passed) == (CHECK, False)
    assert "there is no depot" in reported.metadata["first"].value


def test_a_job_that_cannot_run_fails_with_the_place_and_no_stack_trace(tmp_path):
    job = load_definitions(write_project(tmp_path, {"wf.yaml": lost()})).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    [failed] = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    [_, told] = failed.error.message.splitlines()  # the problem with its hint, which is told once
    assert told.startswith("wf.yaml:14:22: error unknown-depot: there is no depot")
    assert told.endswith(")")
    assert (failed.error.stack, failed.error.cause) == ([], None)
    [evaluation] = [each for each in result.get_asset_check_evaluations() if each.asset_key.path[0] == "lakehouse"]
    assert not evaluation.passed
    assert "wf.yaml:14:22" in evaluation.metadata["diagnostics"].value


def test_an_isolated_bundle_reports_its_own_jobs_and_no_files(tmp_path):
    bundle = {"name": "own", "version": "v1beta", "type": "bundle"}
    files = {
        "wf.yaml": lost(),
        "bundle.yaml": bundle | {"bundle": {"resources": [{"id": "wf", "file": "wf.yaml"}]}},
        "broken.yaml": "name: [1\n",
        "dataos.yaml": "bundles: {own: {isolation: process}}",
    }
    definitions = load_definitions(write_project(tmp_path / "shop", files), bundle="own")
    assert not definitions.asset_checks
    sensor = definitions.get_repository_def().get_sensor_def(SENSOR.format("shop__own"))
    [event] = sensor.evaluate_tick(dg.build_sensor_context()).asset_events
    assert event.asset_key == dg.AssetKey(["lakehouse", "shop", "t"])

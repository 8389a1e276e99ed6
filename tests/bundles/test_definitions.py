"""What a code location holds: the jobs that are its own, and the datasets of others as they are seen from there."""

from __future__ import annotations

import gc

import dagster as dg
import pytest
from manifest_builder import flare, workflow, write_project

from dataos_dagster import ManifestError, load_definitions

OWN = {
    "name": "own",
    "version": "v1beta",
    "type": "bundle",
    "bundle": {"resources": [{"id": "report", "file": "report.yaml"}]},
}
MANIFESTS = {
    "load.yaml": workflow("load", flare("a", writes="t")),
    "report.yaml": workflow("report", flare("r", reads="t", writes=["t", "u"])),
    "own.yaml": OWN,
}


def keys_of(folder, bundle=None):
    graph = load_definitions(folder, bundle=bundle).resolve_asset_graph()
    return (
        {key.to_user_string() for key in graph.executable_asset_keys},
        {key.to_user_string() for key in graph.external_asset_keys},
    )


def test_locations_agree_on_who_owns_a_dataset_and_see_those_of_others(tmp_path):
    settings = "bundles: {own: {isolation: process}}\n"
    folder = write_project(tmp_path / "shop", MANIFESTS | {"dataos.yaml": settings})
    assert keys_of(folder) == ({"lakehouse/shop/t"}, {"lakehouse/shop/source"})
    assert keys_of(folder, bundle="own") == ({"lakehouse/shop/u"}, {"lakehouse/shop/t"})


def test_a_bundle_without_a_process_of_its_own_shares_the_location(tmp_path):
    made, external = keys_of(write_project(tmp_path / "shop", MANIFESTS))
    assert made == {"lakehouse/shop/t", "lakehouse/shop/u"}
    assert external == {"lakehouse/shop/source"}


def test_a_location_loads_however_long_its_chain_of_jobs_is(tmp_path):
    dag = [flare(f"j{n}", reads=f"t{n}", writes=f"t{n + 1}") for n in range(1200)]
    definitions = load_definitions(write_project(tmp_path / "shop", {"wf.yaml": workflow("wf", *dag)}))
    dg.Definitions.validate_loadable(definitions)
    assert len(definitions.resolve_asset_graph().executable_asset_keys) == 1200


def test_a_load_leaves_the_garbage_collector_as_it_was(tmp_path):
    folder = write_project(tmp_path / "shop", MANIFESTS)
    for switch in (gc.enable, gc.disable):
        switch()
        was = gc.isenabled()
        load_definitions(folder)
        assert gc.isenabled() == was
    gc.enable()
    write_project(folder, {"broken.yaml": "name: [1\n", "dataos.yaml": "on_error: fail\n"})
    with pytest.raises(ManifestError):
        load_definitions(folder)
    assert gc.isenabled()

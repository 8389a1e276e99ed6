"""Names in `dataos.yaml`: of jobs, depots and bundles that are there, or a warning at the name."""

from __future__ import annotations

import json

import pytest
from manifest_builder import file_depot, flare, workflow, write_project
from typer.testing import CliRunner

from dataos_dagster.cli.application import application

MANIFESTS = {
    "wf.yaml": workflow("wf-orders", flare("daily", writes="t")),
    "shop.yaml": file_depot("shopfiles", "data"),
    "bundle.yaml": {
        "name": "everything",
        "version": "v1beta",
        "type": "bundle",
        "bundle": {"resources": [{"id": "wf", "file": "wf.yaml"}]},
    },
}
RANGES = "{cadence: daily, start: 2024-01-01, startKey: a, endKey: b}"


def told(folder, *paths, **variables):
    found = CliRunner().invoke(application, ["check", *map(str, paths or (folder,)), "--json"], env=variables)
    return [
        (one["line"], one["column"], one["message"], one["hint"])
        for one in json.loads(found.stdout)["diagnostics"]
        if one["code"] == "unknown-name-in-settings"
    ]


@pytest.mark.parametrize(
    ("settings", "column", "what", "name", "hint"),
    [
        (
            "engines:\n  jobs: {wf-orders/dayly: spark}\n",
            10,
            "job",
            "wf-orders/dayly",
            "did you mean `wf-orders/daily`?",
        ),
        ("run:\n  seconds_of: {daily: 3}\n", 16, "job", "daily", "jobs: wf-orders/daily"),
        (f"incremental:\n  wf-order/daily: {RANGES}\n", 3, "job", "wf-order/daily", "did you mean `wf-orders/daily`?"),
        ("depots:\n  shopfile: {pool: p}\n", 3, "depot", "shopfile", "did you mean `shopfiles`?"),
        ("bundles:\n  x: {isolation: process}\n", 3, "bundle", "x", "bundles: everything"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_at_its_place(tmp_path, settings, column, what, name, hint):
    write_project(tmp_path, MANIFESTS | {"dataos.yaml": settings})
    message = f"there is no {what} `{name}`: what is set for it has no effect"
    assert told(tmp_path) == [(2, column, message, hint)]


def test_names_of_what_is_there_say_nothing_in_each_spelling_that_counts(tmp_path):
    settings = (
        "engines: {jobs: {wf-orders/daily: spark, public/wf-orders/daily: sail}}\n"
        "depots: {ICEBASE: {pool: a}, shopfiles: {pool: b}, sales: {pool: c}}\n"
        "catalogs: {sales: {uri: http://catalog}}\nbundles: {everything: {isolation: process}}\n"
    )
    write_project(tmp_path, MANIFESTS | {"dataos.yaml": settings})
    assert told(tmp_path) == []


def test_a_name_in_a_variable_is_told_at_the_file(tmp_path):
    write_project(tmp_path, MANIFESTS)
    [(line, column, message, _)] = told(tmp_path, DATAOS_DEPOTS__NOWHERE__POOL="p")
    assert (line, column) == (1, 1)
    assert "there is no depot `nowhere`" in message


def test_nothing_is_missing_where_only_a_part_of_the_project_is_checked(tmp_path):
    write_project(tmp_path, MANIFESTS | {"dataos.yaml": "run: {seconds_of: {other/job: 3}}\n"})
    assert told(tmp_path, tmp_path / "wf.yaml") == []

"""Bundles as they are written: their members are resources of the project."""

from __future__ import annotations

import pytest

VOLUME = "{name: scratch, version: v1beta, type: volume, volume: {size: 1Gi}}"


def bundle(*nodes: str, rest: str = "") -> str:
    listed = "\n".join(f"    - {node}" for node in nodes)
    return f"name: tickets\nversion: v1beta\ntype: bundle\nbundle:\n  resources:\n{listed}\n{rest}"


def codes(project):
    return [found.code for found in project.diagnostics]


def test_a_bundle_is_read(project_of):
    project = project_of(
        bundle(
            f"{{id: src, spec: {VOLUME}, workspace: docks}}",
            "{id: load, file: load.yaml, workspace: docks, dependencies: [src], "
            "dependencyConditions: [{resourceId: src, status: {is: [active]}, runtime: succeeded}]}",
            rest="  workspaces: [{name: docks, labels: {team: ops}, tags: [a], layer: user}]\n"
            "  schedule: {initialState: create, timezone: Europe/Oslo, create: [{cron: '0 5 * * 1'}], delete: {cron: '0 22 * * 5'}}\n"
            "  properties: {costCenter: 4711}\n  manageAsUser: mira\n",
        ),
        files={"load.yaml": VOLUME.replace("scratch", "loaded")},
    )

    assert set(codes(project)) == {"no-effect"}
    section = project.of_kind("bundle")[0].section
    assert section.resources[1].upstream == ("src",)
    assert section.resources[1].dependency_conditions[0].runtime.is_ == ("succeeded",)
    assert section.schedule.delete[0].cron == "0 22 * * 5"


def test_inline_manifests_are_resources_behind_their_bundle(project_of):
    project = project_of(bundle(f"{{id: src, spec: {VOLUME}, workspace: docks}}"))

    assert [(resource.kind, resource.name, resource.workspace) for resource in project.resources] == [
        ("bundle", "tickets", None),
        ("volume", "scratch", "docks"),
    ]
    location = project.resources[1].location(("volume", "size"))
    line = bundle(f"{{id: src, spec: {VOLUME}, workspace: docks}}").splitlines()[location.line - 1]
    assert line[location.column - 1 :].startswith("1Gi")


def test_mistakes_of_inline_manifests_are_located_in_the_bundle(project_of):
    project = project_of(bundle(f"{{id: src, spec: {VOLUME.replace('size: 1Gi', 'size: []')}}}"))

    [wrong] = project.diagnostics
    assert (wrong.code, wrong.line) == ("wrong-type", 6)
    assert wrong.path == ("bundle", "resources", 0, "spec", "volume", "size")


def test_the_files_of_nodes_are_placed_in_their_workspaces(project_of):
    project = project_of(bundle("{id: a, file: a.yaml, workspace: docks}"), files={"a.yaml": VOLUME})

    assert project.find("volume", "scratch", "docks") is not None


def test_a_missing_file_is_located(project_of):
    [wrong] = project_of(bundle("{id: a, file: gone.yaml}")).diagnostics

    assert (wrong.code, wrong.severity, wrong.line) == ("unknown-file", "error", 6)


@pytest.mark.parametrize(
    ("nodes", "code"),
    [
        (["{id: a, file: a.yaml}", "{id: a, file: a.yaml}"], "duplicate-name"),
        (["{id: a, file: a.yaml, dependencies: [b]}"], "unknown-dependency"),
        (["{id: a, file: a.yaml, dependencies: b}"], "unknown-dependency"),
        (["{id: a, file: a.yaml, dependencyConditions: [{resourceId: b}]}"], "unknown-dependency"),
        (["{id: a, file: a.yaml, dependencies: [b]}", "{id: b, file: a.yaml, dependencies: [a]}"], "dependency-cycle"),
        (
            [
                "{id: a, file: a.yaml, dependencyConditions: [{resourceId: b}]}",
                "{id: b, file: a.yaml, dependencies: [a]}",
            ],
            "dependency-cycle",
        ),
        (["{id: a}"], "missing-key"),
        ([f"{{id: a, file: a.yaml, spec: {VOLUME}}}"], "conflicting-keys"),
        (["{file: a.yaml}"], "missing-key"),
    ],
)
def test_nodes_that_cannot_work_are_errors(project_of, nodes, code):
    project = project_of(bundle(*nodes), files={"a.yaml": VOLUME})

    assert [found.code for found in project.errors] == [code]


def test_capitals_and_a_name_for_an_id_are_read_with_a_warning(project_of):
    text = bundle("{name: a, file: a.yaml}").replace("resources:", "Resources:")
    project = project_of(text, files={"a.yaml": VOLUME})

    assert codes(project) == ["key-spelling", "key-spelling"]
    assert project.of_kind("bundle")[0].section.resources[0].id == "a"


def test_bundles_that_take_each_other_in_are_an_error(project_of):
    project = project_of(
        bundle("{id: a, file: other.yaml}"),
        files={"other.yaml": bundle("{id: a, file: manifest.yaml}").replace("tickets", "others")},
    )

    assert codes(project) == ["include-cycle"]


def test_crons_of_a_bundle_are_checked(project_of):
    project = project_of(bundle(f"{{id: a, spec: {VOLUME}}}", rest="  schedule: {create: ['/5 * * * *']}"))

    [wrong] = project.errors
    assert (wrong.code, wrong.line) == ("bad-cron", 7)

"""The keys that all manifests have in common, and which kind a manifest is."""

from __future__ import annotations

import pytest

VOLUME = """
name: scratch
version: v1beta
type: volume
tags: [a, b]
owner: mira
layer: user
workspace: retail
description: a volume
volume: {size: 1Gi}
"""


def codes(project):
    return [found.code for found in project.diagnostics]


def one(project):
    [found] = project.diagnostics
    return found


def test_the_envelope_is_read(project_of):
    project = project_of(VOLUME)

    [volume] = project.resources
    assert project.diagnostics == ()
    assert (volume.kind, volume.name, volume.version, volume.workspace) == ("volume", "scratch", "v1beta", "retail")
    assert volume.envelope.tags == ("a", "b")
    assert volume.envelope.owner == "mira"
    assert volume.identifier == "volume:v1beta:scratch:retail"


def test_a_single_tag_may_stand_without_a_list(project_of):
    [volume] = project_of(VOLUME.replace("[a, b]", "a")).resources

    assert volume.envelope.tags == ("a",)


def test_an_unknown_type_is_refused_with_the_nearest_one(project_of):
    found = one(project_of("name: a\nversion: v1\ntype: workflows\nworkflow: {}"))

    assert (found.code, found.severity, found.line, found.column) == ("unknown-kind", "error", 3, 7)
    assert found.hint == "did you mean `workflow`?"


def test_a_missing_type_is_told_from_the_section(project_of):
    found = one(project_of("name: a\nversion: v1beta\nvolume: {size: 1Gi}"))

    assert (found.code, found.hint) == ("missing-key", "write `type: volume`")


def test_a_type_in_capitals_is_read_with_a_warning(project_of):
    project = project_of(VOLUME.replace("type: volume", "type: Volume"))

    assert codes(project) == ["key-spelling"]
    assert project.resources[0].kind == "volume"


def test_keys_in_capitals_are_read_with_a_warning(project_of):
    project = project_of(VOLUME.replace("description", "Description").replace("volume: {", "Volume: {"))

    assert codes(project) == ["key-spelling", "key-spelling"]
    assert project.resources[0].envelope.description == "a volume"


def test_an_unknown_key_is_ignored_with_the_nearest_one(project_of):
    project = project_of(VOLUME.replace("owner:", "ownr:"))

    found = one(project)
    assert (found.code, found.severity, found.line, found.column) == ("unknown-key", "warning", 6, 1)
    assert found.hint.startswith("did you mean `owner`? `--fix` leaves it to you")
    assert found.fix is None
    assert project.resources[0].envelope.owner is None


def test_a_missing_section_names_the_one_that_is_there(project_of):
    found = one(project_of(VOLUME.replace("volume: {", "secret: {")))

    assert found.code == "missing-section"
    assert "there is a section `secret`" in found.message


def test_a_misspelt_section_is_told_at_its_key_and_what_is_wrong_in_it_too(project_of):
    found, inside = project_of(VOLUME.replace("volume: {", "volum: {sise: 1Gi, ")).diagnostics

    assert (found.code, found.severity) == ("missing-key", "error")
    assert found.message == "`volume` is missing, and `volum` is no key"
    assert found.fix is not None
    assert inside.code == "unknown-key"


@pytest.mark.parametrize(
    "key", ["generation: 3", "uid: 0af1", "created: 2024-01-01T00:00:00Z", "stamp: -a", "status: {a: b}"]
)
def test_what_the_platform_prints_beside_a_manifest_is_ignored(project_of, key):
    assert project_of(f"{VOLUME}\n{key}").diagnostics == ()


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha", "v2alpha"])
def test_other_versions_are_read_with_a_warning(project_of, version):
    project = project_of(VOLUME.replace("v1beta", version))

    assert codes(project) == ["unusual-version"]
    assert project.resources[0].version == version


def test_a_text_that_is_no_version_is_refused(project_of):
    found = one(project_of(VOLUME.replace("v1beta", "latest")))

    assert (found.code, found.severity, found.line) == ("wrong-value", "error", 3)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Scratch", "'S' at character 1"),
        ("scratch_a", "'_' at character 8"),
        ("-scratch", "begins or ends"),
        ("a" * 49, "49 characters, more than 48"),
    ],
)
def test_a_name_that_breaks_the_rule_is_a_warning_with_the_character(project_of, name, problem):
    project = project_of(VOLUME.replace("scratch", name))

    assert codes(project) == ["name-rule"]
    assert problem in one(project).message
    assert project.resources[0].name == name


def test_a_workspace_of_an_instance_level_kind_is_ignored(project_of):
    project = project_of("name: a\nversion: v1\ntype: policy\nworkspace: public\npolicy: {}")

    assert codes(project) == ["not-run", "ignored-workspace"]
    assert project.resources[0].workspace is None


def test_kinds_that_are_not_run_are_resources_with_plain_values(project_of):
    project = project_of("name: a\nversion: v1alpha\ntype: monitor\nmonitor: {schedule: '* * * * *'}")

    assert codes(project) == ["not-run"]
    assert project.diagnostics[0].severity == "info"
    assert project.resources[0].section == {"schedule": "* * * * *"}


@pytest.mark.parametrize("body", ["v1beta", "v1alpha"])
def test_the_body_of_a_data_product_is_found_below_its_version(project_of, body):
    project = project_of(
        f"name: a\nversion: {body}\nentity: product\ntype: data\npurpose: p\n{body}:\n  data:\n    inputs: [x]"
    )

    assert codes(project) == ["not-run"]
    [product] = project.resources
    assert product.section == {"inputs": ["x"], "purpose": "p"}
    assert product.location(("data", "inputs", 0)).line == 8


def test_a_document_that_is_no_mapping_is_refused(project_of, tmp_path):
    project = project_of("just a text")

    assert not project.resources
    assert one(project).code == "not-a-mapping"


def test_numbers_are_taken_for_texts_where_texts_are_meant(project_of):
    [volume] = project_of(VOLUME.replace("owner: mira", "owner: 4711")).resources

    assert volume.envelope.owner == "4711"


def test_empty_keys_count_as_missing(project_of):
    project = project_of(VOLUME.replace("owner: mira", "owner:").replace("tags: [a, b]", "tags:"))

    assert project.diagnostics == ()
    assert project.resources[0].envelope.tags == ()


def test_an_empty_name_is_missing(project_of):
    found = one(project_of(VOLUME.replace("name: scratch", "name:")))

    assert (found.code, found.severity) == ("missing-key", "error")


def test_a_template_may_leave_a_required_value_empty(project_of):
    project = project_of(VOLUME.replace("name: scratch", "name:"), allow_placeholders=True)

    assert codes(project) == ["placeholder"]
    assert project.errors == ()


def test_the_kind_of_a_template_comes_from_its_section(project_of):
    project = project_of(VOLUME.replace("type: volume", "type: ${{volume}}"), allow_placeholders=True)

    assert codes(project) == ["placeholder"]
    assert project.resources[0].kind == "volume"

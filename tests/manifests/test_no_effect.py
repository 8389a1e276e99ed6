"""Fields without effect are told, and none is forgotten: each field is read somewhere, or its model says that it is not."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dataos_dagster.bundles.manifest import BundleWorkspace, StateCondition
from dataos_dagster.depots.manifest import connections
from dataos_dagster.depots.manifest.managed import LakehouseStorage, Migration
from dataos_dagster.depots.manifest.section import DepotSection
from dataos_dagster.flare.manifest import Profile, standalone
from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.effects import models_below
from dataos_dagster.manifests.envelope import Envelope
from dataos_dagster.manifests.kinds import KINDS, STACKS, load_rules
from dataos_dagster.manifests.model import ManifestModel
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import Settings
from dataos_dagster.workflows.manifest.infrastructure import NodePool, Toleration
from dataos_dagster.workflows.manifest.job import Quantities, ResourceRequirements, VolumeMount
from dataos_dagster.workflows.manifest.service import AutoScaling, Ingress, LongRunning, ServicePort

if TYPE_CHECKING:
    from pydantic import BaseModel

PACKAGE = Path(__file__).parents[2] / "dataos_dagster"
ROOTS = [load_rules(kind.rules).model for kind in KINDS.values() if kind.rules]
ROOTS += [load_rules(path).model for path in STACKS.values()]
MODELS = sorted(
    {model for root in [*ROOTS, Envelope] for model in models_below(root)}, key=lambda model: model.__name__
)

# Sections that are looked up by the word beside them (`inputType`, `type`).
READ_BY_NAME: dict[type[BaseModel], frozenset[str]] = {
    standalone.Sections: frozenset(standalone.Sections.model_fields),
    LakehouseStorage: frozenset({"s3", "gcs", "abfss", "wasbs"}),
    DepotSection: frozenset(DepotSection.model_fields),
}
# Values of which something else says as a whole that nothing runs or reads them.
TOLD_AS_A_WHOLE = {
    LongRunning: "services and workers are read and not yet run",
    AutoScaling: "of services and workers",
    Ingress: "of services",
    ServicePort: "of services",
    VolumeMount: "`dataosVolumes` and `persistentVolume` have no effect",
    ResourceRequirements: "`resources` has no effect",
    Quantities: "`resources` has no effect",
    NodePool: "`nodePool` has no effect",
    Toleration: "`nodePool` has no effect",
    Migration: "`migrate` has no effect",
    BundleWorkspace: "`workspaces` has no effect",
    StateCondition: "`status` has no effect",
    Profile: "`profile` is read and not yet run",
    standalone.RedshiftConnection: "`inputType: redshift` is read and not yet run",
    standalone.KafkaConnection: "it is taken apart by a pattern",
    standalone.PulsarConnection: "`inputType: pulsar` is read and not yet run",
    standalone.EventHubConnection: "`inputType: eventhub` is read and not yet run",
}
# Fields that are accepted for the sake of those who write them, each with what is done with it.
REWRITTEN = {
    (standalone._Connection, "is_batch"): "its opposite `isStream` is what counts",
    (Envelope, "labels"): "they stand in the manifest; nothing reads them",
}

# Listed fields whose name something else has too, so that the name is read all the same.
HOMONYMS = frozenset(
    {
        "compute", "create", "dataos_volumes", "delete", "properties", "purpose", "resources", "run_as_user", "runtime",
        "size", "status", "timezone", "type",
    }
)  # fmt: skip


def names_read() -> frozenset[str]:
    """Return the names of all attributes that the package reads."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load))


READ = names_read()


def exempt(model: type[BaseModel], table: dict[Any, Any]) -> bool:
    return any(issubclass(model, each) for each in table if isinstance(each, type))


def fields_of(model: type[BaseModel]) -> set[str]:
    by_name = {name for owner, names in READ_BY_NAME.items() if issubclass(model, owner) for name in names}
    rewritten = {name for owner, name in REWRITTEN if issubclass(model, owner)}
    return set(model.model_fields) - by_name - rewritten


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_field_is_read_or_said_to_have_no_effect(model):
    if exempt(model, TOLD_AS_A_WHOLE) or model.__module__ == connections.__name__:
        return
    listed = set(model.no_effect) if issubclass(model, ManifestModel) else set()
    assert fields_of(model) - READ - listed == set()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_is_said_to_have_no_effect_is_a_field_with_a_reason(model):
    for name, effect in model.no_effect.items() if issubclass(model, ManifestModel) else ():
        assert name in model.model_fields
        assert effect.reason
        assert not effect.reason.endswith(".")
        assert name not in READ or name in HOMONYMS, "something reads it now: take it out of the model's `no_effect`"


@pytest.mark.parametrize("model", TOLD_AS_A_WHOLE, ids=lambda model: model.__name__)
def test_what_is_told_as_a_whole_still_has_fields_that_nobody_reads(model):
    assert fields_of(model) - READ - set(model.no_effect) or model in {ResourceRequirements, BundleWorkspace}


JOB = """\
name: wf
version: v1
type: workflow
workflow:
  logLevel: INFO
  dag:
    - name: a
      gcWhenComplete: true
      spec:
        stack: flare:7.0
        tempVolume: scratch
        stackSpec:
          job:
            inputs: [{name: a, dataset: "dataos://lakehouse:a/b"}]
            outputs:
              - {name: a, dataset: "dataos://lakehouse:a/c?acl=rw", columnTags: []}
"""


def found_in(project_of):
    project = project_of(JOB)
    return {found.path[-1]: (found.severity, found.line) for found in project.diagnostics if found.code == "no-effect"}


def test_a_key_without_effect_is_told_at_its_place_and_warned_of_where_something_else_was_wanted(project_of):
    assert found_in(project_of) == {
        "logLevel": (Severity.INFO, 5),
        "tempVolume": (Severity.WARNING, 11),
    }


def test_a_key_that_says_what_is_so_anyway_is_not_told(project_of):
    assert "columnTags" not in found_in(project_of)


def test_a_key_without_effect_is_told_in_another_spelling_too(project_of):
    project = project_of(JOB.replace("logLevel", "loglevel").replace("tempVolume", "temp_volume"))
    assert [(found.code, found.line) for found in project.diagnostics] == [
        ("key-spelling", 5),
        ("no-effect", 5),
        ("key-spelling", 11),
        ("no-effect", 11),
    ]


def test_a_load_that_wants_no_information_is_still_warned(tmp_path):
    text = """
name: daily
version: v1
type: workflow
workflow:
  dag:
    - name: load
      spec:
        stack: flare:7.0
        tempVolume: 10Gi
        stackSpec: {job: {logLevel: INFO, inputs: [], steps: []}}
"""
    (tmp_path / "daily.yaml").write_text(text)
    settings = Settings(project=tmp_path)
    all_of_it, warnings = (
        {
            found.path[-1]
            for found in load_project(tmp_path, settings=settings, informs=informs).diagnostics
            if found.code == "no-effect"
        }
        for informs in (True, False)
    )
    assert all_of_it == {"tempVolume", "logLevel"}
    assert warnings == {"tempVolume"}

"""What a user writes in a Bundle: a set of resources that are deployed in the order of their dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from dataos_dagster.manifests.cron import CronText, TimezoneText
from dataos_dagster.manifests.cycles import find_cycle
from dataos_dagster.manifests.kinds import FileReference, InlineManifest, KindRules
from dataos_dagster.manifests.model import AnyCase, ManifestModel, NoEffect, ScalarText, TextList, TextMap
from dataos_dagster.manifests.rewriting import move
from dataos_dagster.manifests.spelling import suggestion

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft


class StateCondition(ManifestModel):
    """Which states of a resource satisfy a condition; either list is enough when both are written."""

    is_: Annotated[TextList, Field(alias="is", description="The state equals one of these.")] = ()
    contains: Annotated[TextList, Field(description="One of these is part of the state.")] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both forms: the one state alone, and a mapping."""
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    @model_validator(mode="before")
    @classmethod
    def _from_state(cls, value: Any) -> Any:
        return {"is": [value]} if isinstance(value, str) else value


class DependencyCondition(ManifestModel):
    """What a node waits for."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "status": NoEffect(
            "jobs wait for those whose data they read, and are skipped when one of them fails", told="info"
        ),
        "runtime": NoEffect(
            "jobs wait for those whose data they read, and are skipped when one of them fails", told="info"
        ),
    }

    resource_id: Annotated[ScalarText, Field(description="Id of the node that is waited for.")]
    status: StateCondition | None = None
    runtime: StateCondition | None = None


class BundleResource(ManifestModel):
    """One node of a bundle."""

    id: Annotated[ScalarText, Field(min_length=1, description="Name of the node, unique in the bundle.")]
    workspace: Annotated[str | None, Field(description="Workspace that the resource is applied to.")] = None
    file: Annotated[str | None, Field(description="Path of the manifest.")] = None
    spec: Annotated[Mapping[str, Any] | None, Field(description="The manifest itself.")] = None
    dependencies: Annotated[TextList, Field(description="Ids of nodes that come first.")] = ()
    dependency_conditions: Annotated[
        tuple[DependencyCondition, ...], Field(description="What is waited for; default: that the status is active.")
    ] = ()

    @property
    def upstream(self) -> tuple[str, ...]:
        """Return the ids of the nodes that come first; a condition is a dependency too."""
        conditions = (condition.resource_id for condition in self.dependency_conditions)
        return tuple(dict.fromkeys((*self.dependencies, *conditions)))


class BundleWorkspace(ManifestModel):
    """A workspace that is created before the resources."""

    name: Annotated[ScalarText, Field(max_length=32)]
    description: str | None = None
    tags: TextList = ()
    labels: TextMap = Field(default_factory=dict)
    layer: str | None = None


class BundleCron(ManifestModel):
    """One time at which a bundle is created or deleted."""

    cron: CronText


_ALWAYS_THERE = "resources are there as long as their manifests are"


class BundleSchedule(ManifestModel):
    """When the bundle's resources exist."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "initial_state": NoEffect(_ALWAYS_THERE),
        "create": NoEffect(_ALWAYS_THERE),
        "delete": NoEffect(_ALWAYS_THERE),
        "timezone": NoEffect(_ALWAYS_THERE),
    }

    initial_state: Annotated[Literal["create", "delete"], AnyCase()] = "create"
    timezone: TimezoneText = "UTC"
    create: tuple[BundleCron, ...] = ()
    delete: tuple[BundleCron, ...] = ()


class BundleSection(ManifestModel):
    """`bundle`."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "workspaces": NoEffect("a workspace is a word in names here, which needs no making", told=None),
        "properties": NoEffect("nothing reads them", told=None),
        "manage_as_user": NoEffect(
            "jobs run as `runAsUser`, the owner of the manifest, or the identity of the project"
        ),
    }

    resources: tuple[BundleResource, ...] = ()
    workspaces: tuple[BundleWorkspace, ...] = ()
    schedule: BundleSchedule | None = None
    properties: Mapping[str, Any] = Field(default_factory=dict)
    manage_as_user: str | None = None


def normalise(draft: Draft, path: DocumentPath) -> None:
    """Rewrite other forms: `name` for `id`, and a single cron without a list."""
    for item, value in draft.items((*path, "resources")):
        if not isinstance(value, dict):
            continue
        if "id" not in value:
            move(draft, (*item, "name"), (*item, "id"), code="key-spelling")
    for action in ("create", "delete"):
        _listed_crons(draft, (*path, "schedule", action))


def _listed_crons(draft: Draft, path: DocumentPath) -> None:
    value = draft.get(path)
    if isinstance(value, dict | str):
        draft.put(path, [value])
        draft.copy_origin(path, (*path, 0))
    for item, cron in draft.items(path):
        if isinstance(cron, str):
            draft.put(item, {"cron": cron})
            draft.copy_origin(item, (*item, "cron"))


def check(draft: Draft, section: BundleSection, path: DocumentPath) -> None:
    """Report nodes that are named twice, lead nowhere, wait for each other, or say both or neither of file and spec."""
    ids = [node.id for node in section.resources]
    for index, node in enumerate(section.resources):
        place = (*path, "resources", index)
        if ids.index(node.id) != index:
            draft.error("duplicate-name", (*place, "id"), f"there is another node `{node.id}`", "rename one of them")
        if node.file is not None and node.spec is not None:
            draft.error("conflicting-keys", place, "a node has `file` or `spec`, not both", "remove one of them")
        if node.file is None and node.spec is None:
            draft.unresolved("missing-key", place, "a node needs `file` or `spec`", "write `file:` with a path")
        for where, name in _waits_for(draft, node, place):
            if name not in ids:
                hint = suggestion(name, ids, what="nodes")
                draft.unresolved("unknown-dependency", where, f"there is no node `{name}`", hint)
    cycle = find_cycle({node.id: node.upstream for node in section.resources})
    if cycle is not None:
        message = f"the nodes wait for each other: {' → '.join(cycle)}"
        hint = "remove one of these dependencies"
        draft.error("dependency-cycle", (*path, "resources", ids.index(cycle[0])), message, hint)


def _waits_for(draft: Draft, node: BundleResource, place: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    listed = isinstance(draft.get((*place, "dependencies")), list)
    for number, name in enumerate(node.dependencies):
        yield (*place, "dependencies", number) if listed else (*place, "dependencies"), name
    for number, condition in enumerate(node.dependency_conditions):
        yield (*place, "dependencyConditions", number, "resourceId"), condition.resource_id


def member_files(section: BundleSection) -> Iterator[FileReference]:
    """Yield the manifests that the nodes name by path."""
    for index, node in enumerate(section.resources):
        if node.file is not None:
            path = ("resources", index, "file")
            yield FileReference(node.file, path, "unknown-file", nests=True, workspace=node.workspace)


def inline_manifests(section: BundleSection) -> Iterator[InlineManifest]:
    """Yield the manifests that stand in the nodes themselves."""
    for index, node in enumerate(section.resources):
        if node.spec is not None:
            yield InlineManifest(("resources", index, "spec"), node.workspace)


BUNDLE = KindRules(BundleSection, normalise=normalise, check=check, files=member_files, inline=inline_manifests)

"""What a user writes in a Bundle: a set of resources that are deployed in the order of their dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from dataos_dagster.manifests.cron import CronText, TimezoneText
from dataos_dagster.manifests.kinds import KindRules
from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, TextList, TextMap


class StateCondition(ManifestModel):
    """Which states of a resource satisfy a condition; either list is enough when both are written."""

    is_: Annotated[TextList, Field(alias="is", description="The state equals one of these.")] = ()
    contains: Annotated[TextList, Field(description="One of these is part of the state.")] = ()


class DependencyCondition(ManifestModel):
    """What a node waits for."""

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
    dependency_conditions: tuple[DependencyCondition, ...] = ()


class BundleWorkspace(ManifestModel):
    """A workspace that is created before the resources."""

    name: Annotated[ScalarText, Field(max_length=32)]
    description: str | None = None
    tags: TextList = ()
    labels: TextMap = {}
    layer: str | None = None


class BundleCron(ManifestModel):
    """One time at which a bundle is created or deleted."""

    cron: CronText


class BundleSchedule(ManifestModel):
    """When the bundle's resources exist."""

    initial_state: Annotated[Literal["create", "delete"], AnyCase()] = "create"
    timezone: TimezoneText = "UTC"
    create: tuple[BundleCron, ...] = ()
    delete: tuple[BundleCron, ...] = ()


class BundleSection(ManifestModel):
    """`bundle`."""

    resources: tuple[BundleResource, ...] = ()
    workspaces: tuple[BundleWorkspace, ...] = ()
    schedule: BundleSchedule | None = None
    properties: Mapping[str, Any] = {}
    manage_as_user: str | None = None


BUNDLE = KindRules(BundleSection)

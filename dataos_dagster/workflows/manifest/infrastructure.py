"""`compute` and `volume`: where workloads run and keep files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dataos_dagster.manifests.model import AnyCase, ManifestModel, NoEffect, ScalarText, TextMap


class Toleration(ManifestModel):
    """A taint that pods tolerate."""

    key: Annotated[ScalarText, Field(max_length=253)]
    operator: Literal["Equal", "Exists"] = "Equal"
    value: Annotated[ScalarText | None, Field(max_length=63)] = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class NodePool(ManifestModel):
    """Nodes that pods may run on."""

    node_selector: TextMap = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()


class ComputeSection(ManifestModel):
    """`compute`: a pool of nodes."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "dataplane": NoEffect(
            "which machines serve is a matter of the installation: `computes` in `dataos.yaml`", told=None
        ),
        "purpose": NoEffect(
            "which machines serve is a matter of the installation: `computes` in `dataos.yaml`", told=None
        ),
        "node_pool": NoEffect(
            "which machines serve is a matter of the installation: `computes` in `dataos.yaml`", told=None
        ),
    }

    dataplane: Annotated[ScalarText, Field(description="Data plane of the pool.")] = "hub"
    purpose: Annotated[
        Annotated[Literal["runnable", "query", "gpu"], AnyCase()],
        Field(description="What the pool is for."),
    ]
    node_pool: Annotated[NodePool, Field(description="Which nodes belong to it.")]


class VolumeSection(ManifestModel):
    """`volume`: storage that workloads mount."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "size": NoEffect("volumes are folders of the machine", told=None),
        "access_mode": NoEffect("volumes are folders of the machine", told=None),
        "type": NoEffect("volumes are folders of the machine", told=None),
    }

    size: Annotated[ScalarText, Field(description="Size, such as 1Gi.")]
    access_mode: Annotated[
        Annotated[Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"], AnyCase()],
        Field(description="Who may mount it."),
    ] = "ReadWriteOnce"
    type: Annotated[
        Annotated[Literal["temp", "persistent", "CloudTemp", "CloudPersistent"], AnyCase()],
        Field(description="Whether it outlives the workload."),
    ] = "persistent"

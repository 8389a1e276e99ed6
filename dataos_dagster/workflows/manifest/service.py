"""`service` and `worker`: long-running processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from dataos_dagster.manifests.model import ManifestModel, NoEffect, ScalarText
from dataos_dagster.workflows.manifest.job import Runnable


class AutoScaling(ManifestModel):
    """How many replicas run, by load in percent of what they asked for."""

    enabled: bool = True
    min_replicas: Annotated[int | None, Field(ge=0)] = None
    max_replicas: Annotated[int | None, Field(ge=0)] = None
    target_memory_utilization_percentage: Annotated[int | None, Field(ge=0)] = None
    target_cpu_utilization_percentage: Annotated[int | None, Field(ge=0, alias="targetCPUUtilizationPercentage")] = None


class ServicePort(ManifestModel):
    """A named port."""

    name: ScalarText
    service_port: Annotated[int, Field(gt=0, lt=65536)]
    target_port: Annotated[int | None, Field(gt=0, lt=65536)] = None


class Ingress(ManifestModel):
    """How a service is reached from outside."""

    enabled: bool = True
    path: str | None = None
    strip_path: bool | None = None
    no_authentication: bool | None = None
    app_detail_spec: Annotated[Any, Field(description="Description of the application, as JSON or a mapping.")] = None
    api_detail_spec: Annotated[Any, Field(description="Description of the API, as JSON or a mapping.")] = None


class LongRunning(Runnable):
    """What services and workers have in common."""

    # That none of them runs yet is told of the manifest as a whole.
    no_effect: ClassVar[Mapping[str, NoEffect]] = {}

    replicas: Annotated[int, Field(ge=0, description="How many processes run.")] = 1
    auto_scaling: AutoScaling | None = None
    high_availability_config: Mapping[str, Any] = Field(default_factory=dict)


class ServiceSection(LongRunning):
    """`service`: a process that answers requests."""

    service_port: Annotated[int | None, Field(gt=0, lt=65536, description="Port that it listens on.")] = None
    service_ports: tuple[ServicePort, ...] = ()
    metric_port: Annotated[int | None, Field(gt=0, lt=65536)] = None
    ingress: Ingress | None = None


class WorkerSection(LongRunning):
    """`worker`: a process that nobody calls."""

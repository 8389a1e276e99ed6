"""What a user writes in a Workflow, Service, Worker, Compute or Volume."""

from __future__ import annotations

from dataos_dagster.manifests.kinds import KindRules
from dataos_dagster.secrets.manifest import SecretReference
from dataos_dagster.workflows.manifest.infrastructure import ComputeSection, NodePool, Toleration, VolumeSection
from dataos_dagster.workflows.manifest.job import (
    JobSpec,
    Quantities,
    ResourceRequirements,
    Runnable,
    StackReference,
    VolumeMount,
)
from dataos_dagster.workflows.manifest.schedule import Retry, Schedule
from dataos_dagster.workflows.manifest.service import LongRunning, ServiceSection, WorkerSection
from dataos_dagster.workflows.manifest.workflow import DagEntry, WorkflowSection

WORKFLOW = KindRules(WorkflowSection)
SERVICE = KindRules(ServiceSection)
WORKER = KindRules(WorkerSection)
COMPUTE = KindRules(ComputeSection)
VOLUME = KindRules(VolumeSection)

__all__ = [
    "COMPUTE",
    "SERVICE",
    "VOLUME",
    "WORKER",
    "WORKFLOW",
    "ComputeSection",
    "DagEntry",
    "JobSpec",
    "LongRunning",
    "NodePool",
    "Quantities",
    "ResourceRequirements",
    "Retry",
    "Runnable",
    "Schedule",
    "SecretReference",
    "ServiceSection",
    "StackReference",
    "Toleration",
    "VolumeMount",
    "VolumeSection",
    "WorkerSection",
    "WorkflowSection",
]

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
    VolumeMount,
)
from dataos_dagster.workflows.manifest.legacy import normalise_runnable, normalise_workflow
from dataos_dagster.workflows.manifest.references import (
    check_long_running,
    check_workflow,
    nested_workflows,
    runnable_references,
    workflow_references,
)
from dataos_dagster.workflows.manifest.schedule import Retry, Schedule
from dataos_dagster.workflows.manifest.service import LongRunning, ServiceSection, WorkerSection
from dataos_dagster.workflows.manifest.stacks import StackReference
from dataos_dagster.workflows.manifest.workflow import DagEntry, WorkflowSection

FOLDED = frozenset({"allKeys", "consumptionType"})

WORKFLOW = KindRules(
    WorkflowSection,
    normalise=normalise_workflow,
    check=check_workflow,
    references=workflow_references,
    files=nested_workflows,
    folds_keys=FOLDED,
)
SERVICE = KindRules(
    ServiceSection,
    normalise=normalise_runnable,
    check=check_long_running,
    references=runnable_references,
    folds_keys=FOLDED,
)
WORKER = KindRules(
    WorkerSection,
    normalise=normalise_runnable,
    check=check_long_running,
    references=runnable_references,
    folds_keys=FOLDED,
)
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

"""`workflow`: jobs, their order and their schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from dataos_dagster.manifests.model import ManifestModel, NoEffect, ScalarText, TextList
from dataos_dagster.workflows.manifest.job import JobSpec
from dataos_dagster.workflows.manifest.schedule import LogLevel, Retry, Schedule


class DagEntry(ManifestModel):
    """A job, or another workflow that runs as one node."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "gc_when_complete": NoEffect("a job leaves nothing to clean up", told=None),
    }

    name: Annotated[ScalarText, Field(min_length=1, description="Name, unique in the dag.")]
    title: ScalarText | None = None
    description: ScalarText | None = None
    tags: TextList = ()
    spec: Annotated[JobSpec | None, Field(description="The job.")] = None
    file: Annotated[str | None, Field(description="Path of a workflow's manifest that runs as this node.")] = None
    dependencies: Annotated[TextList, Field(description="Entries that must succeed first.")] = ()
    retry: Annotated[Retry | None, Field(description="When and how often a failed job is tried again.")] = None
    gc_when_complete: Annotated[bool | None, Field(description="Accepted; there is nothing to clean up.")] = None


class WorkflowSection(ManifestModel):
    """`workflow`."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "log_level": NoEffect("logs are those of Dagster and of `dataos run`, whose own settings decide", told="info"),
    }

    title: ScalarText | None = None
    schedule: Annotated[Schedule | None, Field(description="When it runs; absent: once, or by hand.")] = None
    dag: Annotated[tuple[DagEntry, ...], Field(min_length=1, description="Jobs and nested workflows.")]
    log_level: Annotated[LogLevel | None, Field(description="Default of the jobs' logLevel.")] = None

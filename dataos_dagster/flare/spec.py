"""The `stackSpec` of a job, for whoever asks what it says: nothing here plans anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.flare.manifest import FlareSpec

if TYPE_CHECKING:
    from dataos_dagster.workflows.jobs import Job


def flare_spec(job: Job) -> FlareSpec:
    """Return the job's `stackSpec`, typed; of a template that leaves it open, one that does nothing."""
    spec = job.spec.stack_spec
    return spec if isinstance(spec, FlareSpec) else FlareSpec.model_validate(spec or {"job": {}})

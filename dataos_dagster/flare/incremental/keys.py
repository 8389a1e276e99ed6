"""The keys of a job's incremental inputs, read from its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.flare.manifest import FlareSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.state.watermarks import WatermarkKey
    from dataos_dagster.workflows.jobs import Job


def keys_of(job: Job) -> tuple[WatermarkKey, ...]:
    """Return the keys of a job in the order of its manifest; none for a job of another stack."""
    spec = job.spec.stack_spec
    if not isinstance(spec, FlareSpec) or all(entry.incremental is None for entry in spec.job.inputs):
        return ()
    # The state database is half a second of loading a project, and most have no such job.
    from dataos_dagster.state.watermarks import WatermarkKey

    return tuple(
        WatermarkKey(job.id, entry.name, entry.incremental.context, key.name)
        for entry in spec.job.inputs
        if entry.incremental is not None
        for key in entry.incremental.keys
    )


def names_of(job: Job) -> tuple[str, ...]:
    """Return what the keys of a job may be called: each by its name, and by that of its input and its own."""
    return tuple(dict.fromkeys(name for at in keys_of(job) for name in (at.key, f"{at.input}.{at.key}")))


def given_to(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """Return those of the given values that are for keys of this job."""
    names = names_of(job)
    return {name: value for name, value in given.items() if name in names}

"""The keys of a job's incremental inputs, read from its manifest."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dataos_dagster.errors import SelectionError
from dataos_dagster.flare.manifest import FlareSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def parse_given(assignments: Iterable[str], jobs: Iterable[Job]) -> dict[str, str]:
    """Return values of keys as they are given for one run: `start=…` or `orders.start=…`.

    Args:
        assignments: As they stand on a command line.
        jobs: Those that are run; each assignment must mean a key of one of them.

    Raises:
        SelectionError: One is no assignment, or no job has the key.
    """
    given: dict[str, str] = {}
    known = dict.fromkeys(name for job in jobs for name in names_of(job))
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SelectionError(f"{assignment!r} is no KEY=VALUE", hint="write --key start=2026-01-01")
        if name.strip() not in known:
            close = difflib.get_close_matches(name.strip(), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"keys here: {', '.join(known) or 'none'}"
            raise SelectionError(f"no job of this run has a key {name.strip()!r}", hint=hint)
        given[name.strip()] = value
    return given


def given_to(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """Return those of the given values that are for keys of this job."""
    names = names_of(job)
    return {name: value for name, value in given.items() if name in names}

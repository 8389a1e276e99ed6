"""What a stream leaves to do when it has ended: what is asked of whole datasets, as a job without streams does it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import job_location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataos_dagster.depots.requests import ReadRequest
    from dataos_dagster.flare.actions.plan import PlannedAction
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.flare.streaming.assertions import StreamedAssertions
    from dataos_dagster.workflows.jobs import Job

# A stream of a table follows what is appended. Deleting rows makes either kind of commit, as whole files go or parts of
# them, so that one which is to go on says that it may pass over both.
_PASSING_OVER = frozenset({"streaming-skip-delete-snapshots", "streaming-skip-overwrite-snapshots"})

# Where a stream without a checkpoint begins in a topic, in the names of Spark's sources and of Azure's connector, and
# what would end the reading of one that has no end. Said of a topic that is read whole, it is not whole.
_BOUNDS = ("starting", "ending", "eventhubs.startingposition", "eventhubs.endingposition")


def left_to_do(spec: FlareSpec, assertions: StreamedAssertions) -> tuple[str, ...]:
    """Return what a job asks about whole datasets, by the names of its sections."""
    wanted = {"assertions": assertions.last, "profile": spec.job.profile, "actions": spec.job.actions}
    return tuple(name for name, section in wanted.items() if section)


def refuse_without_end(job: Job, sections: Sequence[str], outputs: Sequence[PlannedOutput]) -> None:
    """Refuse a stream that runs until it is stopped and writes nothing, or is asked what only its end can tell.

    Raises:
        StepError: The job is such a stream.
    """
    for name in sections:
        about_view = name == "assertions"
        what = "of a view that no output writes, it needs all rows" if about_view else "it is about whole datasets"
        raise StepError(
            f"`{name}` cannot be done while a stream runs: {what}, and this stream runs until it is stopped",
            step=name,
            location=job_location(job, name),
            hint="write `triggerMode: AvailableNow` and give the workflow a schedule, or put it into a job of its own "
            "that reads the dataset which this one writes"
            + ("; assertions about a view that an output writes look at each micro-batch" if about_view else ""),
        )
    if not outputs:
        raise StepError(
            "the job reads a stream without an end and writes nothing",
            step="outputs",
            location=job_location(job, "inputs"),
            hint="give it an output, or write isStream: false to read what is there",
        )


def refuse_deletes(actions: Sequence[PlannedAction], inputs: Sequence[PlannedInput]) -> None:
    """Refuse to delete rows of a table that is read as a stream, which would keep the stream from going on.

    Raises:
        StepError: An action does.
    """
    sources = {planned.dataset: planned for planned in inputs if planned.request.stream and not _passes_over(planned)}
    for action in actions:
        if action.deletes_rows and action.dataset in sources:
            raise StepError(
                f"{action.label}: the job reads {action.dataset} as a stream, and a stream of a table ends at a commit "
                "that deletes rows",
                step=action.label,
                location=action.location,
                hint="delete in another table, or let the stream pass over such commits: "
                "`options: {streaming-skip-delete-snapshots: 'true', streaming-skip-overwrite-snapshots: 'true'}` "
                "of the input",
            )


def plan_of_rest(plan: JobPlan, assertions: StreamedAssertions) -> JobPlan:
    """Return the plan of what is left to do: the same views over whole datasets, and nothing to write."""
    inputs = tuple(
        replace(planned, request=_whole(planned.request)) if planned.request.stream else planned
        for planned in plan.inputs
    )
    return replace(plan, inputs=inputs, outputs=(), assertions=assertions.last, stream=None, notes=())


def _whole(request: ReadRequest) -> ReadRequest:
    """Return the request of everything that a stream's source holds."""
    options = {key: value for key, value in request.options.items() if not key.lower().startswith(_BOUNDS)}
    return replace(request, stream=False, options=options)


def _passes_over(planned: PlannedInput) -> bool:
    said = {key.lower() for key, value in planned.request.options.items() if value.lower() == "true"}
    return said >= _PASSING_OVER

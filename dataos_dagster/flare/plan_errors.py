"""All that keeps a job from being planned: its plan stops at the first error, and people mend several at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError
from dataos_dagster.flare.coverage import not_yet_run
from dataos_dagster.flare.inputs import plan_input
from dataos_dagster.flare.locations import JOB_PATH
from dataos_dagster.flare.outputs import plan_output
from dataos_dagster.flare.plan import check_view, flare_spec
from dataos_dagster.flare.session_needs import requirements_of
from dataos_dagster.flare.steps import plan_step
from dataos_dagster.flare.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from dataos_dagster.errors import Location
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareJob
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job

    T = TypeVar("T")


def plan_errors(job: Job, context: RunContext, first: DataOSError) -> tuple[DataOSError, ...]:
    """Return everything that is wrong with a job whose plan has failed, in the order of the manifest.

    Args:
        job: The job.
        context: What it was planned with.
        first: The error that ended its plan.
    """
    found = _Findings(job, context)
    found.collect()
    places = {(error.message, str(error.location)) for error in found.errors}
    if (first.message, str(first.location)) not in places and not any(_same_place(first, one) for one in found.errors):
        found.errors.append(first)
    return tuple(sorted(found.errors, key=_place))


class _Findings:
    """One job whose parts are planned one by one."""

    def __init__(self, job: Job, context: RunContext) -> None:
        self.job = job
        self.context = context
        self.spec = flare_spec(job)
        self.errors: list[DataOSError] = []
        # Where the job asks for what is not yet run: what else is wrong there follows from that.
        self.left_out: list[Location] = []

    def collect(self) -> None:
        self.errors += not_yet_run(self.job, self.spec)
        self.left_out = [error.location for error in self.errors if error.location]
        inputs = list(self._inputs(self.spec.job))
        views = Views(inputs, tuple(depot.name for depot in self.context.door.catalog))
        # An input that cannot be planned is there all the same for the steps that read it.
        for entry in self.spec.job.inputs:
            views.add(entry.name)
        self._steps(self.spec.job, views)
        outputs = list(self._outputs(self.spec.job, views))
        door = self.context.door
        for planned in (*inputs, *views.implicit.values()):
            self._tried(partial(requirements_of, door, (planned,), ()))
        for output in outputs:
            self._tried(partial(requirements_of, door, (), (output,)))

    def _inputs(self, spec: FlareJob) -> Iterator[PlannedInput]:
        keep = bool(spec.variables.keep_system_columns)
        settings = self.context.settings
        for index, entry in enumerate(spec.inputs):
            if self._is_left_out("inputs", index):
                continue
            plan = partial(plan_input, self.job, index, entry, keep_system_columns=keep, settings=settings)
            found = self._tried(plan)
            if found is not None:
                yield found

    def _steps(self, spec: FlareJob, views: Views) -> None:
        for number, step in enumerate(spec.steps):
            for index, item in enumerate(step.sequence):
                self._tried(partial(plan_step, self.job, ("steps", number, "sequence", index), item, views))
                views.add(item.name)

    def _outputs(self, spec: FlareJob, views: Views) -> Iterator[PlannedOutput]:
        for index, entry in enumerate(spec.outputs):
            if self._is_left_out("outputs", index):
                continue
            found = self._tried(partial(plan_output, self.job, index, entry, self.context.settings))
            if found is not None:
                self._tried(partial(check_view, found, views))
                yield found

    def _is_left_out(self, *path: str | int) -> bool:
        workflow = self.job.workflow
        place = workflow.document.range_of(workflow.origin((*self.job.path, *JOB_PATH, *path)))
        return any(place.start.line <= found.line <= place.end.line for found in self.left_out)

    def _tried(self, plan: Callable[[], T]) -> T | None:
        try:
            return plan()
        except DataOSError as error:
            self.errors.append(error)
            return None


def _place(error: DataOSError) -> tuple[str, int, int]:
    place = error.location
    return (place.file, place.line, place.column) if place else ("", 0, 0)


def _same_place(one: DataOSError, other: DataOSError) -> bool:
    return one.location is not None and one.location == other.location

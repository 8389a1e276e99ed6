"""The parts of a job, resolved one by one: inputs, steps, outputs, and what is asked of them.

A part that cannot be resolved is left out, and its name stays known, so that what reads it is not wrong as well.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from dataos_dagster.depots.requests import Requirements
from dataos_dagster.depots.requirements import join
from dataos_dagster.errors import DataOSError, StepError, UnknownView
from dataos_dagster.flare.actions.plan import PlannedAction, plan_action
from dataos_dagster.flare.assertions.plan import plan_assertions
from dataos_dagster.flare.coverage import not_yet_run
from dataos_dagster.flare.incremental.keys import given_to
from dataos_dagster.flare.inputs import PlannedInput, plan_input
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.outputs import plan_output
from dataos_dagster.flare.profile.plan import plan_profile
from dataos_dagster.flare.query_inputs import plan_query
from dataos_dagster.flare.session_needs import in_session_of, requirements_of
from dataos_dagster.flare.steps import PlannedStep, plan_step
from dataos_dagster.flare.streaming.plan import plan_streams, with_streams
from dataos_dagster.flare.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.maintenance import MaintenanceRequest
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest
    from dataos_dagster.flare.assertions.plan import PlannedAssertions
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.plan_findings import Findings
    from dataos_dagster.flare.profile.plan import PlannedProfile
    from dataos_dagster.flare.streaming.plan import StreamPlan
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

    T = TypeVar("T")
    P = TypeVar("P", PlannedInput, PlannedStep, PlannedInput | PlannedStep, PlannedOutput, PlannedAction)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a job, resolved.

    Attributes:
        inputs: Those of the manifest, then those that steps name in their SQL.
        views: Lower-case names of all views to the session's spelling.
        requirements: What the session needs for all of them, and which engines cannot serve them.
    """

    inputs: tuple[PlannedInput, ...]
    steps: tuple[PlannedStep, ...]
    outputs: tuple[PlannedOutput, ...]
    views: Mapping[str, str]
    assertions: tuple[PlannedAssertions, ...]
    profile: PlannedProfile | None
    actions: tuple[PlannedAction, ...]
    stream: StreamPlan | None = None
    requirements: Requirements = field(default_factory=Requirements)


def plan_parts(
    job: Job,
    spec: FlareSpec,
    *,
    door: Door,
    settings: Settings,
    keys: Mapping[str, str],
    findings: Findings,
) -> Parts:
    """Return the parts of a job.

    Args:
        job: The job.
        spec: Its `stackSpec`.
        door: Tells what each engine needs for the job's datasets. Where its catalog is offline, a view that nothing
            makes is one whose columns are unknown.
        settings: Of the project.
        keys: Values of keys that the run is given.
        findings: Takes what is wrong.

    Raises:
        DataOSError: Something is wrong, and `findings` does not collect.
    """
    reading = _Reading(job, spec, settings, findings)
    inputs = reading.inputs()
    views = Views(inputs, tuple(depot.name for depot in door.catalog), findings if door.catalog.offline else None)
    answered, queries = reading.queries(views, door)
    inputs += answered
    steps = (*queries, *reading.steps(views))
    outputs = reading.outputs(views, steps)
    actions = reading.actions(inputs, views)
    inputs = (*inputs, *views.implicit.values())
    if given_to(job, keys) or any(planned.increment and planned.increment.state for planned in inputs):
        outputs = tuple(replace(output, request=replace(output.request, exactly_once=True)) for output in outputs)
    inputs = findings.tried(partial(with_streams, inputs, spec, door)) or inputs
    inputs = tuple(in_session_of(planned, outputs, actions) for planned in inputs)
    parts = Parts(inputs, steps, outputs, views.names, (), None, actions)
    if reading.is_whole(inputs, outputs):
        assertions = findings.tried(partial(plan_assertions, job, spec.job, inputs, steps, outputs, views))
        profile = findings.tried(partial(plan_profile, job, spec.job, inputs))
        parts = replace(parts, assertions=assertions or (), profile=profile)
        stream = findings.tried(partial(plan_streams, job, spec, parts, door=door, settings=settings))
        parts = replace(parts, stream=stream)
    requirements = reading.requirements(door, inputs, outputs, actions)
    return replace(parts, requirements=join([requirements, *([parts.stream.requirements] if parts.stream else [])]))


class _Reading:
    """Resolves what a job reads, makes and writes."""

    def __init__(self, job: Job, spec: FlareSpec, settings: Settings, findings: Findings) -> None:
        self._job = job
        self._spec = spec.job
        self._settings = settings
        self._findings = findings
        left_out = not_yet_run(job, spec)
        findings.add(left_out)
        self._left_out = [error.location for error in left_out if error.location]
        # Labels of the parts that are resolved as far as they can be, and whose errors follow from what is not run.
        self._loose: set[str] = set()

    def inputs(self) -> tuple[PlannedInput, ...]:
        """Return the inputs of the manifest."""
        keep = bool(self._spec.variables.keep_system_columns)
        found = (
            self._part(
                ("inputs", index),
                partial(plan_input, self._job, index, entry, keep_system_columns=keep, settings=self._settings),
            )
            for index, entry in enumerate(self._spec.inputs)
            if entry.query is None
        )
        return tuple(planned for planned in found if planned is not None)

    def queries(self, views: Views, door: Door) -> tuple[tuple[PlannedInput, ...], tuple[PlannedStep, ...]]:
        """Return the inputs by `query`: those that a database answers, and those that are steps before all others."""
        found = [
            self._part(("inputs", index), partial(plan_query, self._job, index, entry, views, door.catalog))
            for index, entry in enumerate(self._spec.inputs)
            if entry.query is not None
        ]
        return (
            tuple(planned for planned in found if isinstance(planned, PlannedInput)),
            tuple(planned for planned in found if isinstance(planned, PlannedStep)),
        )

    def steps(self, views: Views) -> tuple[PlannedStep, ...]:
        """Return the steps; views of inputs that could not be resolved are there all the same."""
        for entry in self._spec.inputs:
            views.add(entry.name)
        found = []
        for number, step in enumerate(self._spec.steps):
            for index, item in enumerate(step.sequence):
                path = ("steps", number, "sequence", index)
                planned = self._part(path, partial(plan_step, self._job, path, item, views))
                if planned is None:
                    views.add(item.name)
                else:
                    found.append(planned)
        return tuple(found)

    def outputs(self, views: Views, steps: Sequence[PlannedStep]) -> tuple[PlannedOutput, ...]:
        """Return the outputs."""
        last = {step.name.lower(): step for step in steps}
        found = []
        for index, entry in enumerate(self._spec.outputs):
            planned = self._part(("outputs", index), partial(plan_output, self._job, index, entry, self._settings))
            if planned is not None:
                self._findings.add(_without_view(planned, views))
                self._findings.add(_with_equal_columns(planned, last.get(planned.name.lower())))
                found.append(planned)
        return tuple(found)

    def actions(self, inputs: Sequence[PlannedInput], views: Views) -> tuple[PlannedAction, ...]:
        """Return the actions."""
        found = (
            self._part(
                ("actions", index), partial(plan_action, self._job, index, action, inputs, views, self._settings)
            )
            for index, action in enumerate(self._spec.actions)
        )
        return tuple(planned for planned in found if planned is not None)

    def is_whole(self, inputs: Sequence[PlannedInput], outputs: Sequence[PlannedOutput]) -> bool:
        """Return whether every input and output could be resolved: some things are said about them by position."""
        named = {planned.name for planned in inputs if not planned.implicit}
        wanted = {entry.name for entry in self._spec.inputs if entry.query is None}
        return wanted <= named and len(outputs) == len(self._spec.outputs)

    def requirements(
        self,
        door: Door,
        inputs: Sequence[PlannedInput],
        outputs: Sequence[PlannedOutput],
        actions: Sequence[PlannedAction],
    ) -> Requirements:
        """Return what the session needs; of a part that is not run, what is known of it."""
        requests: list[tuple[str, ReadRequest | WriteRequest | MaintenanceRequest]] = [
            (planned.label, request) for planned in inputs for request in planned.requests
        ]
        requests += [(output.label, output.request) for output in outputs]
        requests += [(action.label, action.request) for action in actions]
        found = [door.requirements(())]
        for label, request in requests:
            needed = self._tried(partial(requirements_of, door, request), loosely=label in self._loose)
            found += [needed] if needed is not None else []
        return join(found)

    def _part(self, path: tuple[str | int, ...], plan: Callable[[], P]) -> P | None:
        if not self._left_out:
            return self._findings.tried(plan)
        place = job_location(self._job, *path)
        last_line = place.end[0] if place.end else place.line
        loosely = any(each.file == place.file and place.line <= each.line <= last_line for each in self._left_out)
        found = self._tried(plan, loosely=loosely)
        if found is not None and loosely:
            self._loose.add(found.label)
        return found

    def _tried(self, plan: Callable[[], T], *, loosely: bool) -> T | None:
        """Return a part, or None where it cannot be resolved; what is not run is nobody's mistake."""
        if not loosely:
            return self._findings.tried(plan)
        with suppress(DataOSError):
            return plan()
        return None


def _without_view(output: PlannedOutput, views: Views) -> Iterator[UnknownView]:
    """Yield what is wrong with an output whose view nothing makes."""
    if views.find(output.name) is None:
        yield UnknownView(
            f"{output.label}: there is no view {output.name!r} to write",
            step=output.label,
            location=output.location,
            hint=views.closest(output.name),
        )


def _with_equal_columns(output: PlannedOutput, step: PlannedStep | None) -> Iterator[StepError]:
    """Yield what is wrong with an output whose query gives two columns one name, as far as its text tells.

    Names of columns mean nothing to a statement that is run for each row: its `?` stand for them in their order.
    """
    if step is None or step.functions or output.request.statement is not None:
        return
    found = step.statement.repeated_name()
    if found is not None:
        word = found.meta
        yield StepError(
            f"{step.label}: two columns are named {found.name!r}, and {output.label} is written by name",
            step=step.label,
            sql=step.text,
            location=step.at(word["line"], word["col"] - (word["end"] - word["start"]), len(found.name)),
            hint="give one of them another name with AS",
        )

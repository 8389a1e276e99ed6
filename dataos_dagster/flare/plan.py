"""The plan of a job: everything that is decided before any data is touched.

Inputs, steps and outputs are resolved, implicit inputs found, and the engine chosen with its reasons. What a plan
cannot be made of is an error at its line, so that a run never stops half-way over something that was known before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dataos_dagster.depots.requirements import join
from dataos_dagster.engines.connect import left_to_cluster
from dataos_dagster.engines.routing import constructs_of, route
from dataos_dagster.engines.session import SessionConfiguration
from dataos_dagster.errors import DataOSError, DepotUnsupported, NotYetRun, StepError
from dataos_dagster.flare.assertions.plan import plan_assertions
from dataos_dagster.flare.coverage import not_yet_run
from dataos_dagster.flare.incremental.keys import given_to
from dataos_dagster.flare.inputs import plan_input
from dataos_dagster.flare.outputs import plan_output
from dataos_dagster.flare.profile.plan import plan_profile
from dataos_dagster.flare.request_json import read_json, write_json
from dataos_dagster.flare.sizing import merged_conf, sizing_of
from dataos_dagster.flare.steps import caching_notes, plan_step
from dataos_dagster.flare.streaming.plan import plan_streams, with_streams
from dataos_dagster.flare.udfs import plan_functions, without_own
from dataos_dagster.flare.views import Views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.requests import ReadRequest, Requirements, WriteRequest
    from dataos_dagster.engines.availability import Availability
    from dataos_dagster.engines.routing import Route
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.flare.assertions.plan import PlannedAssertions
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.profile.plan import PlannedProfile
    from dataos_dagster.flare.sizing import Sizing
    from dataos_dagster.flare.steps import PlannedStep
    from dataos_dagster.flare.streaming.plan import StreamPlan
    from dataos_dagster.flare.udfs import UserFunction
    from dataos_dagster.settings import EngineName, Settings
    from dataos_dagster.workflows.jobs import Job


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What a job will do, and where.

    Attributes:
        inputs: Those of the manifest, then those that steps name in their SQL.
        views: Lower-case names of all views to the session's spelling.
        route: The engine and why.
        configuration: The session that the job needs.
        requested: The engine that somebody asked for.
        spark_serves: Spark is there and can serve the job's datasets.
        functions: The job's own, for its SQL.
        stream: The queries that run instead of writing each output once; None when no input is a stream.
        assertions: Tests of the job, and of views before they are written.
        profile: The statistics that are wanted of an input.
        notes: What is done otherwise than written, each a sentence.
    """

    job: Job
    spec: FlareSpec
    inputs: tuple[PlannedInput, ...]
    steps: tuple[PlannedStep, ...]
    outputs: tuple[PlannedOutput, ...]
    views: Mapping[str, str]
    route: Route
    requested: EngineName | Literal["auto"]
    configuration: SessionConfiguration
    notes: tuple[str, ...]
    spark_serves: bool
    functions: tuple[UserFunction, ...] = ()
    stream: StreamPlan | None = None
    assertions: tuple[PlannedAssertions, ...] = ()
    profile: PlannedProfile | None = None

    @property
    def engine(self) -> EngineName:
        """Return the engine that was chosen."""
        return self.route.engine

    @property
    def can_move(self) -> bool:
        """Return whether the job may start again on Spark when Sail turns out not to suit the types of its columns."""
        return self.engine == "sail" and self.requested == "auto" and self.spark_serves

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain values, for `--plan --json`."""
        return {
            "job": self.job.id,
            "location": str(self.job.location()),
            "engine": self.engine,
            "reasons": list(self.route.reasons),
            "inputs": [
                {"view": planned.name, "dataset": planned.dataset, "implicit": planned.implicit}
                | read_json(planned.request)
                for planned in self.inputs
            ],
            "steps": [
                {
                    "view": step.name,
                    "reads": [relation.name for relation in step.statement.relations],
                    "functions": [function.name for function in step.functions],
                    "location": str(step.location),
                }
                for step in self.steps
            ],
            "outputs": [
                {"view": output.name, "dataset": output.dataset, "mode": mode_of(output.request)}
                | write_json(output.request)
                for output in self.outputs
            ],
            "assertions": [test.text for each in self.assertions for query in each.queries for test in query.tests],
            "notes": list(self.notes),
        } | ({"stream": self.stream.as_json()} if self.stream else {})

    def as_text(self) -> str:
        """Return the plan as lines for people."""
        lines = [f"{self.job.id} on {self.engine}", *(f"  because {reason}" for reason in self.route.reasons)]
        lines += [
            f"  read   {planned.name} ← {planned.dataset}{' (named in SQL)' if planned.implicit else ''}"
            for planned in self.inputs
        ]
        for step in self.steps:
            functions = "".join(f" → {function.name}" for function in step.functions)
            lines.append(f"  step   {step.name} ({step.location}){functions}")
        if self.profile is not None:
            lines.append(f"  profile {self.profile.dataset}")
        for each in self.assertions:
            tests = ", ".join(test.text for query in each.queries for test in query.tests)
            lines.append(f"  test   {each.dataset}: {tests}")
        if self.stream is not None:
            lines += self.stream.as_lines()
        else:
            lines += [f"  write  {out.name} → {out.dataset} ({mode_of(out.request)})" for out in self.outputs]
        return "\n".join([*lines, *(f"  note   {note}" for note in self.notes)])


def mode_of(request: WriteRequest) -> str:
    """Return how a request writes, in one word or two."""
    if request.merge is not None:
        return "merge"
    return "overwrite partitions" if request.mode == "overwrite" and request.dynamic_overwrite else request.mode


def plan_job(
    job: Job,
    *,
    door: Door,
    settings: Settings,
    availability: Availability,
    requested: EngineName | Literal["auto"] = "auto",
    keys: Mapping[str, str] | None = None,
) -> JobPlan:
    """Return the plan of a Flare job.

    Args:
        job: The job.
        door: Tells what each engine needs for the job's datasets, and which cannot serve them.
        settings: Of the project.
        availability: Which engines this machine has.
        requested: The engine that somebody asks for.
        keys: Values of keys that the run is given: what it writes is then to happen exactly once.

    Raises:
        NotYetRun: The job asks for something that this version does not run.
        StepError: An input, step or output is wrong.
        DepotError: A depot is unknown or cannot do what is asked.
        EngineUnavailable: No engine can run the job.
    """
    spec = flare_spec(job)
    missing = not_yet_run(job, spec)
    if missing:
        raise missing[0]
    inputs, steps, views = _plan_reading(job, spec, door, settings)
    outputs = tuple(plan_output(job, index, entry, settings) for index, entry in enumerate(spec.job.outputs))
    if given_to(job, keys or {}) or any(planned.increment and planned.increment.state for planned in inputs):
        outputs = tuple(replace(output, request=replace(output.request, exactly_once=True)) for output in outputs)
    for output in outputs:
        check_view(output, views)
    assertions = plan_assertions(job, spec.job, inputs, steps, outputs, views)
    profile = plan_profile(job, spec.job, inputs)
    inputs = tuple(_in_session_of(planned, outputs) for planned in with_streams(inputs, spec, door))
    stream = plan_streams(job, spec, inputs, outputs, door=door, settings=settings)
    sizing = sizing_of(spec, master=settings.engines.spark.master, project_conf=settings.engines.spark.conf)
    requirements = requirements_of(door, inputs, outputs)
    if stream is not None:
        requirements = join([requirements, stream.requirements])
    vetoes = _merged_vetoes(requirements.vetoes, sizing.vetoes)
    constructs = (
        *_incremental_constructs(inputs),
        *without_own(_constructs(steps), spec.job.udfs),
        *(construct for output in outputs for construct in output.constructs),
        *(construct for each in assertions for query in each.queries for construct in query.constructs),
        *(profile.constructs if profile else ()),
    )
    chosen = _route(job, constructs, requested, vetoes, availability)
    notes = [*requirements.notes, *(stream.notes if stream else ()), *([chosen.warning] if chosen.warning else [])]
    if chosen.engine == "sail":
        notes.extend(note for step in steps for note in caching_notes(step))
    if chosen.engine == "connect":
        notes.extend(_left_to_cluster(requirements, sizing))
    return JobPlan(
        job=job,
        spec=spec,
        inputs=inputs,
        steps=steps,
        outputs=outputs,
        views=views.names,
        route=chosen,
        requested=requested,
        configuration=_configuration(chosen.engine, requirements, sizing),
        notes=tuple(notes),
        spark_serves=availability.has("spark") and not vetoes.get("spark"),
        functions=plan_functions(job, spec.job.udfs),
        stream=stream,
        assertions=assertions,
        profile=profile,
    )


def flare_spec(job: Job) -> FlareSpec:
    """Return the job's `stackSpec`, typed."""
    from dataos_dagster.flare.manifest import FlareSpec

    spec = job.spec.stack_spec
    return spec if isinstance(spec, FlareSpec) else FlareSpec.model_validate(spec)


def _plan_reading(
    job: Job, spec: FlareSpec, door: Door, settings: Settings
) -> tuple[tuple[PlannedInput, ...], tuple[PlannedStep, ...], Views]:
    keep = bool(spec.job.variables.keep_system_columns)
    inputs = tuple(
        plan_input(job, index, entry, keep_system_columns=keep, settings=settings)
        for index, entry in enumerate(spec.job.inputs)
    )
    views = Views(inputs, tuple(depot.name for depot in door.catalog))
    steps = tuple(
        plan_step(job, ("steps", number, "sequence", index), item, views)
        for number, step in enumerate(spec.job.steps)
        for index, item in enumerate(step.sequence)
    )
    return (*inputs, *views.implicit.values()), steps, views


def _in_session_of(planned: PlannedInput, outputs: tuple[PlannedOutput, ...]) -> PlannedInput:
    """Return an input that is read with the identity that the job's session has for its depot."""
    from dataos_dagster.depots.door import beside

    writes = [output.request for output in outputs]
    schema = beside(planned.schema, writes) if planned.schema else None
    return replace(planned, request=beside(planned.request, writes), schema=schema)


def check_view(output: PlannedOutput, views: Views) -> None:
    """Check that the view that an output writes is there.

    Raises:
        StepError: It is not.
    """
    if views.find(output.name) is None:
        raise StepError(
            f"{output.label}: there is no view {output.name!r} to write",
            step=output.label,
            location=output.location,
            hint=views.closest(output.name),
        )


def requirements_of(door: Door, inputs: tuple[PlannedInput, ...], outputs: tuple[PlannedOutput, ...]) -> Requirements:
    """Return what the session needs; an error of the door gets the place of the request that it is about.

    Raises:
        DepotError: A depot is unknown, or cannot do what is asked.
        NotYetRun: A depot is of a type that nothing here reads yet.
    """
    requests: list[ReadRequest | WriteRequest] = [request for planned in inputs for request in planned.requests]
    requests += [output.request for output in outputs]
    try:
        return door.requirements(requests)
    except DataOSError as error:
        guilty = _guilty(door, requests, error)
        if guilty is not None and isinstance(error, DepotUnsupported) and _is_of_planned_type(door, guilty):
            raise NotYetRun(error.message, hint=error.hint, location=guilty.location) from None
        error.location = error.location or (guilty.location if guilty else None)
        raise


def _route(
    job: Job,
    constructs: tuple[Construct, ...],
    requested: EngineName | Literal["auto"],
    vetoes: Mapping[EngineName, tuple[str, ...]],
    availability: Availability,
) -> Route:
    """Return the engine; that there is none is told at the job's place."""
    try:
        return route(constructs, requested=requested, vetoes=vetoes, availability=availability)
    except DataOSError as error:
        error.location = error.location or job.location()
        raise


def _guilty(
    door: Door, requests: list[ReadRequest | WriteRequest], error: DataOSError
) -> ReadRequest | WriteRequest | None:
    """Return the first request that fails with this error on its own."""
    for request in requests:
        try:
            door.requirements([request])
        except type(error):
            return request
    return None


def _is_of_planned_type(door: Door, request: ReadRequest | WriteRequest) -> bool:
    """Return whether a request is for a depot of a source type that nothing here reads yet."""
    from dataos_dagster.depots.support import family_of

    if request.target.address is None:
        return False
    depot = door.catalog.find(request.target.address.depot)
    return family_of(depot.type, depot.subprotocol) is None


def _constructs(steps: tuple[PlannedStep, ...]) -> Iterator[Construct]:
    """Yield what the steps use of SQL, at the lines of the manifest."""
    for step in steps:
        if step.statement.kind == "query":
            for construct in constructs_of(step.statement.sql):
                place = step.at(construct.line, construct.column)
                yield replace(construct, line=place.line, column=place.column)
        for function, place in zip(step.functions, step.places, strict=True):
            for statement in function.statements:
                for construct in constructs_of(statement):
                    yield replace(construct, line=place.line, column=place.column)


def _incremental_constructs(inputs: tuple[PlannedInput, ...]) -> Iterator[Construct]:
    """Yield what the queries of incremental inputs use of SQL, with stand-ins for the values of their keys."""
    for planned in inputs:
        if planned.increment is not None:
            place = planned.increment.location
            for statement in planned.increment.samples():
                for construct in constructs_of(statement.sql):
                    yield replace(construct, line=place.line, column=place.column)


def _merged_vetoes(*sources: Mapping[EngineName, tuple[str, ...]]) -> dict[EngineName, tuple[str, ...]]:
    vetoes: dict[EngineName, tuple[str, ...]] = {}
    for source in sources:
        for engine, reasons in source.items():
            vetoes[engine] = (*vetoes.get(engine, ()), *reasons)
    return vetoes


def _left_to_cluster(requirements: Requirements, sizing: Sizing) -> tuple[str, ...]:
    """Return what the job asks of its engine, and an existing cluster has as it has it."""
    conf = merged_conf(requirements.conf.get("connect", {}), sizing.conf)
    if sizing.driver_memory:
        conf["spark.driver.memory"] = sizing.driver_memory
    secret = (*requirements.secret_conf.get("connect", {}), *sizing.secret_conf)
    return left_to_cluster(conf, secret, requirements.packages)


def _configuration(engine: EngineName, requirements: Requirements, sizing: Sizing) -> SessionConfiguration:
    """Return the session that a job needs; sizes only where they matter, so that sessions are shared."""
    conf = merged_conf(requirements.conf.get(engine, {}), sizing.conf)
    spark = engine == "spark"
    return SessionConfiguration(
        engine,
        conf=tuple(sorted(conf.items())),
        packages=tuple(sorted(requirements.packages)) if spark else (),
        environment=tuple(sorted(requirements.environment.get(engine, {}).items())),
        secret_conf=tuple(sorted((dict(requirements.secret_conf.get(engine, {})) | dict(sizing.secret_conf)).items()))
        if engine != "sail"
        else (),
        driver_memory=sizing.driver_memory if spark else None,
        driver_cores=sizing.driver_cores if spark else None,
    )

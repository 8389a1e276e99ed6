"""The plan of a job: everything that is decided before any data is touched.

Inputs, steps and outputs are resolved, implicit inputs found, and the engine chosen with its reasons. What a plan
cannot be made of is an error at its line, so that a run never stops half-way over something that was known before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dataos_dagster.engines.routing import route
from dataos_dagster.errors import DataOSError
from dataos_dagster.flare.leasing import left_to_processes
from dataos_dagster.flare.plan_constructs import constructs_of_parts
from dataos_dagster.flare.plan_findings import Findings
from dataos_dagster.flare.plan_parts import plan_parts
from dataos_dagster.flare.query_inputs import query_notes
from dataos_dagster.flare.session_needs import configuration_of, merged_vetoes, notes_of_cluster
from dataos_dagster.flare.sizing import sizing_of
from dataos_dagster.flare.spec import flare_spec
from dataos_dagster.flare.steps import caching_notes
from dataos_dagster.flare.udfs import in_python, plan_functions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.depots.door import Door
    from dataos_dagster.engines.availability import Availability
    from dataos_dagster.engines.routing import Route
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.engines.session import SessionConfiguration
    from dataos_dagster.flare.actions.plan import PlannedAction
    from dataos_dagster.flare.assertions.plan import PlannedAssertions
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.profile.plan import PlannedProfile
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
        actions: Maintenance of tables.
        prospects: Label of an action to what it would do to its table as that is now, and of an incremental input to
            what it would read now.
        findings: What keeps the job from running, where stand-ins let it be planned all the same.
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
    actions: tuple[PlannedAction, ...] = ()
    prospects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[DataOSError, ...] = ()

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
        from dataos_dagster.flare.plan_text import plan_json

        return plan_json(self)

    def as_text(self) -> str:
        """Return the plan as lines for people."""
        from dataos_dagster.flare.plan_text import plan_lines

        return "\n".join(plan_lines(self))


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
        door: Tells what each engine needs for the job's datasets, and which cannot serve them. Where its catalog is
            offline, views that nothing makes and what is not run are findings of the plan.
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
    findings = Findings(collect=door.catalog.offline)
    parts = plan_parts(job, spec, door=door, settings=settings, keys=keys or {}, findings=findings)
    if findings.serious:
        raise findings.serious[0]
    sizing = sizing_of(spec, master=settings.engines.spark.master, project_conf=settings.engines.spark.conf)
    requirements, stream = parts.requirements, parts.stream
    vetoes = merged_vetoes(requirements.vetoes, sizing.vetoes)
    constructs = tuple(constructs_of_parts(parts, spec))
    chosen = _route(job, constructs, requested, vetoes, availability)
    notes = [*requirements.notes, *(stream.notes if stream else ()), *([chosen.warning] if chosen.warning else [])]
    notes.extend(note for entry in spec.job.inputs if entry.query is not None for note in query_notes(entry))
    if chosen.engine == "sail":
        notes.extend(note for step in parts.steps for note in caching_notes(step))
    if chosen.engine == "connect":
        notes.extend(notes_of_cluster(requirements, sizing))
        notes.extend(left_to_processes(job))
    return JobPlan(
        job=job,
        spec=spec,
        inputs=parts.inputs,
        steps=parts.steps,
        outputs=parts.outputs,
        views=parts.views,
        route=chosen,
        requested=requested,
        configuration=configuration_of(chosen.engine, requirements, sizing),
        notes=tuple(notes),
        spark_serves=availability.has("spark") and not vetoes.get("spark"),
        functions=plan_functions(job, in_python(spec.job.udfs)),
        stream=stream,
        assertions=parts.assertions,
        profile=parts.profile,
        actions=parts.actions,
        findings=findings.errors,
    )


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

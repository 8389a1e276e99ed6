"""What of a job is a stream, decided before any data is touched: sources, trigger, checkpoint, the way to each sink."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from dataos_dagster.depots.requirements import join, veto
from dataos_dagster.depots.streams import STREAM_TYPES, StreamQuery
from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.streaming.assertions import GrowingViews, StreamedAssertions, streamed_assertions
from dataos_dagster.flare.streaming.checkpoints import Owner, checkpoint_of
from dataos_dagster.flare.streaming.trigger import Trigger, trigger_of
from dataos_dagster.flare.streaming.whole import left_to_do, refuse_deletes, refuse_without_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.requests import Requirements, WriteRequest
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.assertions.plan import PlannedAssertions
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.plan_parts import Parts
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

Guarantee = Literal["exactly once", "at least once"]


@dataclass(frozen=True, slots=True)
class PlannedStream:
    """One query: a view that is written as it grows.

    Attributes:
        output: What is written, with the mode that each batch is written in.
        query: How the query is run.
        owner: What its checkpoint belongs to.
        assertions: What looks at each micro-batch before it is written.
        batches: Why its micro-batches are written one by one by this package; empty: the engine writes them.
        guarantee: What a crash can do to the rows.
        checkpoint_location: Where the manifest names the checkpoint.
    """

    output: PlannedOutput
    query: StreamQuery
    owner: Owner
    assertions: tuple[PlannedAssertions, ...]
    batches: tuple[str, ...]
    guarantee: Guarantee
    checkpoint_location: Location

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for `--plan --json`."""
        return {
            "view": self.output.name,
            "dataset": self.output.dataset,
            "output_mode": self.query.output_mode,
            "checkpoint": str(self.query.checkpoint),
            "written": "batch by batch" if self.batches else "by the engine",
            "because": list(self.batches),
            "guarantee": self.guarantee,
        }


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """The queries of a job whose inputs are streams.

    Attributes:
        trigger: When micro-batches start.
        queries: One for each output, in manifest order.
        assertions: When those of the job are looked at.
        rest: Sections of the job that are done when the stream has ended, as a job without streams does them.
        requirements: What the session needs for checkpoints, and which engines cannot run the queries.
        notes: What was decided that the manifest does not say, each a sentence.
    """

    trigger: Trigger
    queries: tuple[PlannedStream, ...]
    assertions: StreamedAssertions
    rest: tuple[str, ...]
    requirements: Requirements
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for `--plan --json`."""
        queries = [query.as_json() for query in self.queries]
        ends = self.trigger.is_bounded
        return {"trigger": str(self.trigger), "ends": ends, "queries": queries, "at_its_end": list(self.rest)}

    def as_lines(self) -> Iterator[str]:
        """Yield it as lines for people."""
        yield f"  stream {self.trigger}, {'ends by itself' if self.trigger.is_bounded else 'runs until it is stopped'}"
        for query in self.queries:
            how = "batch by batch" if query.batches else "by the engine"
            yield f"  query  {query.output.name} → {query.output.dataset} {how}, {query.guarantee}"
            yield f"         checkpoint {query.query.checkpoint}"
        if self.rest:
            yield f"  then   {', '.join(self.rest)}, over whole datasets"


def with_streams(inputs: Iterable[PlannedInput], spec: FlareSpec, door: Door) -> tuple[PlannedInput, ...]:
    """Return the inputs, those that are streams marked as such: the manifest decides, else the type of the depot.

    A job that writes nothing has nothing to do with rows as they come: it reads what is there unless it says otherwise.
    """
    said = {entry.name: entry.is_stream for entry in spec.job.inputs}
    found = []
    for planned in inputs:
        stream = not planned.implicit and _is_stream(said[planned.name], planned, spec, door)
        found.append(replace(planned, request=replace(planned.request, stream=True)) if stream else planned)
    return tuple(found)


def _is_stream(said: bool | None, planned: PlannedInput, spec: FlareSpec, door: Door) -> bool:
    if said is not None or planned.address is None or not spec.job.outputs:
        return bool(said)
    return door.catalog.find(planned.address.depot, location=planned.location).type in STREAM_TYPES


def plan_streams(
    job: Job,
    spec: FlareSpec,
    parts: Parts,
    *,
    door: Door,
    settings: Settings,
) -> StreamPlan | None:
    """Return the queries of a job, or None when none of its inputs is a stream.

    Args:
        job: The job.
        spec: Its `stackSpec`.
        parts: Its parts, resolved; inputs that are streams are marked as such.
        door: Tells how each dataset takes a stream.
        settings: Of the project.

    Raises:
        StepError: The job asks for what a stream cannot do.
        DepotError: A checkpoint is in a depot that is unknown or has no folder.
    """
    sources = tuple(planned for planned in parts.inputs if planned.request.stream)
    if not sources:
        return None
    trigger = trigger_of(spec.job.streaming, is_scheduled=job.workflow.section.schedule is not None)
    growing = GrowingViews.of(parts.inputs, parts.steps)
    assertions = streamed_assertions(parts.assertions, parts.outputs, growing)
    _refuse_increments(job, parts.inputs, trigger)
    rest = left_to_do(spec, assertions)
    if not trigger.is_bounded:
        refuse_without_end(job, rest, parts.outputs)
    refuse_deletes(parts.actions, parts.inputs)
    planner = _Planner(job, spec, sources, trigger, door, settings, list(_notes(spec, sources, trigger)))
    queries = tuple(
        planner.query(position, output, assertions.batches[position]) for position, output in enumerate(parts.outputs)
    )
    requirements = join(planner.requirements)
    if any(query.batches for query in queries):
        refused = veto("connect", "micro-batches are handed over on this machine, where that engine is not")
        requirements = join([requirements, refused])
    return StreamPlan(trigger, queries, assertions, rest, requirements, tuple(dict.fromkeys(planner.notes)))


@dataclass(frozen=True, slots=True)
class _Planner:
    """Plans the queries of one job.

    Attributes:
        notes: Takes what is decided that the manifest does not say.
        requirements: Takes what the session needs for checkpoints.
    """

    job: Job
    spec: FlareSpec
    sources: tuple[PlannedInput, ...]
    trigger: Trigger
    door: Door
    settings: Settings
    notes: list[str]
    requirements: list[Requirements] = field(default_factory=list)

    def query(self, position: int, output: PlannedOutput, assertions: tuple[PlannedAssertions, ...]) -> PlannedStream:
        """Return how one output is written."""
        checkpoint = checkpoint_of(self.job, self.spec, output, position, self.settings)
        if checkpoint.note:
            self.notes.append(checkpoint.note)
        folder = self.door.folder(checkpoint.target, location=checkpoint.location)
        self.requirements.append(folder.requirements)
        streaming = self.spec.job.streaming
        query = StreamQuery(
            name=f"{self.job.id} {output.label}",  # unique among the queries of a session
            checkpoint=folder.place,
            output_mode=(streaming and streaming.output_mode) or "append",
            trigger=self.trigger.keywords,
            bounded=self.trigger.is_bounded,
            options=dict(streaming.extra_options) if streaming else {},
        )
        request = self._request(output, query)
        query, reasons = self._way(output, request, query, is_asserted=bool(assertions))
        names = tuple(_without_options(source.dataset) for source in self.sources)
        return PlannedStream(
            output=replace(output, request=request),
            query=query,
            owner=Owner(self.job.id, output.name, names, _without_options(output.dataset)),
            assertions=assertions,
            batches=reasons,
            guarantee="exactly once" if self.door.writes_once(request, by_engine=not reasons) else "at least once",
            checkpoint_location=checkpoint.location,
        )

    def _request(self, output: PlannedOutput, query: StreamQuery) -> WriteRequest:
        """Return what is asked of the door for each batch."""
        request = output.request
        if query.output_mode == "complete":
            return replace(request, mode="overwrite", merge=None)
        if request.mode != "overwrite" or request.dynamic_overwrite:
            return request
        if not output.implied_mode:
            self.notes.append(
                f"{output.label}: `saveMode: overwrite` would leave the last micro-batch only, so rows are appended; "
                "`outputMode: complete` replaces them by the whole result"
            )
        return replace(request, mode="append")

    def _way(
        self, output: PlannedOutput, request: WriteRequest, query: StreamQuery, *, is_asserted: bool
    ) -> tuple[StreamQuery, tuple[str, ...]]:
        """Return the query, and why its micro-batches are written one by one; nothing where the engine writes them.

        Raises:
            StepError: Batches are asked for by name, and a trigger that has none.
        """
        streaming = self.spec.job.streaming
        per_batch = streaming is not None and streaming.for_each_batch_mode
        asked = ("`forEachBatchMode` asks for it",) if per_batch else ()
        if is_asserted:
            asked = (*asked, "its assertions look at each batch before it is written")
        reasons = asked or self.door.stream_obstacles(request, query)
        if not query.continuous or not reasons:
            return query, reasons
        if per_batch:
            raise StepError(
                "`forEachBatchMode` does not go with `triggerMode: Continuous`, which has no batches",
                step="streaming",
                location=job_location(self.job, "streaming", "forEachBatchMode"),
                hint="write triggerMode: ProcessingTime, or remove forEachBatchMode",
            )
        in_batches = self.trigger.in_batches()
        why = "its assertions look at batches" if is_asserted else f"{output.dataset} takes no single rows"
        self.notes.append(
            f"{output.label}: {why}, so a micro-batch is written every {in_batches.interval} instead of "
            "`triggerMode: Continuous`"
        )
        query = replace(query, trigger=in_batches.keywords)
        return query, asked or self.door.stream_obstacles(request, query)


def _without_options(dataset: str) -> str:
    """Return the text by which a checkpoint knows a dataset."""
    return dataset.partition("?")[0]


def _notes(spec: FlareSpec, sources: tuple[PlannedInput, ...], trigger: Trigger) -> Iterator[str]:
    said = {entry.name for entry in spec.job.inputs if entry.is_stream is not None}
    for source in sources:
        if source.name not in said:
            yield f"{source.label} is read as a stream, because its depot is one of streams; `isStream` says otherwise"
    if trigger.note:
        yield trigger.note


def _refuse_increments(job: Job, inputs: Iterable[PlannedInput], trigger: Trigger) -> None:
    """Refuse a window over what is a stream, and one that moves on where nothing ends.

    Raises:
        StepError: The job asks for one.
    """
    for planned in inputs:
        increment = planned.increment
        if increment is None:
            continue
        if planned.request.stream:
            raise StepError(
                "a stream remembers by itself what it has read, and takes no `incremental`",
                step=planned.label,
                location=job_location(job, *increment.path),
                hint="remove `incremental`, or write isStream: false",
            )
        if increment.state and not trigger.is_bounded:
            raise StepError(
                f"{planned.label}: values of keys are stored when a run has written everything, and this stream runs "
                "until it is stopped",
                step=planned.label,
                location=job_location(job, *increment.path),
                hint="write `triggerMode: AvailableNow` and give the workflow a schedule, or remove `state`",
            )

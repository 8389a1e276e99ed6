"""What of a job is a stream, decided before any data is touched: sources, trigger, checkpoint, the way to each sink."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dataos_dagster.depots.requirements import join, veto
from dataos_dagster.depots.streams import STREAM_TYPES, StreamQuery
from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.streaming.checkpoints import Owner, checkpoint_of
from dataos_dagster.flare.streaming.trigger import Trigger, trigger_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.requests import Requirements
    from dataos_dagster.depots.streams import OutputMode
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

Guarantee = Literal["exactly once", "at least once"]


@dataclass(frozen=True, slots=True)
class PlannedStream:
    """One query: a view that is written as it grows.

    Attributes:
        position: Of the output in the manifest.
        output: What is written, with the mode that each batch is written in.
        query: How the query is run.
        owner: What its checkpoint belongs to.
        batches: Why its micro-batches are written one by one by this package; empty: the engine writes them.
        guarantee: What a crash can do to the rows.
        checkpoint_location: Where the manifest names the checkpoint.
    """

    position: int
    output: PlannedOutput
    query: StreamQuery
    owner: Owner
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
        requirements: What the session needs for checkpoints, and which engines cannot run the queries.
        notes: What was decided that the manifest does not say, each a sentence.
    """

    trigger: Trigger
    queries: tuple[PlannedStream, ...]
    requirements: Requirements
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for `--plan --json`."""
        queries = [query.as_json() for query in self.queries]
        return {"trigger": str(self.trigger), "ends": self.trigger.is_bounded, "queries": queries}

    def as_lines(self) -> Iterator[str]:
        """Yield it as lines for people."""
        yield f"  stream {self.trigger}, {'ends by itself' if self.trigger.is_bounded else 'runs until it is stopped'}"
        for query in self.queries:
            how = "batch by batch" if query.batches else "by the engine"
            yield f"  query  {query.output.name} → {query.output.dataset} {how}, {query.guarantee}"
            yield f"         checkpoint {query.query.checkpoint}"


def with_streams(inputs: Iterable[PlannedInput], spec: FlareSpec, door: Door) -> tuple[PlannedInput, ...]:
    """Return the inputs, those that are streams marked as such: the manifest decides, else the type of the depot."""
    said = {entry.name: entry.is_stream for entry in spec.job.inputs}
    found = []
    for planned in inputs:
        stream = not planned.implicit and _is_stream(said[planned.name], planned, door)
        found.append(replace(planned, request=replace(planned.request, stream=True)) if stream else planned)
    return tuple(found)


def _is_stream(said: bool | None, planned: PlannedInput, door: Door) -> bool:
    if said is not None or planned.address is None:
        return bool(said)
    return door.catalog.find(planned.address.depot, location=planned.location).type in STREAM_TYPES


def plan_streams(
    job: Job,
    spec: FlareSpec,
    inputs: tuple[PlannedInput, ...],
    outputs: tuple[PlannedOutput, ...],
    *,
    door: Door,
    settings: Settings,
) -> StreamPlan | None:
    """Return the queries of a job, or None when none of its inputs is a stream.

    Raises:
        StepError: The job asks for what a stream cannot do.
        DepotError: A checkpoint is in a depot that is unknown or has no folder.
    """
    sources = tuple(planned for planned in inputs if planned.request.stream)
    if not sources:
        return None
    _refuse(job, spec)
    trigger = trigger_of(spec.job.streaming, is_scheduled=job.workflow.section.schedule is not None)
    notes = list(_notes(spec, sources, trigger))
    queries, parts = [], []
    for index, output in enumerate(outputs):
        checkpoint = checkpoint_of(job, spec, output, index, settings)
        folder = door.folder(checkpoint.target, location=checkpoint.location)
        mode = _output_mode(spec)
        query = StreamQuery(
            name=f"{job.id} {output.label}",  # unique among the queries of a session
            checkpoint=folder.place,
            output_mode=mode,
            trigger=trigger.keywords,
            bounded=trigger.is_bounded,
            options=dict(spec.job.streaming.extra_options) if spec.job.streaming else {},
        )
        planned, said = _query(
            job, spec, output, query, trigger, door, asserted=bool(spec.job.outputs[index].assertions)
        )
        owner = Owner(job.id, output.name, tuple(_name(source) for source in sources), output.dataset.partition("?")[0])
        queries.append(replace(planned, position=index, owner=owner, checkpoint_location=checkpoint.location))
        parts.append(folder.requirements)
        notes += [note for note in (checkpoint.note, *said) if note]
    if any(query.batches for query in queries):
        parts.append(veto("connect", "micro-batches are handed over on this machine, where that engine is not"))
    return StreamPlan(trigger, tuple(queries), join(parts), tuple(dict.fromkeys(notes)))


def _query(
    job: Job,
    spec: FlareSpec,
    output: PlannedOutput,
    query: StreamQuery,
    trigger: Trigger,
    door: Door,
    *,
    asserted: bool,
) -> tuple[PlannedStream, list[str]]:
    """Return how one output is written, and what is to say about it."""
    notes: list[str] = []
    request = output.request
    if query.output_mode == "complete":
        request = replace(request, mode="overwrite", merge=None)
    elif request.mode == "overwrite" and not request.dynamic_overwrite:
        if not output.implied_mode:
            notes.append(
                f"{output.label}: `saveMode: overwrite` would leave the last micro-batch only, so rows are appended; "
                "`outputMode: complete` replaces them by the whole result"
            )
        request = replace(request, mode="append")
    output = replace(output, request=request)
    per_batch = spec.job.streaming is not None and spec.job.streaming.for_each_batch_mode
    asked = ("`forEachBatchMode` asks for it",) if per_batch else ()
    if asserted:
        asked = (*asked, "its assertions look at each batch before it is written")
    reasons = asked or door.stream_obstacles(request, query)
    if query.continuous and reasons:
        if per_batch:
            raise StepError(
                "`forEachBatchMode` does not go with `triggerMode: Continuous`, which has no batches",
                step="streaming",
                location=job_location(job, "streaming", "forEachBatchMode"),
                hint="write triggerMode: ProcessingTime, or remove forEachBatchMode",
            )
        in_batches = trigger.in_batches()
        why = "its assertions look at batches" if asserted else f"{output.dataset} takes no single rows"
        notes.append(
            f"{output.label}: {why}, so a micro-batch is written every {in_batches.interval} instead of "
            "`triggerMode: Continuous`"
        )
        query = replace(query, trigger=in_batches.keywords)
        reasons = asked or door.stream_obstacles(request, query)
    guarantee: Guarantee = "exactly once" if door.writes_once(request, by_engine=not reasons) else "at least once"
    owner = Owner(job.id, output.name, (), output.dataset)
    return PlannedStream(0, output, query, owner, tuple(reasons), guarantee, output.location), notes


def _output_mode(spec: FlareSpec) -> OutputMode:
    found = spec.job.streaming.output_mode if spec.job.streaming else None
    return found or "append"


def _name(source: PlannedInput) -> str:
    """Return the text by which a checkpoint knows a source."""
    return source.dataset.partition("?")[0]


def _notes(spec: FlareSpec, sources: tuple[PlannedInput, ...], trigger: Trigger) -> Iterator[str]:
    said = {entry.name for entry in spec.job.inputs if entry.is_stream is not None}
    for source in sources:
        if source.name not in said:
            yield f"{source.label} is read as a stream, because its depot is one of streams; `isStream` says otherwise"
    if trigger.note:
        yield trigger.note


def _refuse(job: Job, spec: FlareSpec) -> None:
    """Refuse what is defined for a whole dataset and not for one that grows.

    Raises:
        StepError: The job asks for it.
    """
    refused = {"assertions": spec.job.assertions, "actions": spec.job.actions, "profile": spec.job.profile}
    for name, section in refused.items():
        if section:
            raise StepError(
                f"`{name}` works on whole datasets, and this job reads a stream",
                step=name,
                location=job_location(job, name),
                hint="put it into a job of its own that reads the dataset which this one writes"
                + ("; `assertions` of an output look at each batch" if name == "assertions" else ""),
            )
    for index, entry in enumerate(spec.job.inputs):
        if entry.is_stream and entry.incremental is not None:
            raise StepError(
                "a stream remembers by itself what it has read, and takes no `incremental`",
                step=f"inputs[{index}]",
                location=job_location(job, "inputs", index, "incremental"),
                hint="remove `incremental`, or write isStream: false",
            )

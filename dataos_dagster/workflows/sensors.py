"""Tell Dagster of jobs that ran without it: what `dataos run` wrote appears as materializations.

Dagster draws what is in its own event log. A job that ran from the command line is in the state database only, so a
sensor looks there and reports each of its writes once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from dataos_dagster.address import Address
from dataos_dagster.errors import AddressError
from dataos_dagster.workflows.metadata import by_dataset, run_metadata, stored_metadata
from dataos_dagster.workflows.translator import JOB_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataos_dagster.settings import Settings
    from dataos_dagster.state.job_runs import JobRun, OutputRecord
    from dataos_dagster.workflows.graph import JobGraph, JobNode

RECORD_KEY = "dataos/job_run"
# What a run outside of Dagster is to the datasets that it used.
AssetEvent = dg.AssetMaterialization | dg.AssetObservation

_SECONDS_BETWEEN_LOOKS = 15
# Reporting an event costs about 15 ms on SQLite, and an evaluation must be done within 60 s.
_RUNS_A_LOOK = 200
# A run whose end was computed before that of another may be stored after it: so late at most.
_OVERTAKEN = timedelta(minutes=5)
_OVERTAKEN_BY_DAGSTER = "`dataos run` wrote this before a run in Dagster did"


@dataclass(frozen=True, slots=True)
class Reported:
    """What is reported already, kept in the sensor's cursor.

    Attributes:
        until: When the last reported run ended.
        runs: Ids of those that ended shortly before.
    """

    until: datetime
    runs: frozenset[str]

    @classmethod
    def parse(cls, cursor: str | None) -> Reported:
        """Return what a cursor says; nothing is reported where there is none."""
        if not cursor:
            return cls(datetime.min.replace(tzinfo=UTC) + _OVERTAKEN, frozenset())
        values = json.loads(cursor)
        return cls(datetime.fromisoformat(values["until"]), frozenset(values["runs"]))

    def and_also(self, runs: Iterable[JobRun]) -> Reported:
        """Return what is reported when these runs are too, besides those that are asked for again anyway."""
        found = [run for run in runs if run.finished_at is not None]
        until = max((run.finished_at for run in found if run.finished_at), default=self.until)
        recent = {run.id for run in found if run.finished_at and run.finished_at >= until - _OVERTAKEN}
        return Reported(until, frozenset(recent))

    def __str__(self) -> str:
        return json.dumps({"until": self.until.isoformat(), "runs": sorted(self.runs)})


def build_run_sensor(label: str, graph: JobGraph, here: Iterable[str], settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that reports what jobs of a location wrote outside of Dagster.

    Args:
        label: Tells this set of manifests apart from others in the same location.
        graph: All jobs of the project.
        here: Ids of the jobs that this location runs.
        settings: Where the state database is.
    """
    nodes = {job_id: graph.nodes[job_id] for job_id in here}

    def report(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from dataos_dagster.state.database import State

        told = Reported.parse(context.cursor)
        limit = _RUNS_A_LOOK + len(told.runs)
        found = State.open(settings).job_runs.ended_outside_dagster(told.until - _OVERTAKEN, limit)
        news = [run for run in found if run.id not in told.runs]
        if not news:
            return dg.SkipReason("every job that ran outside of Dagster is reported")
        events = [(run, event) for run in news if run.job in nodes for event in asset_events(nodes[run.job], run)]
        return dg.SensorResult(asset_events=_not_yet_stored(events, context.instance), cursor=str(told.and_also(found)))

    return dg.SensorDefinition(
        name=f"dataos_runs__{label}",
        evaluation_fn=report,
        description="Reports what `dataos run` wrote, each write once.",
        minimum_interval_seconds=_SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )


def asset_events(node: JobNode, run: JobRun) -> Iterator[AssetEvent]:
    """Yield one materialization for each dataset that a run wrote, and one for the job where it is an asset itself.

    What a run did to a dataset without changing its rows is an observation of it.
    """
    about_job: dict[str, Any] = {
        **run_metadata(run.engine, run.engine_reasons, run.principal, run.seconds),
        RECORD_KEY: run.id,
        "ran_at": dg.MetadataValue.timestamp(run.started_at),
        "job_failed": True if run.status == "failed" else None,
    }
    owned = {address.key for address in node.owned}
    for key, output in by_dataset(run.written, _key).items():
        writer = {} if key in owned else {JOB_KEY: run.job}
        metadata = stored_metadata(output, output.columns) | _known(about_job) | writer
        yield dg.AssetMaterialization(dg.AssetKey(key), metadata=metadata)
    if not node.owned and run.status == "succeeded":
        actions = [f"{each.action} of {each.dataset}: {each.summary}" for each in run.maintained]
        written = {"outputs": [output.dataset for output in run.written] or None, "actions": actions or None}
        yield dg.AssetMaterialization(dg.AssetKey(node.keys[0]), metadata=_known(about_job | written))

    for each in run.maintained:
        about = _key(each)
        if about is not None:
            facts = {"action": each.action, "summary": each.summary, **each.counts, "snapshot_id": each.snapshot_id}
            yield dg.AssetObservation(dg.AssetKey(about), metadata=_known(facts | about_job | {JOB_KEY: run.job}))


def _known(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value is not None}


def _key(output: OutputRecord) -> tuple[str, ...] | None:
    try:
        return Address.parse(output.dataset).key
    except AddressError:  # a path without a depot, of which there is no asset
        return None


def _not_yet_stored(found: list[tuple[JobRun, AssetEvent]], instance: dg.DagsterInstance) -> list[AssetEvent]:
    """Leave out what is in the event log already: a daemon that dies between events and cursor asks for them again."""
    writes = [(run, event) for run, event in found if isinstance(event, dg.AssetMaterialization)]
    observed = [event for _, event in found if isinstance(event, dg.AssetObservation)]
    stored = instance.get_latest_materialization_events({event.asset_key for _, event in writes})
    last = {key: _record_of(entry) for key, entry in stored.items()}
    kept: list[dg.AssetMaterialization] = []
    done: set[dg.AssetKey] = set()
    for run, event in reversed(writes):
        if last.get(event.asset_key) == run.id:
            done.add(event.asset_key)  # and what came before it is stored, too
        if event.asset_key in done:
            continue
        if _is_overtaken(run, stored.get(event.asset_key)):
            # Dagster takes what is reported last for how the dataset is now.
            observed.append(dg.AssetObservation(event.asset_key, _OVERTAKEN_BY_DAGSTER, metadata=event.metadata))
        else:
            kept.append(event)
    return [*kept[::-1], *_not_yet_observed(observed, instance)]


def _is_overtaken(run: JobRun, newest: dg.EventLogEntry | None) -> bool:
    """Return whether a run in Dagster has written the dataset since a run outside of it ended."""
    if newest is None or _record_of(newest) is not None or run.finished_at is None:
        return False
    return newest.timestamp > run.finished_at.timestamp()


def _not_yet_observed(events: list[dg.AssetObservation], instance: dg.DagsterInstance) -> list[dg.AssetObservation]:
    told = set()
    for key in {event.asset_key for event in events}:
        records = instance.fetch_observations(key, limit=_RUNS_A_LOOK).records
        told |= {(key, _text(record.asset_observation)) for record in records if record.asset_observation}
    return [event for event in events if (event.asset_key, _text(event)) not in told]


def _record_of(entry: dg.EventLogEntry | None) -> str | None:
    found = entry.asset_materialization if entry else None
    return _text(found) if found else None


def _text(event: AssetEvent) -> str | None:
    value = event.metadata.get(RECORD_KEY)
    return str(value.value) if value else None

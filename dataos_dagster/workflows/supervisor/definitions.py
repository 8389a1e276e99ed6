"""Services in Dagster: no runs, but assets that are observed, a check of their health, and the sensor that keeps them.

A process without an end is no run: it would hold a slot for ever and die with a deployment. So the sensor of a location
compares what its manifests want with what runs, and says how each service is: an observation when something changed and
once a minute, an evaluation of the check when the verdict changed and every ten minutes.
"""

# No postponed annotations here: Dagster compares that of a parameter `context` with its classes.

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dataos_dagster.address import Address
from dataos_dagster.errors import AddressError
from dataos_dagster.manifests.project import Project
from dataos_dagster.settings import Settings
from dataos_dagster.workflows.graph import JobGraph, JobNode
from dataos_dagster.workflows.services import services_of
from dataos_dagster.workflows.supervisor.processes import ProcessRuntime
from dataos_dagster.workflows.supervisor.reconcile import Supervisor
from dataos_dagster.workflows.supervisor.service import Actual, Change, Service

CHECK = "service_is_healthy"
# An event costs some 15 ms in SQLite: unchanged services are told about once in a while.
OBSERVED_EVERY = 60.0
CHECKED_EVERY = 600.0
_TICK_SECONDS = 15


@dataclass(frozen=True, slots=True)
class ServiceDefinitions:
    """What Dagster shows of the services of a location."""

    checks: tuple[dg.AssetChecksDefinition, ...] = ()
    sensors: tuple[dg.SensorDefinition, ...] = ()


def build_services(
    label: str, graph: JobGraph, here: tuple[str, ...], project: Project, settings: Settings
) -> ServiceDefinitions:
    """Return the check of every service of a location and the sensor that keeps them running; nothing without services.

    A location whose manifests want none any more has the sensor for as long as one runs that it had started.

    Args:
        label: Tells the locations of a project apart: what one has started, no other one ends.
        graph: All jobs of the project.
        here: Ids of the jobs of this location.
        project: The project.
        settings: Whether the sensor starts running (`schedules`), and the folder of local state.
    """
    nodes = {job_id: graph.nodes[job_id] for job_id in here if graph.nodes[job_id].service is not None}
    runtime = ProcessRuntime.of(settings)
    if not nodes and not _left_behind(label, runtime):
        return ServiceDefinitions()
    # A manifest that cannot be read may want what runs: only somebody who has mended it can take that back.
    certain = not project.errors and not any(node.blocked for node in nodes.values())
    wanted = _Wanted(label, nodes, services_of(graph, project, settings, nodes), certain=certain)
    return ServiceDefinitions((_checks(label, nodes, runtime),) if nodes else (), (_sensor(wanted, runtime, settings),))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the manifests of a location want.

    Attributes:
        certain: Every manifest was understood, so that what is not in `services` is wanted by nobody.
    """

    label: str
    nodes: Mapping[str, JobNode]
    services: Mapping[str, Service]
    certain: bool


def _left_behind(label: str, runtime: ProcessRuntime) -> bool:
    """Return whether a service runs that this location has started."""
    return any(actual.is_running and actual.scope == label for actual in map(runtime.actual, runtime.names()))


def _checks(label: str, nodes: Mapping[str, JobNode], runtime: ProcessRuntime) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(CHECK, asset=dg.AssetKey(key), description="The service runs and reports.")
        for node in nodes.values()
        for key in node.keys
    ]

    @dg.multi_asset_check(name=f"dataos_services__{label}", specs=specs, can_subset=True)
    def services_are_healthy(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        wanted = {check.asset_key for check in context.selected_asset_check_keys}
        for job_id, node in nodes.items():
            actual = runtime.actual(job_id)
            for key in map(dg.AssetKey, node.keys):
                if key in wanted:
                    yield dg.AssetCheckResult(
                        asset_key=key,
                        check_name=CHECK,
                        passed=is_healthy(actual),
                        severity=_severity(actual),
                        metadata=_about(actual),
                    )

    return services_are_healthy


def _sensor(wanted: _Wanted, runtime: ProcessRuntime, settings: Settings) -> dg.SensorDefinition:
    supervisor = Supervisor(runtime, wanted.label)

    def reconcile(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        changes = supervisor.reconcile(wanted.services, certain=wanted.certain)
        for change in changes:
            context.log.info("%s: %s, because %s", change.name, change.action, change.reason)
        told: dict[str, dict[str, Any]] = json.loads(context.cursor) if context.cursor else {}
        events: list[dg.AssetObservation | dg.AssetCheckEvaluation] = []
        for job_id, node in wanted.nodes.items():
            found, told[job_id] = _events(node, runtime.actual(job_id), told.get(job_id, {}))
            events += found
        said = [] if events or changes else ["every service is as it was"]
        return dg.SensorResult(
            asset_events=events,
            skip_reason="; ".join([*said, *map(_told, changes)]) or None,
            cursor=json.dumps(told),
        )

    running = settings.schedules == "running"
    return dg.SensorDefinition(
        name=f"dataos_services__{wanted.label}",
        evaluation_fn=_evaluation(reconcile),
        description="Keeps services running as their manifests want it, and says how they are.",
        minimum_interval_seconds=_TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED,
    )


def _evaluation(
    reconcile: Callable[[dg.SensorEvaluationContext], dg.SensorResult],
) -> Callable[[dg.SensorEvaluationContext], dg.SensorResult]:
    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return reconcile(context)

    return evaluate


def _events(
    node: JobNode, actual: Actual, told: Mapping[str, Any]
) -> tuple[list[dg.AssetObservation | dg.AssetCheckEvaluation], dict[str, Any]]:
    """Return what is to be said about a service, and what has been said by then."""
    now = datetime.now(UTC).timestamp()
    known, healthy = dict(told), is_healthy(actual)
    events: list[dg.AssetObservation | dg.AssetCheckEvaluation] = []
    if actual.state != known.get("state") or now - known.get("observed", 0) >= OBSERVED_EVERY:
        known |= {"state": actual.state, "observed": now}
        events += [dg.AssetObservation(dg.AssetKey(key), metadata=metadata_of(actual, key)) for key in node.keys]
    if healthy != known.get("healthy") or now - known.get("checked", 0) >= CHECKED_EVERY:
        known |= {"healthy": healthy, "checked": now}
        events += [
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(key),
                check_name=CHECK,
                passed=healthy,
                severity=_severity(actual),
                metadata=_about(actual),
            )
            for key in node.keys
        ]
    return events, known


def is_healthy(actual: Actual) -> bool:
    """Return whether a service runs; one that starts for the first time is given time."""
    return actual.state == "running" or (actual.state == "starting" and actual.failures == 0)


def metadata_of(actual: Actual, key: tuple[str, ...]) -> dict[str, Any]:
    """Return how a service is, with the figures of the query that writes one dataset."""
    metrics = actual.report.metrics if actual.report else ()
    if key == tuple(actual.name.split("/")) and len(metrics) == 1:
        # A job that writes to no depot is an asset itself.
        figures = metrics[0]
    else:
        figures = next((found for found in metrics if _key_of(found.get("dataset", "")) == key), {})
    return _about(actual) | {name: value for name, value in figures.items() if value is not None}


def _key_of(dataset: str) -> tuple[str, ...] | None:
    """Return the asset key of a dataset; None for a place that has no address."""
    try:
        return Address.parse(dataset).key
    except AddressError:
        return None


def _about(actual: Actual) -> dict[str, Any]:
    known: dict[str, Any] = {"state": actual.state, "failures_in_a_row": actual.failures}
    if actual.pid is not None:
        known["pid"] = actual.pid
    if actual.since is not None:
        known["since"] = actual.since.isoformat(timespec="seconds")
    if actual.next_start is not None and not actual.is_running:
        known["next_start"] = actual.next_start.isoformat(timespec="seconds")
    if actual.report and actual.report.message:
        known["message"] = actual.report.message
    return known


def _severity(actual: Actual) -> dg.AssetCheckSeverity:
    by_hand = actual.wish == "stopped"
    return dg.AssetCheckSeverity.WARN if by_hand else dg.AssetCheckSeverity.ERROR


def _told(change: Change) -> str:
    return f"{change.name}: {change.action}"

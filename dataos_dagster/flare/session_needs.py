"""What a job needs of the session that it runs on: identities, connectors, configuration and sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.engines.connect import left_to_cluster
from dataos_dagster.engines.session import SessionConfiguration
from dataos_dagster.errors import DataOSError, DepotUnsupported, NotYetRun
from dataos_dagster.flare.sizing import merged_conf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.maintenance import MaintenanceRequest
    from dataos_dagster.depots.requests import ReadRequest, Requirements, WriteRequest
    from dataos_dagster.flare.actions.plan import PlannedAction
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.sizing import Sizing
    from dataos_dagster.settings import EngineName


def in_session_of(
    planned: PlannedInput, outputs: tuple[PlannedOutput, ...], actions: tuple[PlannedAction, ...]
) -> PlannedInput:
    """Return an input that is read with the identity that the job's session has for its depot."""
    from dataos_dagster.depots.door import beside

    writes: list[WriteRequest | MaintenanceRequest] = [output.request for output in outputs]
    writes += [action.request for action in actions]
    schema = beside(planned.schema, writes) if planned.schema else None
    return replace(planned, request=beside(planned.request, writes), schema=schema)


def requirements_of(door: Door, request: ReadRequest | WriteRequest | MaintenanceRequest) -> Requirements:
    """Return what the session needs for a request; an error of the door gets the place of the request.

    Raises:
        DepotError: A depot is unknown, or cannot do what is asked.
        NotYetRun: A depot is of a type that nothing here reads yet.
    """
    try:
        return door.requirements([request])
    except DataOSError as error:
        if isinstance(error, DepotUnsupported) and _is_of_planned_type(door, request):
            raise NotYetRun(error.message, hint=error.hint, location=request.location) from None
        error.location = error.location or request.location
        raise


def _is_of_planned_type(door: Door, request: ReadRequest | WriteRequest | MaintenanceRequest) -> bool:
    """Return whether a request is for a depot of a source type that nothing here reads yet."""
    from dataos_dagster.depots.support import family_of

    if request.target.address is None:
        return False
    depot = door.catalog.find(request.target.address.depot)
    return family_of(depot.type, depot.subprotocol) is None


def merged_vetoes(*sources: Mapping[EngineName, tuple[str, ...]]) -> dict[EngineName, tuple[str, ...]]:
    """Return the reasons of all sources against each engine."""
    vetoes: dict[EngineName, tuple[str, ...]] = {}
    for source in sources:
        for engine, reasons in source.items():
            vetoes[engine] = (*vetoes.get(engine, ()), *reasons)
    return vetoes


def notes_of_cluster(requirements: Requirements, sizing: Sizing) -> tuple[str, ...]:
    """Return what the job asks of its engine, and an existing cluster has as it has it."""
    conf = merged_conf(requirements.conf.get("connect", {}), sizing.conf)
    if sizing.driver_memory:
        conf["spark.driver.memory"] = sizing.driver_memory
    secret = (*requirements.secret_conf.get("connect", {}), *sizing.secret_conf)
    return left_to_cluster(conf, secret, requirements.packages)


def configuration_of(engine: EngineName, requirements: Requirements, sizing: Sizing) -> SessionConfiguration:
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
        driver_memory=sizing.heap if spark else None,
        driver_cores=sizing.driver_cores if spark else None,
    )

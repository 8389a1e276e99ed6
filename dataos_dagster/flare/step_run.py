"""Running the steps of a job one after the other: each one's result is a view of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import StatementFailed, StepError
from dataos_dagster.flare.functions.function import EngineUnsuited, FunctionError
from dataos_dagster.flare.step_failures import failure_of, mistake_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.functions.function import Function
    from dataos_dagster.flare.lineage import Lineage
    from dataos_dagster.flare.steps import PlannedStep
    from dataos_dagster.settings import EngineName


def run_step(
    step: PlannedStep,
    session: EngineSession,
    lineage: Lineage,
    check: Callable[[Function, DataFrame, Location], None] | None = None,
) -> DataFrame | None:
    """Register the view of a step and return its frame; None for a statement without a result.

    The frame that is returned is the view's, not the query's: engines evaluate a frame that was made before a view of
    the same name was replaced with the new view.

    Args:
        step: The step.
        session: Where its views are.
        lineage: Learns what the step makes of its columns.
        check: Called before each function with the rows that it is about to change and its place.

    Raises:
        StepError: The engine refuses the SQL, or a function does not fit.
        EngineUnsuited: Another engine may take it.
        EngineCrashed: The engine's process ended.
    """
    frames: list[DataFrame] = []
    try:
        with session.failures(step.location):
            if step.statement.kind != "query":
                _run_caching(step, session)
                return None
            frames.append(session.spark.sql(step.sql))
            for index, (function, place) in enumerate(zip(step.functions, step.places, strict=True)):
                if check is not None:
                    check(function, frames[-1], place)
                frames.append(_applied(step, index, frames[-1], session.engine))
            lineage.add_step(step, frames[1:])
            frame = register(frames[-1], step.name, session)
            if step.statement.target:
                _cache(step.name, session)
    except StatementFailed as failed:
        raise failure_of(step, failed, session, frames) from failed
    return frame


def mistake_in(step: PlannedStep, session: EngineSession) -> StepError | None:
    """Return what is wrong with a step on every engine; None when nothing is, or when only this engine refuses it.

    Args:
        step: A query, and functions.
        session: Where the views are that it reads; no view is made.
    """
    try:
        with session.failures(step.location):
            frame = session.spark.sql(step.sql)
            _ = frame.schema
    except StatementFailed as failed:
        return mistake_of(step, failed, session)
    try:
        with session.failures(step.location):
            for index in range(len(step.functions)):
                frame = _applied(step, index, frame, session.engine)
    except StepError as error:
        return error
    except (EngineUnsuited, StatementFailed):
        return None
    return None


def register(frame: DataFrame, name: str, session: EngineSession) -> DataFrame:
    """Make a frame a view and return the view's own frame."""
    frame.createOrReplaceTempView(name)
    return session.spark.table(name)


def _applied(step: PlannedStep, index: int, frame: DataFrame, engine: EngineName) -> DataFrame:
    try:
        return step.functions[index].apply(frame, engine)
    except EngineUnsuited as error:
        error.location = step.places[index]
        raise
    except FunctionError as error:
        place = step.place_in_function(index, error.word)
        raise StepError(f"{step.label}: {error.message}", step=step.label, hint=error.hint, location=place) from None


def _run_caching(step: PlannedStep, session: EngineSession) -> None:
    if session.engine != "sail":
        session.spark.sql(step.sql)


def _cache(name: str, session: EngineSession) -> None:
    if session.engine != "sail":
        session.spark.sql(f"CACHE TABLE {quoted(name)}")


def run_commands(step: PlannedStep, session: EngineSession, views: Mapping[str, str]) -> None:
    """Keep views in memory or let them go, as the step's `commands` say; Sail keeps none.

    Args:
        step: The step.
        session: Where its view is.
        views: Lower-case names of the job's views to the session's spelling.
    """
    if session.engine == "sail":
        return
    for command in step.commands:
        name = quoted(views.get(command.sequence_name.lower(), command.sequence_name))
        session.spark.sql(f"UNCACHE TABLE IF EXISTS {name}")
        if command.name == "persist":
            level = f" OPTIONS ('storageLevel' '{command.mode}')" if command.mode else ""
            session.spark.sql(f"CACHE LAZY TABLE {name}{level}")

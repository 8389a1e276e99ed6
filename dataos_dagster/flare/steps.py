"""The steps of a job: resolved against its views before anything runs, then run one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import AddressError, StepError, UnknownView
from dataos_dagster.flare.functions.function import EngineUnsuited, FunctionError
from dataos_dagster.flare.functions.registry import ParameterError, read_function
from dataos_dagster.flare.joining import JOINER, join_query
from dataos_dagster.flare.locations import job_location, location_in_text
from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import Statement, parse_statement, replace_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.functions.function import Function
    from dataos_dagster.flare.lineage import Lineage
    from dataos_dagster.flare.manifest import Command, SequenceItem
    from dataos_dagster.flare.relations import Relation
    from dataos_dagster.flare.views import Views
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.settings import EngineName
    from dataos_dagster.workflows.jobs import Job


# What Sail says of a view with two columns of one name.
_TWICE = "duplicate qualified field name"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One item of a sequence, resolved.

    Attributes:
        label: What it is called in messages: `steps[0].sequence[1] "daily"`.
        name: View that the result becomes, as the session knows it.
        text: Its SQL as the manifest has it, in which lines and columns count.
        statement: Its SQL, parsed.
        sql: What the engine is given: the manifest's SQL, with implicit inputs replaced by their views.
        functions: Applied in order to the result.
        places: Where each function stands.
        location: Where the SQL begins.
        path: Of the SQL, below the manifest's `job:`.
    """

    label: str
    name: str
    text: str = field(repr=False)
    statement: Statement
    sql: str
    functions: tuple[Function, ...]
    places: tuple[Location, ...]
    commands: tuple[Command, ...]
    location: Location
    path: DocumentPath
    job: Job = field(repr=False)

    def at(self, line: int, column: int) -> Location:
        """Return the place in the manifest of a line and column of the SQL."""
        return location_in_text(self.job, self.path, self.text, line, column)


def plan_step(job: Job, path: DocumentPath, item: SequenceItem, views: Views) -> PlannedStep:
    """Return one item of a sequence, resolved; its view is known to later steps from here on.

    Args:
        job: The job it belongs to.
        path: Of the item, below the manifest's `job:`.
        item: As the manifest has it.
        views: Views of inputs and earlier steps.

    Raises:
        StepError: The SQL is no query, reads what is no view and no dataset, or a function is wrong.
    """
    label = f'steps[{path[1]}].sequence[{path[3]}] "{item.name}"'
    sql_path = (*path, "sql" if item.sql is not None else "params")
    text = _query_of(job, path, item, label)
    try:
        statement = parse_statement(text)
        resolver = _Resolver(views, label, text, lambda *place: location_in_text(job, sql_path, text, *place))
        sql = resolver.resolved(statement)
    except SqlRefused as refused:
        location = location_in_text(job, sql_path, text, refused.line, refused.column, refused.length)
        raise StepError(
            f"{label}: {refused.message}", step=label, sql=text, hint=refused.hint, location=location
        ) from None
    functions, places = _functions(job, path, item, label)
    name = statement.target if statement.kind == "query" and statement.target else item.name
    return PlannedStep(
        label=label,
        name=views.add(name) if statement.kind == "query" else name,
        text=text,
        statement=statement,
        sql=sql,
        functions=functions,
        places=places,
        commands=item.commands,
        location=job_location(job, *sql_path),
        path=sql_path,
        job=job,
    )


def resolve_names(
    statement: Statement, views: Views, *, label: str, text: str, place: Callable[[int, int, int], Location]
) -> str:
    """Return a statement's SQL with every relation under the name that the session knows it by.

    Args:
        statement: The SQL, parsed.
        views: Views of inputs and steps; datasets that are named become inputs of the job.
        label: For messages.
        text: The SQL as the manifest has it.
        place: Returns where a line, column and length of the statement stand in the manifest.

    Raises:
        UnknownView: A name is no view, and no dataset.
    """
    return _Resolver(views, label, text, place).resolved(statement)


def _query_of(job: Job, path: DocumentPath, item: SequenceItem, label: str) -> str:
    """Return the query of an item: its SQL, or what its declared join means."""
    if item.sql is not None:
        return item.sql
    if item.classpath != JOINER:
        raise StepError(
            f"{label} has no SQL",
            step=label,
            location=job_location(job, *path, "name"),
            hint="write `sql: SELECT … FROM <view>`, or `sqlFile:`",
        )
    try:
        return join_query(item.params)
    except SqlRefused as refused:
        location = job_location(job, *path, "params")
        raise StepError(f"{label}: {refused.message}", step=label, hint=refused.hint, location=location) from None


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
        EngineCrashed: The engine's process ended.
    """
    from dataos_dagster.errors import StatementFailed
    from dataos_dagster.flare.foresight import misnamed

    try:
        with session.failures(step.location):
            if step.statement.kind != "query":
                _run_caching(step, session)
                return None
            frames = [session.spark.sql(step.sql)]
            for function, place in zip(step.functions, step.places, strict=True):
                if check is not None:
                    check(function, frames[-1], place)
                frames.append(_applied(step, function, frames[-1], place, session.engine))
            lineage.add_step(step, frames[1:])
            frame = register(frames[-1], step.name, session)
            if step.statement.target:
                _cache(step.name, session)
    except StatementFailed as failed:
        if session.engine == "sail" and _TWICE in failed.message:
            raise EngineUnsuited(
                f"{step.label}: Sail has no view with two columns of one name",
                hint="name the columns, or run the job on Spark: `--engine spark`",
                location=step.location,
            ) from failed
        raise misnamed(step, session) or _explained(step, failed) from failed
    return frame


def register(frame: DataFrame, name: str, session: EngineSession) -> DataFrame:
    """Make a frame a view and return the view's own frame."""
    frame.createOrReplaceTempView(name)
    return session.spark.table(name)


def _explained(step: PlannedStep, failed: Exception) -> StepError:
    message = getattr(failed, "message", str(failed))
    return StepError(
        f"{step.label}: {message}", step=step.label, sql=step.sql, hint=_hint(message), location=step.location
    )


def _hint(message: str) -> str:
    """Return what to do about an engine's message."""
    if "UNRESOLVED_COLUMN" in message or "olumn" in message:
        return "compare with the columns of the views it reads: showPreviewLines: 5 prints them"
    return "the message is the engine's; `dataos run --engine spark` or `--engine sail` tells whether the other agrees"


def _applied(step: PlannedStep, function: Function, frame: DataFrame, place: Location, engine: EngineName) -> DataFrame:
    try:
        return function.apply(frame, engine)
    except EngineUnsuited as error:
        error.location = place
        raise
    except FunctionError as error:
        raise StepError(f"{step.label}: {error.message}", step=step.label, hint=error.hint, location=place) from None


def _run_caching(step: PlannedStep, session: EngineSession) -> None:
    if session.engine != "sail":
        session.spark.sql(step.sql)


def _cache(name: str, session: EngineSession) -> None:
    if session.engine != "sail":
        session.spark.sql(f"CACHE TABLE {quoted(name)}")


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Replaces names of relations by those that the session knows.

    Attributes:
        views: Views of inputs and earlier steps.
        label: Of the step, for messages.
        text: Its SQL, as the manifest has it.
        place: Returns where a line, column and length of the SQL stand in the manifest.
    """

    views: Views
    label: str
    text: str
    place: Callable[[int, int, int], Location]

    def resolved(self, statement: Statement) -> str:
        """Return the SQL with every relation replaced that the session knows by another name."""
        spans: dict[tuple[int, int], str] = {}
        aliases: dict[tuple[str, ...], str] = {}
        for relation in statement.relations:
            view = self._view(relation)
            if view == relation.name:
                continue
            # Columns qualified by the name that the SQL uses must find it: hence the alias.
            alias = "" if relation.alias else f" AS {quoted(relation.parts[-1])}"
            spans[relation.start, relation.end] = f"{quoted(view)}{alias}"
            aliases[_folded(relation.parts)] = relation.alias or relation.parts[-1]
        for start, end, qualifier in statement.qualified:
            alias_of = aliases.get(_folded(qualifier))
            if alias_of is not None:
                spans[start, end] = quoted(alias_of)
        if statement.kind != "query":
            self._check_target(statement)
        return replace_spans(statement.sql, spans)

    def _view(self, relation: Relation) -> str:
        known = self.views.find(relation.parts[0]) if len(relation.parts) == 1 else None
        if known is not None:
            return known
        where = self.place(relation.line, relation.column, relation.end - relation.start)
        try:
            return self.views.implicit_view(relation, where)
        except AddressError as error:
            hint = self.views.closest(relation.name) if len(relation.parts) < _ADDRESS_PARTS else error.hint
            unknown = self._unknown(error.message, hint, where)
        return self.views.stand_in(relation.name, unknown)

    def _check_target(self, statement: Statement) -> None:
        name = statement.target or ""
        if self.views.find(name) is None:
            message = f"{statement.kind.upper()}: there is no view {name!r} here"
            self.views.stand_in(name, self._unknown(message, self.views.closest(name), self.place(1, 1, 1)))

    def _unknown(self, message: str, hint: str | None, location: Location) -> UnknownView:
        return UnknownView(f"{self.label}: {message}", step=self.label, sql=self.text, hint=hint, location=location)


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.lower() for part in parts)


# depot.collection.dataset
_ADDRESS_PARTS = 3


def _functions(
    job: Job, path: DocumentPath, item: SequenceItem, label: str
) -> tuple[tuple[Function, ...], tuple[Location, ...]]:
    functions, places = [], []
    for index, call in enumerate(item.functions):
        place = (*path, "functions", index)
        try:
            functions.append(read_function(call.name, call.parameters))
        except ParameterError as error:
            # A manifest that was checked has no such mistake, and was told all of them.
            location = job_location(job, *place, *error.path)
            raise StepError(f"{label}: {error}", step=label, location=location, hint=error.hint or None) from None
        places.append(job_location(job, *place, "name"))
    return tuple(functions), tuple(places)


def caching_notes(step: PlannedStep) -> tuple[str, ...]:
    """Return what Sail leaves out of a step: it keeps no view in memory."""
    kind = step.statement.kind
    left_out = [kind.upper()] if kind != "query" else []
    left_out += ["CACHE"] if step.statement.target and kind == "query" else []
    left_out += [command.name for command in step.commands]
    return tuple(f"{step.label}: {word} has no effect on Sail" for word in left_out)


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

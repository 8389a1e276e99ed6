"""What an engine's refusal of a step means, in the words of the manifest: a name that is wrong, a column not grouped.

Engines tell it in their own words, and Sail in numbers of columns. The SQL and the columns of its views say which word
of the manifest is at fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataos_dagster.engines.text_places import place_of
from dataos_dagster.errors import EngineError, StepError
from dataos_dagster.flare.engine_words import refusal
from dataos_dagster.flare.functions.function import EngineUnsuited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from pyspark.sql import DataFrame

    from dataos_dagster.engines.routing.names import UnknownName
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import DataOSError, Location, StatementFailed
    from dataos_dagster.flare.steps import PlannedStep

# What Sail says of a view with two columns of one name.
_TWICE = "duplicate qualified field name"
# How Sail names a column of a relation: by its place.
_NUMBERED = re.compile(r'(?P<relation>\w+)\.(?P<quote>"?)#(?P<place>\d+)(?P=quote)')
# What engines say when a column is neither grouped nor aggregated.
_NOT_GROUPED = re.compile(rf"MISSING_AGGREGATION|MISSING_GROUP_BY|{_NUMBERED.pattern}")
# What they say of a column that several relations have.
_AMBIGUOUS = re.compile(r"Reference `(?:\w+`\.`)*(?P<spark>\w+)` is ambiguous|ambiguous attribute: (?P<sail>\w+)$")
_SHOWN_COLUMNS = 30


def failure_of(
    step: PlannedStep, failed: StatementFailed, session: EngineSession, frames: Sequence[DataFrame] = ()
) -> DataOSError:
    """Return the error of a step that an engine refused.

    Args:
        step: The step.
        failed: What the engine said.
        session: Where the views are that it reads.
        frames: The results of its query and of each function after it, as far as it came; they are lazy, so that the
            engine may refuse one of them only when the last is made a view.
    """
    if session.engine == "sail" and _TWICE in failed.message:
        return EngineUnsuited(
            f"{step.label}: Sail has no view with two columns of one name",
            hint="name the columns, or run the job on Spark: `--engine spark`",
            location=step.location,
        )
    refused = _refused_function(frames, session)
    if refused is not None:
        function, place, said = step.functions[refused], step.places[refused], refusal(failed.message, step.sql)
        message = f"{step.label}: {function.name}: {said.message}"
        return StepError(message, step=step.label, sql=step.sql, hint=said.hint, location=place)
    views = _columns_read(step, session)
    return _told_by_text(step, failed, views) or _explained(step, _in_names(failed.message, step, views))


def mistake_of(step: PlannedStep, failed: StatementFailed, session: EngineSession) -> StepError | None:
    """Return the error of a query that its text shows to be wrong on every engine; None where one alone refuses it.

    Args:
        step: The step.
        failed: What one engine said of its query.
        session: Where the views are that it reads.
    """
    return _told_by_text(step, failed, _columns_read(step, session))


def misnamed(step: PlannedStep, unknown: UnknownName) -> StepError:
    """Return the error of a name in a step that means nothing."""
    close = " or ".join(repr(name) for name in unknown.close)
    what = "there is no function" if unknown.kind == "function" else "no view that it reads has a column"
    hint = f"did you mean {close}?" if close else None
    if hint is None and unknown.kind == "column":
        more = ", …" if len(unknown.known) > _SHOWN_COLUMNS else ""
        hint = f"columns: {', '.join(unknown.known[:_SHOWN_COLUMNS])}{more}"
    return StepError(
        f"{step.label}: {what} {unknown.name!r}",
        step=step.label,
        sql=step.text,
        hint=hint,
        location=_place(step, unknown.name, unknown.line, unknown.column),
    )


def _refused_function(frames: Sequence[DataFrame], session: EngineSession) -> int | None:
    """Return the position of the first function whose result the engine refuses; None when it is the query itself."""
    for position, frame in enumerate(frames):
        try:
            with session.failures():
                _ = frame.schema
        except EngineError:
            return position - 1 if position else None
    return None


def _columns_read(step: PlannedStep, session: EngineSession) -> dict[str, Sequence[str]]:
    """Return the columns of the views that a step reads, by lower-case name; none where the engine does not tell."""
    read = {relation.parts[0].lower() for relation in step.statement.relations if len(relation.parts) == 1}
    try:
        with session.failures(step.location):
            known = [table.name for table in session.spark.catalog.listTables() if table.isTemporary]
            return {name.lower(): session.spark.table(name).columns for name in known if name.lower() in read}
    except EngineError:
        return {}


def _told_by_text(step: PlannedStep, failed: StatementFailed, views: Mapping[str, Sequence[str]]) -> StepError | None:
    return _of_names(step, views) or _of_groups(step, failed) or _of_ambiguity(step, failed, views)


def _of_names(step: PlannedStep, views: Mapping[str, Sequence[str]]) -> StepError | None:
    from dataos_dagster.engines.routing.names import unknown_columns

    unknown = unknown_columns(step.sql, views)
    return misnamed(step, unknown[0]) if unknown else None


def _of_groups(step: PlannedStep, failed: StatementFailed) -> StepError | None:
    from dataos_dagster.flare.grouping import ungrouped_column

    found = ungrouped_column(step.statement.sql) if _NOT_GROUPED.search(failed.message) else None
    if found is None:
        return None
    return StepError(
        f"{step.label}: {found.name!r} is neither grouped nor aggregated",
        step=step.label,
        sql=step.text,
        hint=f"add it to GROUP BY, or say which of a group's values is meant: max({found.name})",
        location=step.at(found.line, found.column, len(found.name)),
    )


def _of_ambiguity(step: PlannedStep, failed: StatementFailed, views: Mapping[str, Sequence[str]]) -> StepError | None:
    """Return the error of a column that more than one relation has, and that the query does not say of which."""
    said = refusal(failed.message, step.sql)
    found = _AMBIGUOUS.search(said.message)
    if found is None:
        return None
    name = found["spark"] or found["sail"]
    relations = [(relation.alias or relation.parts[-1], relation.parts[-1]) for relation in step.statement.relations]
    having = [
        alias for alias, view in relations if name.lower() in (column.lower() for column in views.get(view.lower(), ()))
    ]
    of = f": {' and '.join(having)} have it" if len(having) > 1 else ""
    line, column, length = said.place or _unqualified(step.sql, name) or (0, 0, 0)
    as_written = line and step.is_as_written
    return StepError(
        f"{step.label}: {name!r} may mean more than one column{of}",
        step=step.label,
        sql=step.text,
        hint=f"say of which: {' or '.join(f'{alias}.{name}' for alias in having or ('<relation>',))}",
        location=step.at(line, column, length) if as_written else step.location,
    )


def _unqualified(sql: str, name: str) -> tuple[int, int, int] | None:
    """Return the place of the first column of a name that stands without a relation, among those of a join."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, dialect="spark")
    except SqlglotError:
        return None
    found = [
        column.this.meta
        for column in tree.find_all(exp.Column)
        if len(column.parts) == 1 and column.name.lower() == name.lower() and _joins(column.parent_select)
    ]
    places = sorted(meta["start"] for meta in found if "start" in meta)
    return (*place_of(sql, places[0]), len(name)) if places else None


def _joins(select: Any) -> bool:
    return select is not None and bool(select.args.get("joins"))


def _in_names(message: str, step: PlannedStep, views: Mapping[str, Sequence[str]]) -> str:
    """Return what Sail says with the names of columns in the place of their numbers."""
    relations = ((relation.alias or relation.parts[-1], relation.parts[-1]) for relation in step.statement.relations)
    columns = {alias.lower(): views.get(view.lower(), ()) for alias, view in relations}

    def name(found: re.Match[str]) -> str:
        of_relation, place = columns.get(found["relation"].lower(), ()), int(found["place"])
        return f"{found['relation']}.{of_relation[place]}" if place < len(of_relation) else found[0]

    return _NUMBERED.sub(name, message)


def _explained(step: PlannedStep, message: str) -> StepError:
    said = refusal(message, step.sql)
    place = step.at(*said.place) if said.place and step.is_as_written else step.location
    return StepError(f"{step.label}: {said.message}", step=step.label, sql=step.sql, hint=said.hint, location=place)


def _place(step: PlannedStep, name: str, line: int, column: int) -> Location:
    """Return where a name stands in the manifest; datasets named in SQL stand in `step.sql` under another name."""
    if step.is_as_written:
        return step.at(line, column, len(name))
    found = re.search(rf"\b{re.escape(name)}\b", step.text, re.IGNORECASE)
    if found is None:
        return step.location
    return step.at(*place_of(step.text, found.start()), len(name))

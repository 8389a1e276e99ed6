"""What an engine's refusal of a step means, in the words of the manifest: a name that is wrong, a column not grouped.

Engines tell it in their own words, and Sail in numbers of columns. The SQL and the columns of its views say which word
of the manifest is at fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataos_dagster.errors import EngineError, StepError
from dataos_dagster.flare.functions.function import EngineUnsuited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        function, place = step.functions[refused], step.places[refused]
        message = f"{step.label}: {function.name}: {failed.message}"
        return StepError(message, step=step.label, sql=step.sql, hint=_hint(failed.message), location=place)
    views = _columns_read(step, session)
    message = _in_names(failed.message, step, views)
    return _of_names(step, views) or _of_groups(step, failed) or _explained(step, message)


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


def _in_names(message: str, step: PlannedStep, views: Mapping[str, Sequence[str]]) -> str:
    """Return what Sail says with the names of columns in the place of their numbers."""
    relations = ((relation.alias or relation.parts[-1], relation.parts[-1]) for relation in step.statement.relations)
    columns = {alias.lower(): views.get(view.lower(), ()) for alias, view in relations}

    def name(found: re.Match[str]) -> str:
        of_relation, place = columns.get(found["relation"].lower(), ()), int(found["place"])
        return f"{found['relation']}.{of_relation[place]}" if place < len(of_relation) else found[0]

    return _NUMBERED.sub(name, message)


def _explained(step: PlannedStep, message: str) -> StepError:
    return StepError(
        f"{step.label}: {message}", step=step.label, sql=step.sql, hint=_hint(message), location=step.location
    )


def _hint(message: str) -> str:
    """Return what to do about an engine's message."""
    if "UNRESOLVED_COLUMN" in message or "olumn" in message:
        return "compare with the columns of the views it reads: showPreviewLines: 5 prints them"
    return "the message is the engine's; `dataos run --engine spark` or `--engine sail` tells whether the other agrees"


def _place(step: PlannedStep, name: str, line: int, column: int) -> Location:
    """Return where a name stands in the manifest; datasets named in SQL stand in `step.sql` under another name."""
    if step.is_as_written:
        return step.at(line, column, len(name))
    found = re.search(rf"\b{re.escape(name)}\b", step.text, re.IGNORECASE)
    if found is None:
        return step.location
    before = step.text[: found.start()]
    return step.at(before.count("\n") + 1, found.start() - (before.rfind("\n") + 1) + 1, len(name))

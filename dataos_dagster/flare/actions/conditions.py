"""Conditions about the rows of a table: SQL of the manifest. Of rows to delete, the table is called `target`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.engines.routing import constructs_of
from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import location_in_text
from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import parse_statement
from dataos_dagster.flare.view_names import resolve_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.actions.plan import PlannedAction
    from dataos_dagster.flare.relations import Relation
    from dataos_dagster.flare.views import Views
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.workflows.jobs import Job

# What the table is called where its condition is looked at; nothing is registered under it.
TABLE = "rows_of_target"
# On a line of its own, so that lines of the statement are lines of the condition.
_HEAD = f"SELECT * FROM {TABLE} AS target WHERE\n"  # noqa: S608 - parsed, and never run
# Parts of a query that are no part of a condition.
_BEHIND = ("group", "having", "qualify", "order", "sort", "cluster", "distribute", "limit", "offset", "windows")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, resolved.

    Attributes:
        sql: What the engine is given: names of views as the session knows them.
        query: A query with the condition over `TABLE`: what it compares is looked up there.
        constructs: What it uses of SQL, at the lines of the manifest.
    """

    sql: str
    query: str
    constructs: tuple[Construct, ...]


def plan_condition(job: Job, path: DocumentPath, text: str, label: str, views: Views | None) -> Condition:
    """Return the condition at a path below `job:`; datasets that it names become inputs of the job.

    Args:
        job: The job it belongs to.
        path: Of `deleteWhere`, or of the `where` of a compaction.
        text: The condition.
        label: Of the action, for messages.
        views: Views of inputs and steps; None where it may speak of the table's columns only.

    Raises:
        StepError: It is no condition, or reads what is no view and no dataset.
    """

    def place(line: int, column: int, length: int = 1) -> Location:
        return location_in_text(job, path, text, max(line - 1, 1), column, length)

    try:
        statement = parse_statement(_HEAD + text)
        _refuse_more(statement.tree, str(path[-1]))
        _, *others = statement.relations  # the first one is the table of `_HEAD`
        for relation in others:
            _refuse_relation(relation, views)
        alone = replace(statement, relations=tuple(others))
        resolved = resolve_names(alone, views, label=label, text=text, place=place) if views else statement.sql
    except SqlRefused as refused:
        raise StepError(
            f"{label}: {refused.message}",
            step=label,
            sql=text,
            hint=refused.hint,
            location=place(refused.line, refused.column, refused.length),
        ) from None
    found = []
    for construct in constructs_of(resolved):
        where = place(construct.line, construct.column)
        found.append(replace(construct, line=where.line, column=where.column))
    return Condition(resolved.removeprefix(_HEAD), resolved, tuple(found))


def check_columns(action: PlannedAction, views: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse columns that neither the table nor the views of a condition have.

    Args:
        action: One that deletes rows.
        views: Types by view and column; those of the table under `TABLE`. What is not known is not looked at.

    Raises:
        StepError: There is such a column; says which may have been meant.
    """
    from dataos_dagster.engines.routing.names import unknown_columns

    if action.condition is None:
        return
    for unknown in unknown_columns(action.condition.query, views):
        close = " or ".join(repr(name) for name in unknown.close)
        raise StepError(
            f"{action.label}: neither the table nor a view that the condition reads has a column {unknown.name!r}",
            step=action.label,
            sql=action.condition.sql,
            hint=f"did you mean {close}?" if close else "compare with the columns of the table: `dataos show --schema`",
            location=action.location,
        )


def _refuse_more(tree: object, key: str) -> None:
    """Refuse text that goes on where the condition ends."""
    from sqlglot import exp

    if tree is None:
        raise SqlRefused(f"`{key}` cannot be read", hint="write it as a step, and compare with the step's view")
    more = [part for part in _BEHIND if isinstance(tree, exp.Select) and tree.args.get(part)]
    if not isinstance(tree, exp.Select) or more:
        raise SqlRefused(f"`{key}` is a condition, and this is more", hint="write what stands behind WHERE")


def _refuse_relation(relation: Relation, views: Views | None) -> None:
    if views is None:
        raise relation.refused(
            f"files are chosen by the columns of the table, and {relation.name!r} is another relation",
            "write a condition of columns and constants",
        )
    if relation.name.lower() == "target":
        raise relation.refused(
            "`target` is the row that is looked at, and no relation to select from",
            "select from the name of the input, which has all rows of the table",
        )

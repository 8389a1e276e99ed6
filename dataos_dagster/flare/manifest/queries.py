"""What a job's SQL gets wrong in itself: text that does not parse, and views that nothing makes.

The rules are those of the plan, which reads the same text with the same parser before a job runs; here they are asked
when the manifest is read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from dataos_dagster.manifests.kinds import Reference
from dataos_dagster.manifests.placeholders import placeholder_in
from dataos_dagster.manifests.spelling import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataos_dagster.flare.manifest.job import FlareJob
    from dataos_dagster.flare.sql import Statement
    from dataos_dagster.flare.trino import TrinoQuery
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

# A view has one part, a dataset three or more; two are neither.
_DATASET_PARTS = 3
# In front of the text of an input's query where its reading is kept: the same text means something else in a step.
_TRINO = "trino: "


def check_queries(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    """Report SQL of inputs and steps that is wrong, each in its place.

    Args:
        draft: The manifest.
        job: Its `job:`.
        path: Where that stands.
    """
    knows_views = names_are_known(draft, job, path)
    views = {item.incremental.context.lower(): item.incremental.context for item in job.inputs if item.incremental}
    views |= {item.name.lower(): item.name for item in job.inputs}
    for index, item in enumerate(job.inputs):
        place = (*path, "inputs", index, "query")
        if item.query is not None and not draft.is_open(place) and placeholder_in(item.query) is None:
            _check_input(draft, place, item.query)
    for place, name, sql in _items(job, path):
        if sql is not None and not draft.is_open(place) and placeholder_in(sql) is None:
            made = _check_query(draft, place, sql, views, knows_views=knows_views) or name
        else:
            made = name
        views.setdefault(made.lower(), made)


def names_are_known(draft: Draft, job: FlareJob, path: DocumentPath) -> bool:
    """Return whether the names of all views are known: not where one is left open, or is wrong."""
    if not draft.has_open_values:
        return True
    inputs = ((*path, "inputs", index, "name") for index in range(len(job.inputs)))
    steps = ((*path, "steps", number, "sequence") for number in range(len(job.steps)))
    items = ((*place[:-1], "name") for place, _, _ in _items(job, path))
    return not any(map(draft.is_open, ((*path, "inputs"), (*path, "steps"), *inputs, *steps, *items)))


def _items(job: FlareJob, path: DocumentPath) -> Iterator[tuple[DocumentPath, str, str | None]]:
    """Yield path and text of the SQL of each item, with the item's name."""
    for number, step in enumerate(job.steps):
        for index, item in enumerate(step.sequence):
            yield (*path, "steps", number, "sequence", index, "sql"), item.name, item.sql


def _check_input(draft: Draft, path: DocumentPath, sql: str) -> None:
    """Report what is wrong with an input's query, and name the depots of the datasets that it reads."""
    from dataos_dagster.flare.trino import parse_trino

    reading = _known(draft, sql, _TRINO) or _parsed(draft, path, sql, _TRINO, parse_trino)
    for name, _, start, end in reading.relations if reading else ():
        reference = Reference("depot", name.partition(".")[0], path[1:], acl="r", within=(sql, start, end))
        draft.references.append(reference)


def _check_query(draft: Draft, path: DocumentPath, sql: str, views: dict[str, str], *, knows_views: bool) -> str | None:
    """Report what is wrong with one query, and return the name that it gives its view itself, if it does."""
    from dataos_dagster.flare.sql import parse_statement

    reading = _known(draft, sql) or _parsed(draft, path, sql, "", parse_statement)
    if reading is None:
        return None
    for name, parts, start, end in reading.relations:
        if parts >= _DATASET_PARTS:
            depot = name.partition(".")[0]
            draft.references.append(Reference("depot", depot, path[1:], acl="r", within=(sql, start, end)))
        elif knows_views and name.lower() not in views:
            known = [*views.values()]
            hint = suggestion(name, known, what="views here") or "write it as an input of the job"
            message = _message(draft, path, f"there is no view `{name}` here", sql.count("\n", 0, start) + 1)
            draft.unresolved("unknown-view", path, message, hint, part=(start, end))
    if knows_views and reading.kind != "query" and (reading.target or "").lower() not in views:
        hint = suggestion(reading.target or "", [*views.values()], what="views here")
        draft.unresolved("unknown-view", path, f"there is no view `{reading.target}` here", hint)
    return reading.target


class _Reading(NamedTuple):
    """What is asked of a query: its kind, the view it names itself, and name, parts and offsets of its relations."""

    kind: str
    target: str | None
    relations: list[tuple[str, int, int, int]]


def _known(draft: Draft, sql: str, dialect: str = "") -> _Reading | None:
    """Return the reading of a query that was read before, without the parser."""
    kept = draft.readings.find_reading(dialect + sql) if draft.readings is not None else None
    return _Reading(*json.loads(kept)) if kept is not None else None


def _parsed(
    draft: Draft, path: DocumentPath, sql: str, dialect: str, parse: Callable[[str], Statement | TrinoQuery]
) -> _Reading | None:
    """Return the reading of a query and remember it, or report what is wrong with it."""
    from dataos_dagster.engines.text_places import offset_of
    from dataos_dagster.flare.relations import NOT_RUN, SqlRefused

    try:
        statement = parse(sql)
    except SqlRefused as refused:
        start = offset_of(sql, refused.line, refused.column)
        part, message = (start, start + refused.length), _message(draft, path, refused.message, refused.line)
        tell = draft.warn if refused.code == NOT_RUN else draft.refuse
        tell(refused.code, path, message, refused.hint or "", part=part)
        return None
    doubt = getattr(statement, "doubt", None)
    if doubt is not None:
        start = offset_of(sql, doubt.line, doubt.column)
        message = _message(draft, path, doubt.message, doubt.line)
        draft.warn(doubt.code, path, message, doubt.hint or "", part=(start, start + doubt.length))
    relations = [(each.name, len(each.parts), each.start, each.end) for each in statement.relations]
    kind, target = getattr(statement, "kind", "query"), getattr(statement, "target", None)
    reading = _Reading(kind, target, relations)
    if draft.readings is not None and doubt is None:
        draft.readings.keep_reading(dialect + sql, json.dumps(reading))
    return reading


def _message(draft: Draft, path: DocumentPath, message: str, line: int) -> str:
    """Return a message with the line, where the text stands in a file of its own."""
    if draft.origin(path)[-1] == "sqlFile":
        return f"line {line} of the file: {message}"
    return message

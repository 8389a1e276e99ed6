"""What a job's SQL gets wrong in itself: text that does not parse, and views that nothing makes.

The rules are those of the plan, which reads the same text with the same parser before a job runs; here they are asked
when the manifest is read. What the parser cannot read is an error only where it is certain to be wrong.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dataos_dagster.manifests.placeholders import placeholder_in
from dataos_dagster.manifests.spelling import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.flare.manifest.job import FlareJob
    from dataos_dagster.flare.relations import SqlRefused
    from dataos_dagster.flare.sql import Statement
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

# A view has one part, a dataset three or more; two are neither.
_DATASET_PARTS = 3


def check_queries(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    """Report SQL of steps that is wrong, each in its place.

    Args:
        draft: The manifest.
        job: Its `job:`.
        path: Where that stands.
    """
    views = {item.name.lower(): item.name for item in job.inputs}
    for place, name, sql in _items(job, path):
        if sql is not None and not draft.is_open(place) and placeholder_in(sql) is None:
            made = _check_query(draft, place, sql, views) or name
        else:
            made = name
        views.setdefault(made.lower(), made)


def _items(job: FlareJob, path: DocumentPath) -> Iterator[tuple[DocumentPath, str, str | None]]:
    """Yield path and text of the SQL of each item, with the item's name."""
    for number, step in enumerate(job.steps):
        for index, item in enumerate(step.sequence):
            yield (*path, "steps", number, "sequence", index, "sql"), item.name, item.sql


def _check_query(draft: Draft, path: DocumentPath, sql: str, views: dict[str, str]) -> str | None:
    """Report what is wrong with one query, and return the name that it gives its view itself, if it does."""
    from dataos_dagster.flare.locations import offset_of

    statement, refused = _read(sql)
    if refused is not None:
        start = offset_of(sql, refused.line, refused.column)
        part, message = (start, start + refused.length), _message(draft, path, refused.message, refused.line)
        if refused.code == "sql-not-read":
            draft.warn("sql-not-read", path, message, refused.hint or "", part=part)
        else:
            draft.refuse(refused.code, path, message, refused.hint or "", part=part)
        return None
    assert statement is not None  # noqa: S101 - one of the two is there
    for relation in statement.relations:
        if len(relation.parts) < _DATASET_PARTS and relation.name.lower() not in views:
            known = [*views.values()]
            hint = suggestion(relation.name, known, what="views here") or "write it as an input of the job"
            message = _message(draft, path, f"there is no view `{relation.name}` here", relation.line)
            draft.unresolved("unknown-view", path, message, hint, part=(relation.start, relation.end))
    if statement.kind != "query" and (statement.target or "").lower() not in views:
        hint = suggestion(statement.target or "", [*views.values()], what="views here")
        draft.unresolved("unknown-view", path, f"there is no view `{statement.target}` here", hint)
    return statement.target


def _message(draft: Draft, path: DocumentPath, message: str, line: int) -> str:
    """Return a message with the line, where the text stands in a file of its own."""
    if draft.origin(path)[-1] == "sqlFile":
        return f"line {line} of the file: {message}"
    return message


@lru_cache(maxsize=4096)
def _read(sql: str) -> tuple[Statement | None, SqlRefused | None]:
    """Return a statement or why there is none; kept, because projects repeat queries and are read again and again."""
    from dataos_dagster.flare.relations import SqlRefused
    from dataos_dagster.flare.sql import parse_statement

    try:
        return parse_statement(sql), None
    except SqlRefused as refused:
        return None, refused

"""The clauses of a merge, parsed before anything runs: they are SQL of the manifest and speak of two relations only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.engines.routing import constructs_of
from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import location_in_text
from dataos_dagster.flare.relations import SqlRefused, refuse_calls
from dataos_dagster.flare.sql import parse_merge, qualifiers, replace_spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.depots.requests import Merge
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.errors import Location
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.workflows.jobs import Job

# Before the clauses stands one line of their own, so that lines of the statement are lines of the clauses.
_HEAD = "MERGE INTO old USING new ON\n"


# Names of a merge's two sides in the Python SDK, and the ones that Flare's own clauses use.
_ALIASES = {"target": "old", "source": "new"}


def merge_of(on: str, when: str) -> Merge:
    """Return a merge whose clauses speak of `old` and `new`, whatever they were written with.

    Args:
        on: The condition behind ON.
        when: What follows WHEN.
    """
    from dataos_dagster.depots.requests import Merge

    return Merge(_with_flare_aliases(on), _with_flare_aliases(when))


def _with_flare_aliases(clause: str) -> str:
    """Return a clause whose columns are qualified with `old` and `new`; text in quotes stays as it is."""
    spans = {
        (start, end): _ALIASES[name.lower()] for name, start, end in qualifiers(clause) if name.lower() in _ALIASES
    }
    return replace_spans(clause, spans)


def refuse_other_relations(merge: Merge) -> None:
    """Check that a merge reads nothing but the table and the rows that are written.

    Raises:
        SqlRefused: A clause does not parse, reads another relation, or calls Java.
    """
    tree = parse_merge(merge_statement(merge))
    _refuse_relations(tree)
    refuse_calls(tree)


def check_merge(job: Job, path: DocumentPath, merge: Merge, label: str) -> None:
    """Check that a merge reads nothing but the table and the rows that are written.

    Args:
        job: The job it belongs to.
        path: Of the manifest's `merge`, below `job:`.
        merge: Its clauses.
        label: Of the output, for messages.

    Raises:
        StepError: A clause does not parse, reads another relation, or calls Java.
    """
    try:
        refuse_other_relations(merge)
    except SqlRefused as refused:
        raise StepError(
            f"{label}: {refused.message}",
            step=label,
            sql=f"{merge.on}\n{merge.when}",
            hint=refused.hint,
            location=_place(job, path, merge, refused.line, refused.column, refused.length),
        ) from None


def merge_constructs(job: Job, path: DocumentPath, merge: Merge) -> Iterator[Construct]:
    """Yield what the clauses use of SQL, at the lines of the manifest."""
    for construct in constructs_of(merge_statement(merge)):
        place = _place(job, path, merge, construct.line, construct.column)
        yield replace(construct, line=place.line, column=place.column)


def merge_statement(merge: Merge) -> str:
    """Return the statement that a merge is, with the names that its clauses use."""
    word = "" if merge.when.strip()[:4].upper() == "WHEN" else "WHEN"
    return f"{_HEAD}{merge.on}\n{word}\n{merge.when}"


def _place(job: Job, path: DocumentPath, merge: Merge, line: int, column: int, length: int = 1) -> Location:
    """Return where a line of the statement stands in the manifest."""
    below_head = line - 1
    lines_of_condition = merge.on.count("\n") + 1
    if below_head <= lines_of_condition:
        return location_in_text(job, (*path, "onClause"), merge.on, max(below_head, 1), column, length)
    line = max(below_head - lines_of_condition - 1, 1)
    return location_in_text(job, (*path, "whenClause"), merge.when, line, column, length)


def _refuse_relations(tree: object) -> None:
    from sqlglot import exp

    assert isinstance(tree, exp.Merge)  # noqa: S101 - what `parse_merge` returns
    for table in tree.find_all(exp.Table):
        if table is tree.this or table is tree.args["using"]:
            continue
        first = table.parts[0].meta if isinstance(table.this, exp.Identifier) else {}
        name = ".".join(part.name for part in table.parts) or table.sql("spark")
        raise SqlRefused(
            f"a merge reads `old` and `new` only, and {name!r} is another relation",
            hint="join what is needed in a step before, and merge its view",
            line=first.get("line", 1),
            column=max(first.get("col", 1) - (first.get("end", 0) - first.get("start", 0)), 1),
            length=len(name),
        )

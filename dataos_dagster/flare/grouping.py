"""Columns of a query that are neither grouped nor aggregated, found in its text once an engine has refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ungrouped(NamedTuple):
    """A column that has many values in a group.

    Attributes:
        line: Where it stands in the query, 1-based, as `column`.
    """

    name: str
    line: int
    column: int


def ungrouped_column(sql: str) -> Ungrouped | None:
    """Return the first column that a query selects beside groups or aggregates and that is neither; None in doubt.

    Args:
        sql: One query in Spark SQL.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, dialect="spark")
    except SqlglotError:
        return None
    for select in tree.find_all(exp.Select):
        for column in _ungrouped(select):
            first = column.parts[0].meta
            if "start" in first:
                return Ungrouped(column.name, first["line"], first["col"] - (first["end"] - first["start"]))
    return None


def _ungrouped(select: Any) -> Iterator[Any]:
    from sqlglot import exp

    group = select.args.get("group")
    if group is None and not any(_aggregates(projection) for projection in select.selects):
        return
    keys = _keys(select, group)
    aliases = {projection.alias.lower() for projection in select.selects if isinstance(projection, exp.Alias)}
    if keys is None or select.is_star:
        return
    for projection in select.selects:
        shown = projection.this if isinstance(projection, exp.Alias) else projection
        for node in shown.walk(prune=lambda node: _is_settled(node, keys)):
            if isinstance(node, exp.Column) and not _is_settled(node, keys) and node.name.lower() not in aliases:
                yield node


def _keys(select: Any, group: Any) -> frozenset[str] | None:
    """Return what the rows are grouped by; None where the text alone does not tell."""
    from sqlglot import exp

    if group is None:
        return frozenset()
    if any(group.args.get(name) for name in ("all", "totals", "cube", "rollup", "grouping_sets")):
        return None
    by_alias = {projection.alias_or_name.lower(): projection.unalias() for projection in select.selects}
    keys = set()
    for expression in group.expressions:
        if isinstance(expression, exp.Literal):
            place = int(expression.this) if expression.is_int else 0
            if not 0 < place <= len(select.selects):
                return None
            keys.add(_spelt(select.selects[place - 1].unalias()))
            continue
        keys.add(_spelt(expression))
        if isinstance(expression, exp.Column) and expression.name.lower() in by_alias:
            keys.add(_spelt(by_alias[expression.name.lower()]))
    return frozenset(keys)


def _is_settled(node: Any, keys: frozenset[str]) -> bool:
    """Return whether a part of an expression has one value in a group, or may have one for all that its text tells."""
    from sqlglot import exp

    unclear = (exp.AggFunc, exp.Filter, exp.WithinGroup, exp.Anonymous, exp.Window, exp.Query, exp.Lambda, exp.Star)
    return isinstance(node, unclear) or _spelt(node) in keys


def _aggregates(projection: Any) -> bool:
    from sqlglot import exp

    return any(
        found.find_ancestor(exp.Window) is None and found.parent_select is projection.parent_select
        for found in projection.find_all(exp.AggFunc)
    )


def _spelt(node: Any) -> str:
    """Return an expression as a text that is the same however its columns are qualified and spelt."""
    from sqlglot import exp

    copy = node.copy()
    if isinstance(copy, exp.Column):
        return str(copy.name.lower())
    for column in copy.find_all(exp.Column):
        column.replace(exp.column(column.name))
    return str(copy.sql("spark").lower())

"""Expressions of Spark SQL with aggregates in them, as functions of a step take them."""

from __future__ import annotations

from typing import Any

# sqlglot writes Spark's words back; only expressions with an aggregate are rewritten, the others stay as they are.
_DIALECT = "spark"


def over_all_rows(expression: str) -> str:
    """Return an expression without its alias, and with each aggregate taken over all rows: `x - AVG(x) OVER ()`.

    Args:
        expression: One that parses, as `parse_expression` makes sure.
    """
    tree, has_alias = _unaliased(expression)
    aggregates = [node for node in _aggregates(tree) if not _is_windowed(node)]
    if not aggregates:
        return tree.sql(_DIALECT) if has_alias else expression
    for aggregate in aggregates:
        tree = _in_window(aggregate, tree)
    rewritten: str = tree.sql(_DIALECT)
    return rewritten


def filters_in_window(expression: str) -> bool:
    """Return whether an aggregate over a window takes some rows only: `COUNT(*) FILTER (WHERE …) OVER ()`."""
    from sqlglot import exp

    tree, _ = _unaliased(expression)
    return any(isinstance(window.this, exp.Filter) for window in tree.find_all(exp.Window))


def aggregate_in(expression: str) -> str:
    """Return an aggregate without its alias."""
    tree, has_alias = _unaliased(expression)
    return tree.sql(_DIALECT) if has_alias else expression


def has_aggregate(expression: str) -> bool:
    """Return whether an expression aggregates rows outside of windows."""
    tree, _ = _unaliased(expression)
    return any(not _is_windowed(node) for node in _aggregates(tree))


def _unaliased(expression: str) -> tuple[Any, bool]:
    import sqlglot
    from sqlglot import exp

    [projection] = sqlglot.parse_one(f"SELECT {expression}", dialect=_DIALECT).selects
    has_alias = isinstance(projection, exp.Alias)
    # A copy stands alone: what is found in it has no SELECT around it.
    return (projection.this if has_alias else projection).copy(), has_alias


def _aggregates(tree: Any) -> list[Any]:
    """Return the outermost aggregates."""
    from sqlglot import exp

    found = tree.find_all(exp.AggFunc)
    return [node for node in found if node.find_ancestor(exp.AggFunc, exp.Query) is None]


def _is_windowed(node: Any) -> bool:
    from sqlglot import exp

    return node.find_ancestor(exp.Window) is not None


def _in_window(aggregate: Any, tree: Any) -> Any:
    from sqlglot import exp

    # `AVG(x) FILTER (WHERE …)` belongs together.
    whole = aggregate.parent if isinstance(aggregate.parent, exp.Filter) else aggregate
    window = exp.Window(this=whole.copy())
    if whole is tree:
        return window
    whole.replace(window)
    return tree

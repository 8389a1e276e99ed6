"""Names of the clauses and connectives of a query, which mean the same whatever the types of their operands are.

Heavy (sqlglot): import it where a query is to be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Those that have one name.
PLAIN: dict[type[exp.Expression], str] = {
    exp.And: "and",
    exp.Or: "or",
    exp.Where: "where",
    exp.Limit: "limit",
    exp.Offset: "offset",
    exp.Sort: "sort by",
    exp.Distribute: "distribute by",
    exp.Cluster: "cluster by",
    exp.Rollup: "rollup",
    exp.Cube: "cube",
    exp.GroupingSets: "grouping sets",
    exp.Qualify: "qualify",
    exp.TableSample: "tablesample",
    exp.Values: "values",
    exp.IgnoreNulls: "ignore nulls",
    exp.RespectNulls: "respect nulls",
    exp.HexString: "binary literal",
    exp.RawString: "raw string literal",
    exp.Dot: ".",
    exp.Escape: "like with an escape character",
    exp.Any: "any",
    exp.All: "all",
}


def _with(clause: exp.Expression) -> Iterator[str]:
    yield "with recursive" if clause.args.get("recursive") else "with"


def _join(join: exp.Join) -> Iterator[str]:
    side, kind, method = (str(join.args.get(key) or "").lower() for key in ("side", "kind", "method"))
    if isinstance(join.this, exp.Lateral):
        yield "lateral join"
    elif method == "natural":
        yield "natural join"
    elif kind in {"semi", "anti"}:
        yield f"left {kind} join"
    elif side:
        yield f"{side} join"
    elif kind == "cross" or not (join.args.get("on") or join.args.get("using")):
        yield "cross join"
    else:
        yield "inner join"
    if join.args.get("using"):
        yield "join using"


def _having(having: exp.Expression) -> Iterator[str]:
    yield "having"
    aliases = _aliases(having.parent)
    if any(not column.table and column.name.lower() in aliases for column in having.find_all(exp.Column)):
        yield "having an alias"


def _star(star: exp.Expression) -> Iterator[str]:
    if star.args.get("except_") or star.args.get("replace") or star.args.get("rename"):
        yield "select * except"
    elif not isinstance(star.parent, exp.Func):
        yield "select *"


def _group(group: exp.Expression) -> Iterator[str]:
    if group.args.get("all"):
        yield "group by all"
        return
    yield "group by"
    select = group.parent
    aliases = _aliases(select)
    for key in group.expressions:
        if isinstance(key, exp.Literal):
            yield "group by a position"
        elif isinstance(key, exp.Column) and not key.table and key.name.lower() in aliases:
            yield "group by an alias"


def _order(order: exp.Expression) -> Iterator[str]:
    if isinstance(order.parent, exp.WithinGroup):
        return
    if isinstance(order.parent, exp.Window):
        return
    yield "order by"
    if any(isinstance(key.this, exp.Literal) for key in order.expressions):
        yield "order by a position"


def _aliases(select: exp.Expression | None) -> set[str]:
    if not isinstance(select, exp.Select):
        return set()
    return {item.alias.lower() for item in select.expressions if isinstance(item, exp.Alias)}


def _window(window: exp.Expression) -> Iterator[str]:
    if isinstance(window.parent, exp.Select) and window.arg_key == "windows":
        return
    yield "over with order by" if window.args.get("order") else "over"
    if window.args.get("alias"):
        yield "named window"
    if spec := window.args.get("spec"):
        yield f"{str(spec.args.get('kind')).lower()} frame"


def _subquery(subquery: exp.Expression) -> Iterator[str]:
    parent = subquery.parent
    if isinstance(parent, (exp.From, exp.Join, exp.SetOperation, exp.Lateral, exp.In)):
        yield "subquery"
    elif isinstance(parent, exp.Exists):
        return
    else:
        yield "scalar subquery"


def _interval(interval: exp.Expression) -> Iterator[str]:
    yield "interval" if isinstance(interval.parent, (exp.Add, exp.Sub)) else "interval as a value"


def _negation(node: exp.Expression) -> Iterator[str]:
    if not isinstance(node.this, (exp.In, exp.Exists, exp.Is, exp.Like, exp.Between)):
        yield "not"


def _is(node: exp.Expression) -> Iterator[str]:
    yield "is null" if isinstance(node.expression, exp.Null) else "is true"


def _exists(node: exp.Expression) -> Iterator[str]:
    if isinstance(node.this, exp.Query):
        yield "exists"


def _pivot(node: exp.Expression) -> Iterator[str]:
    yield "unpivot" if node.args.get("unpivot") else "pivot"


def _lateral(node: exp.Expression) -> Iterator[str]:
    if node.args.get("view"):
        yield "lateral view"


def _filter(node: exp.Expression) -> Iterator[str]:
    yield "aggregate filter" if node.expression.find(exp.Query) is None else "aggregate filter with a subquery"


# Those whose name depends on how they are written.
RULES: dict[type[exp.Expression], Callable[[exp.Expression], Iterator[str]]] = {
    exp.Star: _star,
    exp.Group: _group,
    exp.Order: _order,
    exp.Having: _having,
    exp.Window: _window,
    exp.Subquery: _subquery,
    exp.Interval: _interval,
    exp.Not: _negation,
    exp.Is: _is,
    exp.Exists: _exists,
    exp.Pivot: _pivot,
    exp.Lateral: _lateral,
    exp.Filter: _filter,
    exp.Join: _join,
    exp.With: _with,
}

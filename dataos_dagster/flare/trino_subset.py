"""What of Trino's SQL means the same in Spark's, or is rewritten until it does; everything else is refused.

Both read most of the same words, so a translation of what only looks alike returns other rows without a word. Columns
have no known type when a query is read: what depends on it is accepted where the query itself says the type, as
`CAST(x AS double)` does. What fails in Trino (a text that is no number, a sum that is too large) is NULL or is read
nevertheless here, as in every step, for the engines run without the ANSI mode.
"""

from __future__ import annotations

from functools import cache
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.relations import NOT_RUN, SqlRefused
from dataos_dagster.flare.trino_values import IN_SPARK, rules_of_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def refuse_unlike(tree: Any) -> None:
    """Check that a query in Trino's SQL means the same in Spark's, after `as_alike`.

    Args:
        tree: It, parsed.

    Raises:
        SqlRefused: Something in it may mean something else.
    """
    rules = _rules()
    for node in tree.walk():
        rule = rules.get(type(node))
        if rule is None:
            raise _refused(node, IN_SPARK)
        if (hint := rule(node)) is not None:
            raise _refused(node, hint)


def _refused(node: Any, hint: str) -> SqlRefused:
    """Return the error at the node's own word, or else at the first word inside of it."""
    placed = [part for part in node.walk() if "start" in part.meta]
    place = (node if "start" in node.meta else min(placed, key=_start, default=node)).meta
    length = place["end"] - place["start"] + 1 if place else 1
    return SqlRefused(
        f"{shorten(node.sql(dialect='trino'), 80, placeholder=' …')} may return something else in Spark than in Trino",
        hint=hint,
        line=place["line"] if place else 1,
        column=place["col"] - length + 1 if place else 1,
        length=length,
        code=NOT_RUN,
    )


def _start(node: Any) -> int:
    return int(node.meta["start"])


@cache
def _rules() -> Mapping[type, Callable[[Any], str | None]]:
    """Return the rule of each kind of node: it returns what to write instead, or None where the node is accepted."""
    from sqlglot import exp

    accepted = (
        *(exp.From, exp.Where, exp.Having, exp.Order, exp.Ordered, exp.CTE, exp.Subquery, exp.Union, exp.Intersect),
        *(exp.Except, exp.Distinct, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star),
        *(exp.Tuple, exp.Paren, exp.Dot, exp.Window, exp.WindowSpec, exp.Filter, exp.Rollup, exp.Array),
        *(exp.Literal, exp.Null, exp.Boolean, exp.Var, exp.DataType, exp.DataTypeParam, exp.LimitOptions, exp.Escape),
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between),
        *(exp.Exists, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.DPipe, exp.Case),
        *(exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Pow, exp.Sqrt, exp.Exp),
        *(exp.Count, exp.CountIf, exp.Sum, exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr, exp.Stddev, exp.StddevSamp),
        *(exp.Variance, exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag),
        *(exp.Lead, exp.FirstValue, exp.LastValue, exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Concat),
        *(exp.ConcatWs, exp.Pad, exp.StartsWith, exp.Year, exp.Quarter, exp.Month, exp.WeekOfYear, exp.Day),
        *(exp.DayOfMonth, exp.DayOfYear, exp.DayOfWeekIso, exp.Hour, exp.Minute, exp.Second, exp.Date),
        *(exp.CurrentDate, exp.CurrentTimestamp, exp.TimeToUnix, exp.LastDay),
    )
    forms = {
        exp.Select: _select,
        exp.Join: _join,
        exp.Values: _values,
        exp.Unnest: _unnest,
        exp.Group: _group,
        exp.With: _with,
        exp.Fetch: _fetch,
        exp.Limit: _counted,
        exp.Offset: _counted,
    }
    return {**dict.fromkeys(accepted, _accepted), **forms, **rules_of_values()}


def _accepted(_: Any) -> str | None:
    return None


def _select(node: Any) -> str | None:
    """A column without a name is called by its place, which nobody knows behind a `*`."""
    from dataos_dagster.flare.trino_rewriting import is_unnamed

    if any(item.is_star for item in node.expressions) and any(map(is_unnamed, node.expressions)):
        return "give each expression beside the `*` a name with AS"
    unknown = {"laterals", "hint", "sample", "qualify", "into", "match", "pivots", "windows"}
    return IN_SPARK if any(node.args.get(name) for name in unknown) else None


def _join(node: Any) -> str | None:
    if node.args.get("method") or (node.kind or "") not in {"", "INNER", "OUTER", "CROSS"}:
        return "join with [INNER | LEFT | RIGHT | FULL] JOIN … ON or USING, or with CROSS JOIN"
    return None


def _values(node: Any) -> str | None:
    """Columns without a name are `_col0` in Trino, and `col1` in Spark."""
    named = node.args.get("alias") is not None and node.args["alias"].columns
    return None if named else "name the columns: (VALUES (1, 'a')) AS v (id, name)"


def _unnest(node: Any) -> str | None:
    """The elements of an array stand behind the columns of all joins in Spark, and no condition joins them."""
    from sqlglot import exp

    join = node.parent
    plain = isinstance(join, exp.Join) and not join.side and not join.args.get("on") and not join.args.get("using")
    last = plain and all(isinstance(each.this, exp.Unnest) for each in join.parent.args["joins"][join.index :])
    columns = node.args["alias"].columns if node.args.get("alias") else ()
    if not last or node.args.get("offset") or len(node.expressions) != 1 or len(columns) != 1:
        return "write it as the last join: CROSS JOIN UNNEST(items) AS u (item), of one array without ORDINALITY"
    return None


def _group(node: Any) -> str | None:
    written = {name for name, value in node.args.items() if value}
    return None if written <= {"expressions", "rollup"} else IN_SPARK


def _with(node: Any) -> str | None:
    return IN_SPARK if node.args.get("recursive") else None


def _fetch(node: Any) -> str | None:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
        return "WITH TIES has no counterpart: filter by rank() OVER (ORDER BY …) <= n in a query around this one"
    return _counted(node)


def _counted(node: Any) -> str | None:
    from sqlglot import exp

    count = node.args.get("count") or node.args.get("expression")
    return None if count is None or isinstance(count, exp.Literal) else "write the count as a number"

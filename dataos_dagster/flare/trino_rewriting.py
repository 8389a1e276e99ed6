"""Words of Trino's SQL that Spark has with another meaning, in words that mean in Spark what they mean in Trino."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.trino_types import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What `trim` of Trino takes away; that of Spark takes spaces alone.
_WHITE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003"
    "\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
)
# A specifier of a format, or letters, which stand for themselves in Trino and are a pattern in Spark.
_LETTERS = re.compile(r"%-?.|([A-Za-z]+)")


def as_alike(tree: Any) -> Any:
    """Return a query in Trino's SQL in words that Spark takes for the same; `tree` itself is changed."""
    rewritings = _rewritings()
    # From the innermost on: what is replaced takes copies of what stands in it.
    for node in [*tree.walk()][::-1]:
        rewriting = rewritings.get(type(node))
        if rewriting is not None and (replacement := rewriting(node)) is not None:
            node.replace(replacement)
    return tree


@cache
def _rewritings() -> Mapping[type, Callable[[Any], Any]]:
    """Return what rewrites each kind of node: it returns what stands in its place, or None where it stays."""
    from sqlglot import exp

    fields = (exp.Year, exp.Quarter, exp.Month, exp.WeekOfYear, exp.Day, exp.DayOfMonth, exp.DayOfYear)
    moments = (exp.Hour, exp.Minute, exp.Second, exp.Extract)
    return {
        **dict.fromkeys((*fields, *moments, exp.Length, exp.StrPosition), _of_bigint),
        **dict.fromkeys((exp.Greatest, exp.Least), _null_if_any_is),
        **dict.fromkeys((exp.TimestampTrunc, exp.DateTrunc), _truncated),
        exp.DayOfWeekIso: _weekday,
        exp.Window: _ranked,
        exp.Trim: _trimmed,
        exp.If: _chosen,
        exp.TimeToStr: _formatted,
        exp.TimeToUnix: _seconds,
    }


def name_columns(tree: Any) -> Any:
    """Return a query whose columns have the names of Trino: by their place, as `_col0`, where none is written."""
    from sqlglot import exp

    for select in tree.find_all(exp.Select):
        for index, item in enumerate(select.expressions):
            if is_unnamed(item):
                item.replace(exp.alias_(item.copy(), f"_col{index}", quoted=True))
    return tree


def is_unnamed(item: Any) -> bool:
    """Return whether a column of a SELECT has no name of its own."""
    from sqlglot import exp

    return not isinstance(item.unnest(), exp.Column | exp.Alias | exp.Star | exp.Dot)


def _of_bigint(node: Any) -> Any:
    """Return what is a bigint in Trino, and an int in Spark, as a bigint."""
    from sqlglot import exp

    return exp.Cast(this=node.copy(), to=exp.DataType.build("bigint"))


def _ranked(node: Any) -> Any:
    from sqlglot import exp

    return _of_bigint(node) if isinstance(node.this, exp.RowNumber | exp.Rank | exp.DenseRank | exp.Ntile) else None


def _weekday(node: Any) -> Any:
    """Return the day of the week from Monday, which is 1; Spark counts from Sunday."""
    from sqlglot import exp

    days = exp.Paren(this=exp.Add(this=exp.DayOfWeek(this=node.this.copy()), expression=exp.Literal.number(5)))
    return _of_bigint(
        exp.Add(this=exp.Mod(this=days, expression=exp.Literal.number(7)), expression=exp.Literal.number(1))
    )


def _null_if_any_is(node: Any) -> Any:
    """Return a `greatest` or `least` that is NULL where a value is; Spark's leaves such values out."""
    from sqlglot import exp

    values = (node.this, *node.expressions)
    missing = exp.or_(*(exp.Is(this=value.copy(), expression=exp.Null()) for value in values))
    return exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=node.copy())


def _truncated(node: Any) -> Any:
    """Return a truncated date as a date; Spark makes a timestamp of it."""
    from sqlglot import exp

    if kind_of(node.this) != "date":
        return None
    truncated = exp.TimestampTrunc(this=node.this.copy(), unit=exp.var(node.text("unit")))
    return exp.Cast(this=truncated, to=exp.DataType.build("date"))


def _trimmed(node: Any) -> Any:
    from sqlglot import exp

    if node.expression is not None:
        return None
    return exp.Trim(this=node.this.copy(), expression=exp.Literal.string(_WHITE), position=node.args.get("position"))


def _chosen(node: Any) -> Any:
    """Return an IF as a CASE: Sail takes no IF of two values."""
    from sqlglot import exp

    if isinstance(node.parent, exp.Case):
        return None
    chosen, other = exp.If(this=node.this.copy(), true=node.args["true"].copy()), node.args.get("false")
    return exp.Case(ifs=[chosen], default=other.copy() if other is not None else None)


def _formatted(node: Any) -> Any:
    from sqlglot import exp

    pattern = _LETTERS.sub(lambda found: f"'{found[1]}'" if found[1] else found[0], node.text("format"))
    return exp.TimeToStr(this=node.this.copy(), format=exp.Literal.string(pattern))


def _seconds(node: Any) -> Any:
    """Return the seconds of a moment with their fraction, which the function of Spark leaves out."""
    from sqlglot import exp

    return exp.Cast(this=exp.cast(node.this.copy(), "timestamp"), to=exp.DataType.build("double"))

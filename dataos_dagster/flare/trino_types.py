"""The kinds of values that a query in Trino's SQL says itself, without a look at any dataset."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def kind_of(node: Any) -> str | None:
    """Return the kind of an expression's values where its text says it.

    Returns:
        `integer`, `decimal`, `double`, `rounded` (a number of some type without a fraction), `text`, `boolean`, `date`,
        `timestamp` or `null`; None for columns, and for what depends on them.
    """
    from sqlglot import exp

    if isinstance(node, exp.Literal):
        return _kind_of_literal(node)
    if isinstance(node, exp.Cast):
        return _kinds_of_types().get(node.to.this)
    if isinstance(node, exp.Paren | exp.Neg | exp.Window | exp.Max | exp.Min | exp.Sum | exp.Abs | exp.Nullif):
        return kind_of(node.this)
    if isinstance(node, exp.Coalesce):
        kinds = {kind_of(part) for part in (node.this, *node.expressions)}
        return kinds.pop() if len(kinds) == 1 else None
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Mod):
        return _kind_of_arithmetic(node)
    return _kinds_of_functions().get(type(node))


def _kind_of_literal(node: Any) -> str:
    if node.is_string:
        return "text"
    if "e" in node.this.lower():
        return "double"
    return "decimal" if "." in node.this else "integer"


def _kind_of_arithmetic(node: Any) -> str | None:
    from sqlglot import exp

    left, right = kind_of(node.this), kind_of(node.expression)
    if isinstance(node.expression, exp.Interval):
        return left
    if "double" in {left, right}:
        return "double"
    return left if left == right and left in {"integer", "decimal"} and not isinstance(node, exp.Div) else None


@cache
def _kinds_of_types() -> Mapping[Any, str]:
    from sqlglot import exp

    kind = exp.DataType.Type
    return {
        **dict.fromkeys((kind.TINYINT, kind.SMALLINT, kind.INT, kind.BIGINT), "integer"),
        **dict.fromkeys((kind.VARCHAR, kind.TEXT), "text"),
        kind.DECIMAL: "decimal",
        kind.DOUBLE: "double",
        kind.BOOLEAN: "boolean",
        kind.DATE: "date",
        kind.TIMESTAMP: "timestamp",
    }


@cache
def _kinds_of_functions() -> Mapping[type, str]:
    from sqlglot import exp

    counts = (exp.Count, exp.CountIf, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Length, exp.StrPosition)
    fields = (exp.Year, exp.Quarter, exp.Month, exp.WeekOfYear, exp.Day, exp.DayOfMonth, exp.DayOfYear)
    moments = (exp.DayOfWeekIso, exp.Hour, exp.Minute, exp.Second, exp.Extract, exp.DateDiff)
    texts = (exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.ConcatWs, exp.Replace, exp.Pad, exp.TimeToStr)
    tests = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between)
    return {
        **dict.fromkeys((*counts, *fields, *moments), "integer"),
        **dict.fromkeys(texts, "text"),
        **dict.fromkeys((*tests, exp.Boolean, exp.Exists, exp.Like, exp.StartsWith, exp.RegexpLike), "boolean"),
        **dict.fromkeys((exp.Sqrt, exp.Pow, exp.Exp, exp.Avg, exp.TimeToUnix), "double"),
        **dict.fromkeys((exp.Round, exp.Floor, exp.Ceil, exp.Trunc), "rounded"),
        **dict.fromkeys((exp.Date, exp.CurrentDate, exp.LastDay), "date"),
        exp.StrToTime: "timestamp",
        exp.Null: "null",
    }

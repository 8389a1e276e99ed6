"""What of Trino's SQL means the same in Spark's, or is rewritten until it does; everything else is refused.

Both read most of the same words, so a translation of what only looks alike returns other rows without a word. Columns
have no known type when a query is read: what depends on it is accepted where the query itself says the type, as
`CAST(x AS double)` does. What fails in Trino (a text that is no number, a sum that is too large) is NULL or is read
nevertheless here, as in every step, for the engines run without the ANSI mode.
"""

from __future__ import annotations

import re
from functools import cache
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.relations import NOT_RUN, SqlRefused
from dataos_dagster.flare.trino_types import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_IN_SPARK = "read the datasets as inputs, and write the query as a step in Spark's SQL"
# Specifiers of `date_format` and `date_parse` that have one pattern in Spark, and what may stand between them. The
# parser writes them as strftime does: %i of Trino is %M, %M is %B, %W is %A, %e is %-d.
_FORMATTED = re.compile(r"(?:%-?[dm]|%[YyHIMSBbAap]|[A-Za-z \-:/.,_])*")
_PARSED = re.compile(r"(?:%[YmdHMS]|[ \-:/.,_])*")
# Digits behind the second.
_MILLISECONDS, _MICROSECONDS = 3, 6


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
            raise _refused(node, _IN_SPARK)
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
    return dict.fromkeys(accepted, _accepted) | {
        exp.Select: _select,
        exp.Join: _join,
        exp.Values: _values,
        exp.Unnest: _unnest,
        exp.Group: _group,
        exp.With: _with,
        exp.Fetch: _fetch,
        exp.Limit: _counted,
        exp.Offset: _counted,
        exp.Interval: _interval,
        exp.Cast: _cast,
        exp.Div: _division,
        exp.Mod: _remainder,
        exp.Avg: _average,
        exp.Round: _rounding,
        exp.Floor: _whole,
        exp.Ceil: _whole,
        exp.Trunc: _whole,
        exp.Substring: _substring,
        exp.Replace: _replacing,
        exp.StrPosition: _position,
        exp.Like: _like,
        exp.RegexpLike: _pattern,
        exp.Extract: _extract,
        exp.TimeToStr: _formatting,
        exp.StrToTime: _parsing,
        exp.DateDiff: _difference,
        exp.TimestampTrunc: _truncation,
        exp.DateTrunc: _truncation,
    }


def _accepted(_: Any) -> str | None:
    return None


def _select(node: Any) -> str | None:
    """A column without a name is called by its place, which nobody knows behind a `*`."""
    from dataos_dagster.flare.trino_rewriting import is_unnamed

    if any(item.is_star for item in node.expressions) and any(map(is_unnamed, node.expressions)):
        return "give each expression beside the `*` a name with AS"
    unknown = {"laterals", "hint", "sample", "qualify", "into", "match", "pivots", "windows"}
    return _IN_SPARK if any(node.args.get(name) for name in unknown) else None


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
    return None if written <= {"expressions", "rollup"} else _IN_SPARK


def _with(node: Any) -> str | None:
    return _IN_SPARK if node.args.get("recursive") else None


def _fetch(node: Any) -> str | None:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
        return "WITH TIES has no counterpart: filter by rank() OVER (ORDER BY …) <= n in a query around this one"
    return _counted(node)


def _counted(node: Any) -> str | None:
    from sqlglot import exp

    count = node.args.get("count") or node.args.get("expression")
    return None if count is None or isinstance(count, exp.Literal) else "write the count as a number"


def _interval(node: Any) -> str | None:
    from sqlglot import exp

    unit = node.args.get("unit")
    units = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}
    if isinstance(node.this, exp.Literal) and isinstance(unit, exp.Var) and unit.name.upper() in units:
        return None
    return "write the interval as in INTERVAL '3' DAY"


def _cast(node: Any) -> str | None:
    from sqlglot import exp

    kind = exp.DataType.Type
    target, source = node.to.this, kind_of(node.this)
    if source == "null" or target in {kind.DOUBLE, kind.FLOAT, kind.BOOLEAN, kind.DATE}:
        return None
    if target in {kind.TINYINT, kind.SMALLINT, kind.INT, kind.BIGINT}:
        known = source in {"integer", "text", "boolean", "rounded"}
        return None if known else "a fraction is rounded in Trino, and cut in Spark: write CAST(round(x) AS bigint)"
    if target in {kind.VARCHAR, kind.TEXT}:
        return _cast_to_text(node, source)
    if target is kind.DECIMAL and node.to.expressions:
        known = source in {"integer", "text", "decimal"}
        return None if known else f"a double is rounded otherwise: {_IN_SPARK}"
    return _cast_to_timestamp(node, source) if target is kind.TIMESTAMP else _IN_SPARK


def _cast_to_text(node: Any, source: str | None) -> str | None:
    if node.to.expressions:
        return "Spark cuts no text by its type: write substr(CAST(x AS varchar), 1, n)"
    if source in {"integer", "text", "decimal", "date", "boolean"}:
        return None
    return (
        "fractions and moments are written otherwise: write CAST(CAST(round(x) AS bigint) AS varchar) of a number, "
        "and date_format(x, '%Y-%m-%d %H:%i:%s') of a moment"
    )


def _cast_to_timestamp(node: Any, source: str | None) -> str | None:
    """A timestamp without a precision has milliseconds in Trino, and microseconds in Spark."""
    from sqlglot import exp

    precision = int(node.to.expressions[0].name) if node.to.expressions else _MILLISECONDS
    if precision == _MICROSECONDS or source == "date":
        return None
    if isinstance(node.this, exp.Literal) and len(node.this.name.partition(".")[2]) <= min(precision, _MICROSECONDS):
        return None
    return "Trino cuts it to milliseconds, and Spark to microseconds: write CAST(x AS timestamp(6))"


def _division(node: Any) -> str | None:
    if "double" in {kind_of(node.this), kind_of(node.expression)} and _is_no_zero(node.expression):
        return None
    return (
        "a division of integers or decimals has other digits, and one by zero fails: "
        "write CAST(a AS double) / NULLIF(b, 0)"
    )


def _remainder(node: Any) -> str | None:
    return None if _is_no_zero(node.expression) else "a remainder of zero fails in Trino: write a % NULLIF(b, 0)"


def _is_no_zero(node: Any) -> bool:
    """Return whether a divisor is a number other than zero, or NULL where it is zero."""
    from sqlglot import exp

    if isinstance(node, exp.Paren | exp.Neg):
        return _is_no_zero(node.this)
    if isinstance(node, exp.Literal):
        return not node.is_string and float(node.this) != 0
    zero = node.expression if isinstance(node, exp.Nullif) else None
    return isinstance(zero, exp.Literal) and not zero.is_string and float(zero.this) == 0


def _average(node: Any) -> str | None:
    known = kind_of(node.this) in {"integer", "double"}
    return None if known else "decimals have other digits: write avg(CAST(x AS double))"


def _rounding(node: Any) -> str | None:
    known = node.args.get("decimals") is None or kind_of(node.this) == "decimal"
    return None if known else "halves of a double go elsewhere: write round(CAST(x AS decimal(18, 4)), n) of a decimal"


def _whole(node: Any) -> str | None:
    """These keep the type of a double in Trino, and make a bigint in Spark."""
    from sqlglot import exp

    outer = node.parent
    known = isinstance(outer, exp.Cast) and outer.to.is_type(exp.DataType.Type.INT, exp.DataType.Type.BIGINT)
    return (
        None
        if known and not node.args.get("decimals")
        else f"name the type of the result: CAST({node.key}(x) AS bigint)"
    )


def _substring(node: Any) -> str | None:
    from sqlglot import exp

    start = node.args.get("start")
    known = isinstance(start, exp.Literal) and start.is_int and int(start.this) > 0
    return None if known else "places before the first differ: write a start of 1 or more, as in substr(x, 1, 3)"


def _replacing(node: Any) -> str | None:
    searched = _text(node.expression)
    return None if searched else "write what is replaced as a text that is not empty"


def _position(node: Any) -> str | None:
    return _IN_SPARK if node.args.get("position") or node.args.get("occurrence") else None


def _like(node: Any) -> str | None:
    from sqlglot import exp

    pattern = _text(node.expression)
    escape = _text(node.parent.expression) if isinstance(node.parent, exp.Escape) else ""
    known = pattern is not None and escape is not None and "\\" not in pattern + escape
    return None if known else "write the pattern as a text, with ESCAPE '#' in place of backslashes"


def _pattern(node: Any) -> str | None:
    pattern = _text(node.expression)
    known = pattern is not None and not re.search(r"\\[A-Za-z0-9]|\(\?|\[\[|&&", pattern)
    return None if known else "write the pattern as a text, with classes such as [0-9] in place of \\d"


def _extract(node: Any) -> str | None:
    known = node.name.upper() in {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE"}
    return None if known else "write a function: day_of_week(x), day_of_year(x), second(x)"


def _formatting(node: Any) -> str | None:
    known = _FORMATTED.fullmatch(node.text("format"))
    return (
        None
        if known
        else "write a text of %Y %y %m %c %d %e %H %h %i %s %M %b %W %a %p, with letters, marks and spaces in between"
    )


def _parsing(node: Any) -> str | None:
    known = _PARSED.fullmatch(node.text("format"))
    return None if known else "write a text of %Y %m %d %H %i %s, with marks and spaces in between"


def _difference(node: Any) -> str | None:
    days = (node.text("unit") or "day").upper() == "DAY"
    if days and kind_of(node.this) == kind_of(node.expression) == "date":
        return None
    return "of moments, Trino counts full units: write date_diff('day', CAST(a AS date), CAST(b AS date))"


def _truncation(node: Any) -> str | None:
    units = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"}
    if node.text("unit").upper() in units and kind_of(node.this) in {"date", "timestamp"}:
        return None
    return "say what it truncates: date_trunc('month', CAST(x AS date)), or CAST(x AS timestamp(6))"


def _text(node: Any) -> str | None:
    from sqlglot import exp

    return node.this if isinstance(node, exp.Literal) and node.is_string else None

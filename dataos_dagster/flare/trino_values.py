"""Which values of Trino's SQL are the same in Spark's: casts, arithmetic, texts, patterns and times.

Each rule returns what to write instead, or None where its form means the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.trino_types import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

IN_SPARK = "read the datasets as inputs, and write the query as a step in Spark's SQL"
# Specifiers of `date_format` and `date_parse` that have one pattern in Spark, and what may stand between them. The
# parser writes them as strftime does: %i of Trino is %M, %M is %B, %W is %A, %e is %-d.
_FORMATTED = re.compile(r"(?:%-?[dm]|%[YyHIMSBbAap]|[A-Za-z \-:/.,_])*")
_PARSED = re.compile(r"(?:%[YmdHMS]|[ \-:/.,_])*")
# Digits behind the second.
_MILLISECONDS, _MICROSECONDS = 3, 6


def rules_of_values() -> Mapping[type, Callable[[Any], str | None]]:
    """Return the rules by the kind of the expression."""
    from sqlglot import exp

    return {
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
        return None if known else f"a double is rounded otherwise: {IN_SPARK}"
    return _cast_to_timestamp(node, source) if target is kind.TIMESTAMP else IN_SPARK


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
    return IN_SPARK if node.args.get("position") or node.args.get("occurrence") else None


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

"""Literal arguments that make a call another one: a pattern's letters, a regular expression's classes, a zone's form.

Engines agree on `date_format(d, 'yyyy-MM')` and not on every letter, so each form that differs is a construct of its
own: `date_format/2 with other letters`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Texts of a call's arguments; None for what is no literal, words (units, columns) after a null character.
Literals = tuple[str | None, ...]

# Letters of Spark's datetime patterns that the parity suite has tried.
_PATTERN = re.compile(r"(?:yyyy|yy|y|MMMM|MMM|MM|M|dd|d|EEEE|E|HH|h|mm|ss|SSS|a|D|Q|[^A-Za-z']|'T')*")
_PARSED_PATTERN = re.compile(r"(?:yyyy|MM|dd|HH|mm|ss|[^A-Za-z'])*")
# Regular expressions that Java and Rust read alike: no classes of Unicode, no look-around, no back references.
_REGEX = re.compile(
    r"(?:[^\\()\[\].$]|\\[.^$*+?()\[\]{}|\\/-]|\(\?:|\((?!\?)|\)|\[\^?(?:[^\\\[\]&]|\\[.^$*+?()\[\]{}|\\/-])+\])*"
)
_REGEX_WITH_LINES = re.compile(_REGEX.pattern.replace(".$]|", "]|", 1))
_REGION = re.compile(r"UTC|[A-Z]\w+(/\w+)+")
_UNITS = frozenset({"year", "month", "day", "hour", "minute", "second", "week", "quarter", "doy"})


def regex_form(pattern: str | None) -> str:
    """Return what is special about a regular expression, nothing when both engines read it alike."""
    if pattern is None or pattern.startswith("\0"):
        return " with a computed pattern"
    if _REGEX.fullmatch(pattern):
        return ""
    # Java ends a line at more characters than Rust: `.` and `$` differ on texts that hold them.
    return " with . or $" if _REGEX_WITH_LINES.fullmatch(pattern) else " with classes or look-around"


def _regex(literals: Literals) -> str:
    return regex_form(literals[1])


def _regex_replace(literals: Literals) -> str:
    if special := regex_form(literals[1]):
        return special
    replacement = literals[2]
    if replacement is None or replacement.startswith("\0"):
        return " with a computed replacement"
    if "$" in replacement or "\\" in replacement:
        return " with groups"
    try:
        return " matching nothing" if re.fullmatch(literals[1] or "", "") else ""
    except re.error:
        return " with classes or look-around"


def _pattern(allowed: re.Pattern[str]) -> Callable[[Literals], str]:
    def form(literals: Literals) -> str:
        pattern = literals[1]
        if pattern is None or pattern.startswith("\0"):
            return " with a computed pattern"
        return "" if allowed.fullmatch(pattern) else " with other letters"

    return form


def _unit(literals: Literals) -> str:
    unit = (literals[0] or "").strip("\0").lower()
    return "" if unit in _UNITS else " of other units"


def _by_zero(literals: Literals) -> str:
    return " by zero" if literals[1] in {"0", "0.0"} else ""


def _from_the_end(literals: Literals) -> str:
    position = literals[1]
    if position is None or position.startswith("\0"):
        return " from a computed position"
    return " from the end" if position.startswith("-") else ""


def _zone(literals: Literals) -> str:
    zone = literals[1]
    if zone is None or zone.startswith("\0"):
        return " with a computed zone"
    return "" if _REGION.fullmatch(zone) else " with an offset"


def _split(literals: Literals) -> str:
    return regex_form(literals[1]) or ("" if literals[1] else " into characters")


def _length(literals: Literals) -> str:
    length = literals[1]
    return "" if length is not None and length.isdigit() else " of a computed length"


def _small_code(literals: Literals) -> str:
    return "" if literals[0] and literals[0].isdigit() and int(literals[0]) < 128 else " of other codes"  # noqa: PLR2004 - ASCII


# What is special about a call's literal arguments, by name and number of arguments.
FORMS: dict[str, Callable[[Literals], str]] = {
    "chr/1": _small_code,
    "char/1": _small_code,
    "date_format/2": _pattern(_PATTERN),
    "date_part/2": _unit,
    "datepart/2": _unit,
    "from_unixtime/2": _pattern(_PATTERN),
    "from_utc_timestamp/2": _zone,
    "left/2": _length,
    "mod/2": _by_zero,
    "regexp/2": _regex,
    "regexp_count/2": _regex,
    "regexp_extract/2": _regex,
    "regexp_extract/3": _regex,
    "regexp_extract_all/2": _regex,
    "regexp_extract_all/3": _regex,
    "regexp_instr/2": _regex,
    "regexp_like/2": _regex,
    "regexp_replace/3": _regex_replace,
    "regexp_substr/2": _regex,
    "split/2": _split,
    "split/3": _split,
    "substr/3": _from_the_end,
    "substring/3": _from_the_end,
    "right/2": _length,
    "to_date/2": _pattern(_PARSED_PATTERN),
    "to_timestamp/2": _pattern(_PARSED_PATTERN),
    "to_utc_timestamp/2": _zone,
    "unix_timestamp/2": _pattern(_PARSED_PATTERN),
}

"""Dates and times in texts, as Spark reads them: by a pattern of Spark's datetime letters, or leniently as ISO 8601.

Sources: Spark SQL guide, Datetime Patterns for Formatting and Parsing; `SparkDateTimeUtils.stringToDate` and
`parseTimestampString` for the lenient form. Everything here is in UTC, which sessions are pinned to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october")
MONTHS = (*_MONTHS, "november", "december")
_SHORT_MONTHS = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
_LONG_MONTHS = {name: number for number, name in enumerate(MONTHS, 1)}

_ZONE = r"Z|[+-]\d{2}(?::?\d{2})?"
_EXPRESSIONS: Mapping[str, str] = {
    "y": r"(?P<year>[+-]?\d{4,6})",
    "yy": r"(?P<year2>\d{2})",
    "yyyy": r"(?P<year>\d{4})",
    "M": r"(?P<month>\d{1,2})",
    "MM": r"(?P<month>\d{2})",
    "MMM": rf"(?P<monthname>{'|'.join(_SHORT_MONTHS)})",
    "MMMM": rf"(?P<monthname>{'|'.join(MONTHS)})",
    "d": r"(?P<day>\d{1,2})",
    "dd": r"(?P<day>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "h": r"(?P<hour12>\d{1,2})",
    "hh": r"(?P<hour12>\d{2})",
    "m": r"(?P<minute>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "s": r"(?P<second>\d{1,2})",
    "ss": r"(?P<second>\d{2})",
    "a": r"(?P<half>am|pm)",
    "X": rf"(?P<zone>{_ZONE})",
    "XX": rf"(?P<zone>{_ZONE})",
    "XXX": rf"(?P<zone>{_ZONE})",
    "Z": r"(?P<zone>[+-]\d{4})",
}
_TOKEN = re.compile(r"'(?P<text>[^']*)'|(?P<letters>([A-Za-z])\3*)|(?P<open>\[)|(?P<close>\])|(?P<other>[^A-Za-z'])")
_FRACTION = r"(?P<fraction>\d{1,9})"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    expression: re.Pattern[str]

    def read(self, text: str) -> datetime | None:
        """Return the moment that a text names, or None when it does not fit; missing fields are the epoch's."""
        found = self.expression.fullmatch(text)
        return _moment({key: value for key, value in found.groupdict().items() if value}) if found else None


@lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> Pattern | None:
    """Return a pattern of Spark's datetime letters, compiled; None when it uses letters that are not read here."""
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(pattern):
        if token.start() != end:
            return None
        end = token.end()
        letters = token["letters"]
        if letters is None:
            parts.append(_literal(token))
        elif set(letters) == {"S"}:
            parts.append(_FRACTION)
        elif letters in _EXPRESSIONS:
            parts.append(_EXPRESSIONS[letters])
        else:
            return None
    try:
        return Pattern(re.compile("".join(parts), re.IGNORECASE | re.ASCII)) if end == len(pattern) else None
    except re.error:
        return None  # a field that occurs twice, or brackets that do not close


def is_known_pattern(pattern: str) -> bool:
    """Return whether every letter of a pattern is read here."""
    return compile_pattern(pattern) is not None


def read_date(text: str) -> date | None:
    """Return a lenient ISO date: `yyyy`, `yyyy-M`, `yyyy-M-d`, and the last with anything behind a space or T."""
    found = _LENIENT_DATE.fullmatch(text.strip())
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None


def read_timestamp(text: str) -> datetime | None:
    """Return a lenient ISO timestamp in UTC; without a zone it is taken as UTC, without a date as today's."""
    plain = text.strip()
    if _TIME_ONLY.match(plain):
        plain = f"{datetime.now(UTC).date()} {plain.removeprefix('T')}"
    found = _LENIENT_TIMESTAMP.fullmatch(plain)
    if not found:
        return None
    zone = _zone(found["zone"]) if found["zone"] else UTC
    if zone is None:
        return None
    fraction = (found["fraction"] or "")[:6].ljust(6, "0")
    parts = [int(found[key] or default) for key, default in _TIMESTAMP_FIELDS]
    try:
        moment = datetime(*parts, int(fraction), tzinfo=zone)  # type: ignore[misc, arg-type]  # six numbers, then two
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_LENIENT_DATE = re.compile(r"(\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?", re.ASCII)
_TIME_ONLY = re.compile(r"T?\d{1,2}:", re.ASCII)
_TIMESTAMP_FIELDS = (("year", 1970), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))
# A zone stands only behind seconds.
_LENIENT_TIMESTAMP = re.compile(
    r"(?P<year>\d{4,6})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2})"
    r"(?:[ T](?:(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d*))?"
    r"(?P<zone>\s*(?:Z|UTC|GMT|[+-]\d{1,2}(?::?\d{1,2})?|[A-Za-z_]+/[A-Za-z_/]+))?)?)?)?)?)?)?",
    re.ASCII,
)


def _literal(token: re.Match[str]) -> str:
    if token["text"] is not None:
        return re.escape(token["text"] or "'")
    return "(?:" if token["open"] else ")?" if token["close"] else re.escape(token["other"])


def _moment(fields: Mapping[str, str]) -> datetime | None:
    year = int(fields["year"]) if "year" in fields else 2000 + int(fields["year2"]) if "year2" in fields else 1970
    month = int(fields.get("month", 1))
    if name := fields.get("monthname", "").lower():
        month = _LONG_MONTHS.get(name) or _SHORT_MONTHS[name]
    hour = int(fields.get("hour", 0))
    if "hour12" in fields:
        if not 1 <= int(fields["hour12"]) <= 12:  # noqa: PLR2004 - hours of half a day
            return None
        hour = int(fields["hour12"]) % 12 + (12 if fields.get("half", "am").lower() == "pm" else 0)
    zone = _zone(fields["zone"]) if "zone" in fields else UTC
    micros = int(fields.get("fraction", "0").ljust(6, "0")[:6])
    clock = hour, int(fields.get("minute", 0)), int(fields.get("second", 0)), micros
    try:
        return datetime(year, month, int(fields.get("day", 1)), *clock, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str) -> timezone | ZoneInfo | None:
    name = text.strip()
    if name in {"Z", "UTC", "GMT"}:
        return UTC
    if offset := re.fullmatch(r"([+-])(\d{1,2}):?(\d{1,2})?", name):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        limit = 18 * 60
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes)) if minutes <= limit else None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None

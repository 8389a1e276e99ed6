"""Reading dates and times whatever their layout.

A text is tried against the user's rules, then against the layouts below. Between slashes, dots or dashes the day comes
first unless that cannot be (`4/13/2021`). Years of two digits are 1970 to 2069. A text that fits nothing is null.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa

from dataos_dagster.flare.functions.kernels.distinct import over_distinct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_MONTH = r"(?P<month>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"
_NTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_ZONE = r"(?P<zone>z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?"
_TIME = (
    r"(?:(?:\s*t\s*|\s+at\s+|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<ns>\d{1,9}))?)?"
    rf"(?:\s*(?P<half>[ap])\.?m\.?)?\s*{_ZONE})?"
)
_DATES = (
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
    r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second_part>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})",
    rf"{_NTH}[-\s./]*{_MONTH},?[-\s/]*(?P<year>\d{{4}}|\d{{2}})",
    rf"{_MONTH}[-\s/]*{_NTH},?\s+(?P<year>\d{{4}})",
    rf"(?P<year>\d{{4}})[-\s./]{_MONTH}[-\s./]{_NTH}",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
)
LAYOUTS = (
    *(re.compile(_WEEKDAY + date + _TIME, re.IGNORECASE | re.ASCII) for date in _DATES),
    re.compile(
        rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d)t?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d){_ZONE}",
        re.IGNORECASE | re.ASCII,
    ),
)
# 1973 to 2286 in seconds, and the same in milliseconds; shorter numbers are dates without separators, or no dates.
_EPOCH = re.compile(r"(?P<seconds>-?\d{9,10})(?P<millis>\d{3})?", re.ASCII)
_UTC = dt.UTC
_DAY_ZERO = dt.datetime(1970, 1, 1, tzinfo=_UTC)
_LAST_OF_OLD_CENTURY = 70


def parse(text: str, rules: Sequence[re.Pattern[str]] = ()) -> dt.datetime | None:
    """Return the time that a text means, with its zone if it names one (naive otherwise); None when it fits no layout.

    Args:
        text: Any text.
        rules: Regular expressions with the groups year, month, day, hour, minute, second, ns, zero; tried first.
    """
    text = text.strip()
    for layout in (*rules, *LAYOUTS):
        found = layout.fullmatch(text)
        moment = _moment(found.groupdict()) if found else None
        if moment is not None:
            return moment
    epoch = _EPOCH.fullmatch(text)
    if epoch:
        millis = int(epoch["seconds"]) * 1000 + int(epoch["millis"] or 0)
        return _DAY_ZERO + dt.timedelta(milliseconds=millis)
    return None


def to_dates(column: pa.Array, rules: Sequence[re.Pattern[str]]) -> pa.Array:
    """Return the date that each text names, as it is written there, whatever its zone."""

    def date_of(text: str) -> dt.date | None:
        moment = parse(text, rules)
        return None if moment is None else moment.date()

    return over_distinct(column, date_of, pa.date32())


def to_timestamps(column: pa.Array, rules: Sequence[re.Pattern[str]], zone: str) -> pa.Array:
    """Return the wall time in a zone of the moment that each text names; texts without a zone are in UTC."""
    there = _zone_named(zone)

    def wall_time(text: str) -> dt.datetime | None:
        moment = parse(text, rules)
        if moment is None:
            return None
        try:
            known = moment if moment.tzinfo else moment.replace(tzinfo=_UTC)
            return known.astimezone(there).replace(tzinfo=_UTC)
        except OverflowError:  # before the year 1 or after 9999
            return None

    return over_distinct(column, wall_time, pa.timestamp("us", tz="UTC"))


def _zone_named(name: str) -> dt.tzinfo:
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", name)
    if not offset:
        return ZoneInfo(name)
    size = dt.timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    return dt.timezone(-size if offset[1] == "-" else size)


def _moment(groups: Mapping[str, str | None]) -> dt.datetime | None:
    """Return the moment that the named groups spell; None when there is no such day or hour."""
    if groups.get("year") is None:
        return None
    month, day = _month_and_day(groups)
    fraction = (groups.get("ns") or "").ljust(6, "0")[:6]
    try:
        return dt.datetime(
            _year(str(groups["year"])),
            month,
            day,
            _hour(groups),
            int(groups.get("minute") or 0),
            int(groups.get("second") or 0),
            int(fraction),
            tzinfo=_zone(groups),
        )
    except ValueError:
        return None


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004 - two digits leave the century to the reader
        return year
    return year + (1900 if year >= _LAST_OF_OLD_CENTURY else 2000)


def _month_and_day(groups: Mapping[str, str | None]) -> tuple[int, int]:
    first, second = groups.get("first"), groups.get("second_part")
    if first is not None and second is not None:
        day, month = int(first), int(second)
        return (day, month) if month > len(MONTHS) >= day else (month, day)
    month_text = groups.get("month") or "1"
    month = int(month_text) if month_text.isdigit() else MONTHS.index(month_text[:3].lower()) + 1
    return month, int(groups.get("day") or 1)


def _hour(groups: Mapping[str, str | None]) -> int:
    hour, half = int(groups.get("hour") or 0), groups.get("half")
    if half is None:
        return hour
    if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock with two halves
        raise ValueError(f"{hour} o'clock is on no clock with two halves")
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _zone(groups: Mapping[str, str | None]) -> dt.tzinfo | None:
    if groups.get("zero"):
        return _UTC
    zone = groups.get("zone")
    if zone is None:
        return None
    if zone.lower() in {"z", "utc", "gmt"}:
        return _UTC
    digits = zone[1:].replace(":", "").ljust(4, "0")
    size = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-size if zone[0] == "-" else size)

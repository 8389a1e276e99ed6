"""Fields of manifests that hold a cron expression or a time zone."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Annotated, LiteralString
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

# Types of the validation errors; both carry `problem` and `hint`.
CRON_ERROR = "cron"
TIMEZONE_ERROR = "timezone"

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
# Name, lowest and highest number, and the words that stand for numbers.
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


def _problem(problem: str, hint: str, kind: LiteralString = CRON_ERROR) -> PydanticCustomError:
    return PydanticCustomError(kind, "{problem}", {"problem": problem, "hint": hint})


@lru_cache(maxsize=1024)
def check_cron(text: str) -> str:
    """Return a cron expression of five fields with single blanks.

    Raises:
        PydanticCustomError: It has another number of fields, or a field has a wrong value.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _problem(
            f"a cron has five fields, this one has {len(fields)}",
            "minute, hour, day of month, month, day of week, such as '15 5 * * *'",
        )
    for (name, low, high, words), field in zip(_FIELDS, fields, strict=True):
        for part in field.split(","):
            _check_part(part, name, low, high, words)
    return " ".join(fields)


def _check_part(part: str, name: str, low: int, high: int, words: dict[str, int]) -> None:
    if part.startswith("/"):
        raise _problem(f"{part!r} is no {name}: the '*' in front is missing", f"write '*{part}'")
    found = _PART.fullmatch(part)
    if not found:
        raise _problem(f"{part!r} is no {name}", f"{low}-{high}, '*', lists, ranges and steps such as '*/15'")
    bounds = [_number(text, words) for text in (found["first"], found["last"]) if text]
    if not all(low <= number <= high for number in bounds):
        raise _problem(f"{part!r} is no {name}", f"{low} to {high}")
    if found["step"] == "0" or bounds != sorted(bounds):
        raise _problem(f"{part!r} is no {name}: it never holds", f"{low} to {high}, the lower number first")


def _number(text: str, words: dict[str, int]) -> int:
    """Return the number that a text stands for; one that no field has when it stands for none."""
    return int(text) if text.isdecimal() else words.get(text.lower(), -1)


@cache
def _is_timezone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # ValueError: absolute or otherwise impossible key; OSError: the name of a folder of the database.
        return False
    return True


def check_timezone(text: str) -> str:
    """Return the name of a time zone.

    Raises:
        PydanticCustomError: The tz database has no such zone.
    """
    if not _is_timezone(text):
        raise _problem(
            f"{text!r} is no time zone", "a name of the tz database, such as Europe/Lisbon or UTC", TIMEZONE_ERROR
        )
    return text


CronText = Annotated[str, AfterValidator(check_cron)]
TimezoneText = Annotated[str, AfterValidator(check_timezone)]

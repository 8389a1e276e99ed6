"""Rules by which users read dates of their own layouts: Java regular expressions with named groups."""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dataos_dagster.flare.functions.sed import rewritten

GROUPS = ("year", "month", "day", "hour", "minute", "second", "ns", "zero")
_GROUP = re.compile(r"\(\?<(\w+)>")
_OFFSET = re.compile(r"(?:UTC|GMT)?[+-](?:0?\d|1[0-8])(?::?[0-5]\d)?")


@lru_cache(maxsize=256)
def compiled_rule(rule: str) -> re.Pattern[str]:
    """Return a rule, compiled; it has to match the whole text, in any letter case.

    The lenticular brackets around the rule that the Flare reference prints are left out, and so are the plain ones that
    its example has in their place.

    Raises:
        ValueError: It does not parse, or names no year.
    """
    text = rule.strip()
    if text.startswith(("【", "[(?<")) and text.endswith(("】", "]")):
        text = text[1:-1]
    named = _GROUP.findall(text)
    unknown = [name for name in named if name not in GROUPS]
    if "year" not in named or unknown:
        told = f"the group {unknown[0]!r} means nothing" if unknown else "no group is named year"
        raise ValueError(
            f"{rule!r} is no rule of dates: {told}; groups: {', '.join(f'(?<{name}>…)' for name in GROUPS)}"
        )
    try:
        return re.compile(rewritten(text), re.IGNORECASE | re.ASCII)
    except re.error as error:
        raise ValueError(f"{rule!r} does not parse: {error}") from None


def check_zone(name: str) -> str:
    """Return the name of a time zone after checking it.

    Raises:
        ValueError: There is none of that name.
    """
    if _OFFSET.fullmatch(name) is None:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
            raise ValueError(f"there is no time zone {name!r}; write a name such as Asia/Kolkata, or +05:30") from None
    return name

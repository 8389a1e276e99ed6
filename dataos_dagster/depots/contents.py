"""What a depot says of what is in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataos_dagster.manifests.spelling import near

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


# What stands between the levels of an address, or of the name of a table.
_LEVELS = re.compile(r"[./:]+")


def tables_in(names: Collection[Sequence[str]], level: str) -> str:
    """Return how many tables there are, and in how many of what stands above them: `3 tables in 2 schemas`."""
    above = {tuple(name[:-1]) for name in names}
    return f"{counted(len(names), 'table')} in {counted(len(above), level)}"


def nearest(wanted: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint for a name that is not there: the one that is most like it, or what else to do.

    Names are compared level by level: that two tables are in one schema makes their own names no more alike.
    """
    levels = _LEVELS.split(wanted)
    found = [(_apart(levels, _LEVELS.split(other)), other) for other in known]
    best = min(((apart, other) for apart, other in found if apart is not None), default=None)
    return f"did you mean {best[1]}?" if best else otherwise


def _apart(wanted: Sequence[str], known: Sequence[str]) -> int | None:
    """Return how many slips two names are apart, or None where somebody who wrote one cannot have meant the other."""
    if len(wanted) != len(known):
        return None
    slips = [near(one, [other]) for one, other in zip(wanted, known, strict=True)]
    return sum(found[0][0] for found in slips) if all(slips) else None


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `2,000 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

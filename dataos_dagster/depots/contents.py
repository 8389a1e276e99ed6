"""What a depot says of what is in it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


def tables_in(names: Collection[Sequence[str]], level: str) -> str:
    """Return how many tables there are, and in how many of what stands above them: `3 tables in 2 schemas`."""
    above = {tuple(name[:-1]) for name in names}
    return f"{counted(len(names), 'table')} in {counted(len(above), level)}"


def nearest(wanted: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint for a name that is not there: the one that is most like it, or what else to do."""
    near = difflib.get_close_matches(wanted, list(known), n=1)
    return f"did you mean {near[0]}?" if near else otherwise


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `2,000 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

"""Lines and columns of a text, both from 1, and the offsets from 0 that they stand for; lines end with a line break."""

from __future__ import annotations


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def offset_of(text: str, line: int, column: int) -> int:
    """Return the offset of a line and a column."""
    lines = text.split("\n")
    return sum(len(before) + 1 for before in lines[: line - 1]) + column - 1

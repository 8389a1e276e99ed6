"""The lines around a place, with a caret under it and secrets masked."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from dataos_dagster.manifests.composing import LINE_BREAK
from dataos_dagster.manifests.masking import MASK, MaskedLine, mask

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import Range

# Widest part of a line that is shown, in characters.
_WIDTH = 110
_TAB = "→"


def snippet(text: str, place: Range) -> str:
    """Return the line of a place and the one before it, numbered, with a caret under the place.

    A tab is shown as an arrow, so that it is seen and the caret stands under it.
    """
    lines = _masked(text)
    number = min(max(place.start.line, 1), len(lines))
    line = lines[number - 1]
    start = max(place.start.column - 1, 0)
    end = place.end.column - 1 if place.end.line == place.start.line else len(line.text)
    if start >= line.visible and line.text.endswith(MASK):
        start, end = line.visible, len(line.text)
    start = min(start, len(line.text))
    shown, start, end = _window(line.text, start, max(min(end, len(line.text)), start + 1))
    margin = len(str(number))
    rows = [
        f"{number:>{margin}} | {shown}",
        f"{'':>{margin}} | {' ' * _cells(shown[:start])}{_carets(shown, start, end)}",
    ]
    before = lines[number - 2].text if number > 1 else ""
    if before.strip() and start < _WIDTH:
        rows.insert(0, f"{number - 1:>{margin}} | {_window(before, 0, 1)[0]}")
    return "\n".join(row.rstrip() for row in rows)


@lru_cache(maxsize=4)
def _masked(text: str) -> list[MaskedLine]:
    return mask(LINE_BREAK.split(text))


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """Return the part of a line around a place, and the place in it."""
    line = line.replace("\t", _TAB)
    if len(line) <= _WIDTH:
        return line, start, end
    left = max(0, min(start - _WIDTH // 2, len(line) - _WIDTH))
    shown = line[left : left + _WIDTH]
    if left:
        shown = f"…{shown[1:]}"
    if left + _WIDTH < len(line):
        shown = f"{shown[:-1]}…"
    return shown, start - left, min(end - left, _WIDTH)


def _carets(line: str, start: int, end: int) -> str:
    return "^" * max(1, _cells(line[start:end]))


def _cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)

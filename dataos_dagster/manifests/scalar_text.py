"""Where each character of a text value stands in its file, however YAML wrote it.

A value is not its source: blocks lose their indentation, folded and quoted lines are joined, quotes and escapes go.
What stays is every character that is no blank, in its order; so the two are walked side by side over those. Values that
do not fit their source (a variable was put in, another file was read) have no places of their own.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

from dataos_dagster.manifests.composing import LINE_BREAK
from dataos_dagster.manifests.diagnostics import Position, Range

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A tag or an anchor in front of the value, which libyaml counts as part of it.
_PROPERTIES = re.compile(r"(?:[!&]\S*[ \t]+)+")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
# Length of an escape of a double-quoted text behind its backslash, where it is not one.
_ESCAPE_LENGTHS = {"x": 3, "u": 5, "U": 9}
_ESCAPED = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b", " ": " ",
    '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029", "\t": "\t",
}  # fmt: skip

# One character of a value with the line, the first and the last column (1-based) of what stands for it.
_Character = tuple[str, int, int, int]


def range_in_scalar(text: str, place: Range, value: str, start: int, end: int) -> Range | None:
    """Return where a part of a text value stands in its file.

    Args:
        text: The text of the file.
        place: Where the whole value stands.
        value: The value that YAML makes of it.
        start: 0-based offset in the value; one of a blank means the next character that is none, or the last one.
        end: Offset behind the last character of the part.

    Returns:
        The range; None when the value is not what stands there.
    """
    offsets, characters = _places(text, place, value)
    if not offsets:
        return None
    first = min(bisect_left(offsets, start), len(offsets) - 1)
    last = max(bisect_left(offsets, end) - 1, first)
    (_, line, column, _), (_, end_line, _, end_column) = characters[first], characters[last]
    return Range(Position(line, column), Position(end_line, end_column + 1))


@lru_cache(maxsize=8)
def _places(text: str, place: Range, value: str) -> tuple[list[int], list[_Character]]:
    """Return the offsets of the characters of a value that are no blanks, and what stands for each; none if unequal.

    Kept, because a statement has many parts whose places are asked for one after the other.
    """
    offsets = [index for index, character in enumerate(value) if not character.isspace()]
    source = [found for found in _characters(LINE_BREAK.split(text), place) if not found[0].isspace()]
    fits = [value[index] for index in offsets] == [character for character, *_ in source]
    return (offsets, source) if fits else ([], [])


def _characters(lines: Sequence[str], place: Range) -> Iterator[_Character]:
    """Yield the characters of a value as its source has them, line breaks left out and blanks more than they are."""
    number, column = place.start.line, place.start.column
    properties = _PROPERTIES.match(lines[number - 1], column - 1)
    if properties:
        column = properties.end() + 1
    first = lines[number - 1][column - 1 :]
    end = (place.end.line, place.end.column)
    if _BLOCK_HEADER.match(first):
        yield from _plain(lines, (number + 1, 1), end)
    elif first.startswith("'"):
        yield from _single_quoted(lines, (number, column + 1), (end[0], end[1] - 1))
    elif first.startswith('"'):
        yield from _double_quoted(lines, (number, column + 1), (end[0], end[1] - 1))
    else:
        yield from _plain(lines, (number, column), end)


def _plain(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> Iterator[_Character]:
    for number in range(start[0], min(end[0], len(lines)) + 1):
        line = lines[number - 1]
        last = end[1] - 1 if number == end[0] else len(line)
        for index in range(start[1] - 1 if number == start[0] else 0, min(last, len(line))):
            yield line[index], number, index + 1, index + 1


def _single_quoted(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> Iterator[_Character]:
    is_second = False  # '' is one quote
    for character, number, first, last in _plain(lines, start, end):
        if character == "'" and not is_second:
            is_second = True
            continue
        yield character, number, first - 1 if is_second else first, last
        is_second = False


def _double_quoted(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> Iterator[_Character]:
    for number in range(start[0], min(end[0], len(lines)) + 1):
        line = lines[number - 1]
        index = start[1] - 1 if number == start[0] else 0
        last = min(end[1] - 1 if number == end[0] else len(line), len(line))
        while index < last:
            length = 1
            character = line[index]
            if character == "\\":
                kind = line[index + 1 : index + 2]
                length = 1 + _ESCAPE_LENGTHS.get(kind, 1)
                digits = line[index + 2 : index + length]
                character = chr(int(digits, 16)) if kind in _ESCAPE_LENGTHS else _ESCAPED.get(kind, " ")
            yield character, number, index + 1, index + length
            index += length

"""A manifest's lines as somebody reads them who does not parse: dash, key, value, comment, and what is open above.

The text is broken, so nothing here asks a parser. Line numbers and columns are 0-based, as libyaml's marks are.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'"
_LINE = re.compile(
    r"(?P<indent> *+)(?P<dashes>(?:-(?: ++|$))*+)"
    rf"(?:(?P<key>{_QUOTED}|[^\s#\"'](?:[^:#]|:(?=\S))*+)[ \t]*:(?=\s|$)(?P<gap>[ \t]*))?(?P<value>.*)",
    re.DOTALL,
)
# Characters of a line that are looked at: longer ones are data, and rules are not linear in the length of a line.
_LONGEST = 1000
_COMMENT = re.compile(r"(?:^|[ \t])#")
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*")
_FIRST_QUOTED = re.compile(_QUOTED)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a broken manifest.

    Attributes:
        number: 0-based.
        text: The line without its line break.
        indent: Column of the first character that is not a space.
        dashes: Columns of the dashes of list items that begin here.
        column: Column behind the dashes, where a key or a value begins.
        key: The key, without quotes; None when there is none.
        value: What stands behind the key (or the dashes), without its comment.
        value_column: Where the value begins.
        inside: The line belongs to a block scalar that began above, so its text has no structure.
    """

    number: int
    text: str
    indent: int
    dashes: tuple[int, ...]
    column: int
    key: str | None
    value: str
    value_column: int
    inside: bool = False

    @property
    def blank(self) -> bool:
        """Tell whether the line says nothing to a parser."""
        return not self.inside and self.key is None and not self.dashes and not self.value

    @property
    def comment(self) -> bool:
        """Tell whether the line is nothing but a comment."""
        return self.blank and self.text.lstrip(" \t").startswith("#")

    @property
    def opens_block_scalar(self) -> bool:
        """Tell whether the text of a block scalar begins on the next line."""
        return _BLOCK_SCALAR.fullmatch(self.value) is not None

    @property
    def holds(self) -> bool:
        """Tell whether further lines may nest below the line's key: it has no value of its own."""
        return self.value == "" or self.value.startswith(("&", "!"))

    def with_value(self, value: str) -> str:
        """Return the line's text with another value; its comment stays."""
        end = self.value_column + len(self.value)
        gap = "" if self.text[: self.value_column].endswith((" ", "\t")) or not self.value_column else " "
        return f"{self.text[: self.value_column]}{gap}{value}{self.text[end:]}"


def read_lines(texts: list[str]) -> list[Line]:
    """Return the lines, knowing which of them are the text of a block scalar."""
    lines: list[Line] = []
    scalar_indent: int | None = None
    for number, text in enumerate(texts):
        stripped = text.lstrip(" ")
        indent = len(text) - len(stripped)
        if scalar_indent is not None and (not stripped.strip() or indent > scalar_indent):
            lines.append(Line(number, text, indent, (), indent, None, stripped, indent, inside=True))
            continue
        line = _read_line(number, text)
        lines.append(line)
        scalar_indent = None
        if line.opens_block_scalar:
            scalar_indent = line.column if line.key is not None else (line.dashes[-1] if line.dashes else -1)
    return lines


def _read_line(number: int, text: str) -> Line:
    found = _LINE.match(text[:_LONGEST])
    assert found is not None, "the pattern matches every line"  # noqa: S101 - a fact about the pattern
    start, dashes = found.end("indent"), found["dashes"]
    key, value, value_column = found["key"], found["value"], found.start("value")
    if key is not None and key.count("{{") > key.count("}}"):
        # The colon is inside a placeholder: `${{"key1": "value1"}}`.
        value_column = start + len(dashes)
        key, value = None, text[value_column:_LONGEST]
    value = without_comment(value)
    return Line(
        number=number,
        text=text,
        indent=start,
        dashes=tuple(start + offset for offset, character in enumerate(dashes) if character == "-"),
        column=start + len(dashes),
        key=None if key is None else key.strip("\"' \t"),
        value=value,
        value_column=value_column,
    )


def without_comment(value: str) -> str:
    """Return a value without the comment behind it and without blanks at its end."""
    quoted = _FIRST_QUOTED.match(value)
    start = quoted.end() if quoted else 0
    comment = _COMMENT.search(value, start)
    return (value[: comment.start()] if comment else value).rstrip()


@dataclass(frozen=True, slots=True)
class Opening:
    """A mapping or list that is still open at some line.

    Attributes:
        column: Where its keys or dashes stand.
        line: The last line that begins a key or item of it.
        is_list: It is a list, and `column` is that of its dashes.
        first: The line of the mapping's first key: the same as `line` while it has only one.
    """

    column: int
    line: Line
    is_list: bool
    first: Line


def openings(lines: list[Line], number: int) -> list[Opening]:
    """Return what is open in front of a line, innermost first.

    Going up, a line counts when it stands further to the left than all that counted before.
    """
    found: list[Opening] = []
    bound = 1_000_000
    for line in reversed(lines[:number]):
        if line.blank or line.inside or line.indent > bound:
            continue
        if line.text.startswith("---"):
            break
        if line.column < bound and (line.key is not None or not line.dashes):
            found.append(Opening(line.column, line, is_list=False, first=_first(lines, line)))
            bound = line.column
        for dash in reversed(line.dashes):
            if dash < bound:
                found.append(Opening(dash, line, is_list=True, first=line))
                bound = dash
    return found


def _first(lines: list[Line], member: Line) -> Line:
    """Return the line of the first key of the mapping that a line's key belongs to."""
    first = member
    for line in reversed(lines[: member.number]):
        if line.blank or line.inside or line.column > member.column:
            continue
        if line.column < member.column or first.dashes:
            break
        first = line
    return first


def block(lines: list[Line], start: Line) -> list[Line]:
    """Return a line and those that belong below or beside it: up to one further left, or the next item of its list."""
    members = [start]
    for line in lines[start.number + 1 :]:
        if line.blank:
            continue
        left = line.indent < start.indent or line.text.startswith("---")
        next_item = line.indent == start.indent and bool(line.dashes) and not start.dashes
        if not line.inside and (left or next_item):
            break
        members.append(line)
    return members


def usual_step(lines: list[Line], *, without: Line) -> int:
    """Return by how many columns the lines of a file, `without` one, are mostly indented; 2 when none is."""
    keys = [line for line in lines if line.key is not None and not line.inside]
    steps = Counter(
        below.indent - above.column
        for above, below in pairwise(keys)
        if below is not without and above.value == "" and below.indent > above.column and not below.dashes
    )
    return steps.most_common(1)[0][0] if steps else 2

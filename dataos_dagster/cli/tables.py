"""Tables for terminals of any width, and for pipes.

On a terminal nothing is cut: a column of little importance moves below its row or is left out, and where even that is
not enough each row becomes a list of its values. In a pipe every row is one line, whatever its length, with two spaces
between columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP = "  "
# Below its row a value stands this far to the right.
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and what becomes of it where a terminal is too narrow.

    Attributes:
        name: Its heading.
        right: Its values end at the same place: numbers.
        rank: Columns of the highest rank give way first; those of rank 0 never do.
        below: It gives way by moving below its row; otherwise it is left out.
    """

    name: str
    right: bool = False
    rank: int = 0
    below: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each column of a table stands.

    Attributes:
        inline: Indices of the columns in the row, with their widths.
        below: Indices of the columns below it.
        fits: Whether a row is as wide as the terminal at most.
    """

    columns: tuple[Column, ...]
    inline: tuple[tuple[int, int], ...]
    below: tuple[int, ...]
    fits: bool

    def header(self) -> Text:
        """Return the line of headings."""
        line = self._line([Text(column.name) for column in self.columns])
        line.stylize("bold")
        return line

    def lines(self, cells: Sequence[Text]) -> Iterator[Text]:
        """Yield the lines of one row."""
        yield self._line(cells)
        yield from (Text.assemble(INDENT, cells[index]) for index in self.below if cells[index].plain)

    def _line(self, cells: Sequence[Text]) -> Text:
        padded = [_padded(cells[index], width, right=self.columns[index].right) for index, width in self.inline]
        line = Text(_GAP).join(padded)
        line.rstrip()
        return line


def layout(columns: Sequence[Column], widths: Sequence[int], available: int | None) -> Layout:
    """Return the widest layout that fits.

    Args:
        columns: The columns, left to right.
        widths: Cells that the values of each take.
        available: Cells of a line; None for a pipe, where everything fits.
    """
    inline = {index: max(widths[index], cell_len(column.name)) for index, column in enumerate(columns)}
    below: list[int] = []
    ranked = sorted((column.rank, index) for index, column in enumerate(columns) if column.rank)
    while available is not None and _width(inline) > available and ranked:
        _, index = ranked.pop()
        del inline[index]
        if columns[index].below:
            below.append(index)
    fits = available is None or _width(inline) <= available
    return Layout(tuple(columns), tuple(sorted(inline.items())), tuple(sorted(below)), fits)


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], console: Console | None = None, *, indent: str = ""
) -> None:
    """Print a table; a row may have one value more than there are columns, which is printed below it as a remark.

    Args:
        columns: Left to right.
        rows: Their values.
        console: Where to print; default standard output.
        indent: What stands in front of each line.
    """
    console = console or Console(highlight=False)
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max((cell_len(row[index].plain) for row in rows), default=0) for index in range(len(columns))]
    chosen = layout(columns, widths, console.width - len(indent) if console.is_terminal else None)
    if not chosen.fits:
        print_lists([column.name for column in columns], rows, console, indent=indent)
        return
    print_line(Text.assemble(indent, chosen.header()), console)
    for row in rows:
        for line in chosen.lines(row):
            print_line(Text.assemble(indent, line), console)
        for remark in row[len(columns) :]:
            print_line(Text.assemble(indent, INDENT, remark), console)


def print_lists(names: Sequence[str], rows: Sequence[Sequence[Text]], console: Console, *, indent: str = "") -> None:
    """Print each row as a list of its values, each behind the indent: what remains where no row fits into a line."""
    width = max(map(cell_len, names), default=0)
    for number, row in enumerate(rows):
        if number:
            print_line(Text(), console)
        for name, cell in zip(names, row, strict=False):
            named = _padded(Text(name, style="bold"), width, right=False)
            print_line(Text.assemble(indent, named, _GAP, cell), console)
        for remark in row[len(names) :]:
            print_line(Text.assemble(indent, INDENT, remark), console)


def print_line(line: Text, console: Console) -> None:
    """Print one line as it is: what is too long for a terminal goes on at its left edge, and can be copied whole."""
    console.print(line, soft_wrap=True, highlight=False)


def one_line(cell: Text) -> Text:
    """Return a value without line breaks and tabs: they stand there as they are written in a string."""
    if not any(mark in cell.plain for mark in "\n\r\t"):
        return cell
    return Text(cell.plain.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"), style=cell.style)


def _padded(cell: Text, width: int, *, right: bool) -> Text:
    missing = " " * (width - cell_len(cell.plain))
    return Text.assemble(missing, cell) if right else Text.assemble(cell, missing)


def _width(inline: dict[int, int]) -> int:
    return sum(inline.values()) + len(_GAP) * (len(inline) - 1)

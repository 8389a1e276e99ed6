"""The page of killed processes, KILLS.md: sections that several scripts add figures to, one after the other or at once.

Each script owns sections, by their headings, and hands over a table of counts; the figures of a line are added to those
that stand there, so a long count can be made in slices. The sections of others stay as they are.
"""

from __future__ import annotations

import fcntl
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path(__file__).with_name("KILLS.md")
TITLE = "# Killed writers, jobs and streams"
_HEADING = re.compile(r"(?m)^(?=## )")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: words, a sum, and a table of counts.

    Attributes:
        heading: Its heading; names the section.
        words: What was done, above the table.
        name: Heading of the first column, which names a line.
        columns: Headings of the other columns, each a number.
        summary: Columns whose sum is said in a line of its own.
    """

    heading: str
    words: str
    name: str
    columns: tuple[str, ...]
    summary: tuple[str, ...]

    def lines_of(self, text: str) -> dict[str, list[int]]:
        """Return the counts of each line of the section as it stands in a page."""
        found: dict[str, list[int]] = {}
        for line in _part(text, self.heading).splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) == len(self.columns) + 1 and all(cell.isdigit() for cell in cells[1:]):
                found[cells[0]] = [int(cell) for cell in cells[1:]]
        return found

    def said(self, lines: Mapping[str, list[int]]) -> str:
        """Return the sums of these counts in words."""
        sums = {name: sum(counts[self.columns.index(name)] for counts in lines.values()) for name in self.summary}
        return ", ".join(f"{number:,} {name}" for name, number in sums.items())

    def render(self, lines: Mapping[str, list[int]]) -> str:
        """Return the section with these counts."""
        rows = (f"| {name} | {' | '.join(map(str, lines[name]))} |" for name in sorted(lines))
        head = f"| {self.name} | {' | '.join(self.columns)} |"
        parts = [
            f"## {self.heading}",
            "",
            self.words,
            "",
            f"**{self.said(lines)}**",
            "",
            head,
            "|---" * (len(self.columns) + 1) + "|",
        ]
        return "\n".join([*parts, *rows]) + "\n"


def add(section: Section, line: str, counts: Mapping[str, int], page: Path = PAGE) -> None:
    """Add counts to a line of a section; columns that are not named stay.

    Several processes may do that at once.
    """
    with _locked(page) as file:
        text = file.read()
        lines = section.lines_of(text)
        before = lines.get(line, [0] * len(section.columns))
        lines[line] = [number + counts.get(name, 0) for name, number in zip(section.columns, before, strict=True)]
        written = _replaced(text, section.heading, section.render(lines))
        file.truncate(0)
        file.write(written)


def read(section: Section, page: Path = PAGE) -> dict[str, dict[str, int]]:
    """Return the counts of a section, by line and column."""
    if not page.exists():
        return {}
    with _locked(page) as file:
        lines = section.lines_of(file.read())
    return {name: dict(zip(section.columns, counts, strict=True)) for name, counts in lines.items()}


def said(section: Section, page: Path = PAGE) -> str:
    """Return what the page says of a section in one line: `36 kills, 0 lost`."""
    return section.said({name: list(counts.values()) for name, counts in read(section, page).items()})


def forget(section: Section, page: Path = PAGE) -> None:
    """Take a section out of the page."""
    if page.exists():
        with _locked(page) as file:
            written = _replaced(file.read(), section.heading, "")
            file.truncate(0)
            file.write(written)


@contextmanager
def _locked(page: Path) -> Iterator[TextIO]:
    """Open a page at its beginning, while nobody else reads or writes it; what is written goes to its end."""
    with page.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file


def _part(text: str, heading: str) -> str:
    return next((part for part in _HEADING.split(text) if part.splitlines()[:1] == [f"## {heading}"]), "")


def _replaced(text: str, heading: str, section: str) -> str:
    """Return a page with one section in the place of the one of that heading, or at its end."""
    return "\n".join(part.strip("\n") + "\n" for part in _parts(text, heading, section))


def _parts(text: str, heading: str, section: str) -> Iterator[str]:
    yield TITLE
    waiting = section
    for part in _HEADING.split(text):
        if part.startswith("# ") or not part.strip():
            continue
        if part.splitlines()[0] == f"## {heading}":
            part, waiting = waiting, ""  # noqa: PLW2901 - it takes this one's place
        if part:
            yield part
    if waiting:
        yield waiting

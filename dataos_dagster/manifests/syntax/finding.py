"""What the rules work on and what they find.

Numbers of lines and columns are 0-based here, as libyaml's are; diagnostics are 1-based.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from dataos_dagster.manifests.composing import nodes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.manifests.misread_lines import MisreadLine
    from dataos_dagster.manifests.syntax.lines import Line

# Contexts that libyaml reports where they begin, and whose symptom may stand many lines further down.
_SPANNING = ("quoted scalar", "flow sequence", "flow mapping")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What libyaml says about a text: symptoms, often some lines behind their cause."""

    problem: str
    context: str
    line: int
    column: int
    start_line: int
    start_column: int

    @property
    def spans(self) -> bool:
        """Tell whether something was begun and not ended."""
        return any(word in self.context for word in _SPANNING)

    @property
    def position(self) -> tuple[int, int]:
        """Return where the trouble is, to compare how far two texts are read."""
        return (self.start_line, self.start_column) if self.spans else (self.line, self.column)

    @classmethod
    def of(cls, error: yaml.MarkedYAMLError) -> Trouble:
        """Return the trouble that an exception of libyaml tells of."""
        mark = error.problem_mark or error.context_mark
        start = error.context_mark or mark
        return cls(
            problem=error.problem or "",
            context=error.context or "",
            line=mark.line if mark else 0,
            column=mark.column if mark else 0,
            start_line=start.line if start else 0,
            start_column=start.column if start else 0,
        )


def find_trouble(texts: list[str]) -> Trouble | None:
    """Return what libyaml says about a text in lines, or None when it is YAML."""
    try:
        for _ in nodes_of("\n".join(texts)):
            pass
    except yaml.MarkedYAMLError as error:
        return Trouble.of(error)
    return None


@dataclass(frozen=True, slots=True)
class Broken:
    """A text that is not YAML, at its first trouble.

    Attributes:
        at: The line of the trouble, or the next one that says something.
    """

    lines: list[Line]
    trouble: Trouble
    at: Line

    @classmethod
    def read(cls, lines: list[Line], trouble: Trouble) -> Broken:
        """Return the view that rules have of a text."""
        last = len(lines) - 1
        number = min(trouble.line, last)
        at = next((line for line in lines[number:] if not line.blank), lines[number])
        return cls(lines, trouble, at)

    def before(self, number: int) -> Line | None:
        """Return the last line in front of a line that says something."""
        return next((line for line in reversed(self.lines[:number]) if not line.blank), None)


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that a rule proposes, with a repair that shows whether it is one.

    Attributes:
        code: Diagnostic code.
        edits: New text of each line that the repair changes.
        safe: There is only one thing that the user can have meant.
        repair: What the repair does, as an order.
        certain: The line's own shape says so: it counts as soon as its repair lets the parser go on at all.
    """

    code: str
    line: int
    column: int
    end_column: int
    message: str
    hint: str
    edits: Mapping[int, str] = field(default_factory=dict)
    safe: bool = False
    repair: str = ""
    certain: bool = False


def finding_of(misread: MisreadLine) -> Finding:
    """Return what a line of a text that is YAML would be warned of, as a cause in one that is not."""
    start, end = misread.place.start, misread.place.end
    return Finding(misread.code, start.line - 1, start.column - 1, end.column - 1, misread.message, misread.hint)

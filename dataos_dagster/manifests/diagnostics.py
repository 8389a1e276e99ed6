"""What there is to say about a manifest: one value type for the command line, editors, load errors and Dagster.

Lines and columns are 1-based; columns count characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

# One step into a document: a mapping's key or a sequence's index (0-based).
PathStep = str | int
DocumentPath = tuple[PathStep, ...]


class Severity(StrEnum):
    """How bad it is: an error stops the document, a warning does not, info is only told."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` up to, and without, `end`."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of `range` by `text`."""

    range: Range
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that mends what a diagnostic speaks of.

    `safe` means that the meaning of the document stays, or that there was only one thing it can have meant:
    `dataos check --fix` applies safe ones only.
    """

    description: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about one place of one file.

    Attributes:
        code: Stable identifier, explained at length by `dataos explain CODE`.
        file: Path as the user would type it: relative to the project when it is inside.
        path: Way to the place inside the document, such as `("workflow", "dag", 0, "name")`.
        message: What is wrong. Never holds a value that may be secret.
        hint: What to write instead.
        snippet: The lines around the place with a caret; secret values are masked. None when there is no text.
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    path: DocumentPath
    message: str
    hint: str = ""
    fix: Fix | None = None
    snippet: str | None = None

    @classmethod
    def at(
        cls,
        place: Range,
        code: str,
        severity: Severity,
        file: str,
        message: str,
        hint: str = "",
        *,
        path: DocumentPath = (),
        fix: Fix | None = None,
        snippet: str | None = None,
    ) -> Self:
        """Return a diagnostic about a range of a file."""
        start, end = place.start, place.end
        return cls(
            code, severity, file, start.line, start.column, end.line, end.column, path, message, hint, fix, snippet
        )

    @property
    def location(self) -> str:
        """Return `file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        advice = f" ({self.hint})" if self.hint else ""
        return f"{self.location}: {self.severity} {self.code}: {self.message}{advice}"

"""One YAML document of a file: its values, and where each of them stands.

A document is light: its values are kept as JSON text and its positions as packed integers, both immutable, so that ten
thousand of them cost tens of megabytes. The text of the file is read again for a snippet; when the file has changed
since, the snippet says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import Location
from dataos_dagster.manifests.diagnostics import Diagnostic, DocumentPath, Fix, Range, Severity

if TYPE_CHECKING:
    from dataos_dagster.manifests.positions import Positions
    from dataos_dagster.settings import LimitSettings


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, or one item of a file that is a list of manifests.

    Attributes:
        file: Path of the file.
        name: Path as it is displayed: relative to the project when the file is inside.
        index: 0-based number within the file; the items of a list count as documents.
        digest: SHA-256 of the file's bytes, hexadecimal.
        positions: Where each value stands.
    """

    file: Path
    name: str
    index: int
    digest: str
    positions: Positions = field(repr=False)
    encoded: str = field(repr=False)

    @property
    def data(self) -> Any:
        """Return the values before interpolation: a new copy at each call, so keep it while working with it.

        Mapping keys are strings as they are written; scalars are str, int, float, bool or None. Dates stay strings.
        """
        return json.loads(self.encoded)

    def range_of(self, path: DocumentPath, *, key: bool = False) -> Range:
        """Return the range of the value at a path, or of its nearest ancestor that exists.

        Args:
            path: Way from the document's root.
            key: Return the range of the mapping key in front of the value instead, where there is one.
        """
        return self.positions.range_of(self.data, path, key=key)

    def location(self, path: DocumentPath = (), *, key: bool = False) -> Location:
        """Return where the value at a path (or its key) begins, as errors carry it."""
        start = self.range_of(path, key=key).start
        return Location(self.name, start.line, start.column)

    def snippet(self, place: Range) -> str | None:
        """Return the lines of a range with a caret, secret values masked; None when the file cannot be read."""
        raise NotImplementedError

    def diagnostic(
        self,
        code: str,
        severity: Severity,
        path: DocumentPath,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        fix: Fix | None = None,
    ) -> Diagnostic:
        """Return a diagnostic about the value at a path (or about its key), with its snippet."""
        place = self.range_of(path, key=key)
        return Diagnostic(
            code=code,
            severity=severity,
            file=self.name,
            line=place.start.line,
            column=place.start.column,
            end_line=place.end.line,
            end_column=place.end.column,
            path=path,
            message=message,
            hint=hint,
            fix=fix,
            snippet=self.snippet(place),
        )


def read_file(file: Path, *, name: str, limits: LimitSettings) -> tuple[list[Document], list[Diagnostic]]:
    """Return the documents of a file and what is wrong with it; never raises.

    A file that is missing, unreadable, too large, binary or not YAML has no documents and at least one error. A
    duplicate key is an error of its document, which is returned all the same.
    """
    raise NotImplementedError


def read_text(
    text: str, *, file: Path, name: str, limits: LimitSettings
) -> tuple[list[Document], list[Diagnostic]]:
    """Return the documents of a text that stands, or will stand, in a file; see `read_file`."""
    raise NotImplementedError

"""One YAML document of a file: its values, and where each of them stands.

A document is light: its values are kept as JSON text and its positions as packed integers, both immutable, so that ten
thousand of them cost tens of megabytes. The text of the file is read again for a snippet; a file that has changed since
gives none, because the lines would be wrong.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from dataos_dagster.errors import Location
from dataos_dagster.manifests.diagnostics import Diagnostic, DocumentPath, Fix, Range, Severity
from dataos_dagster.manifests.scalar_text import range_in_scalar
from dataos_dagster.manifests.snippets import snippet
from dataos_dagster.manifests.source import decode

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.manifests.positions import Positions


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, or one item of a file that is a list of manifests.

    Attributes:
        file: Path of the file.
        name: Path as it is displayed: relative to the project when the file is inside.
        index: 0-based number within the file; the items of a list count as documents.
        digest: Digest of the file's bytes (`digest_of`), which tells whether it has changed since.
        positions: Where each value stands.
    """

    file: Path
    name: str
    index: int
    digest: bytes
    positions: Positions = field(repr=False)
    encoded: str = field(repr=False)

    @property
    def data(self) -> Any:
        """Return the values before interpolation: a new copy at each call, so keep it while working with it.

        Mapping keys are strings as they are written; scalars are str, int, float, bool or None. Dates stay strings.
        """
        return _decode(self.encoded)

    def range_of(self, path: DocumentPath, *, key: bool = False) -> Range:
        """Return the range of the value at a path, or of its nearest ancestor that exists.

        Args:
            path: Way from the document's root.
            key: Return the range of the mapping key in front of the value instead, where there is one.
        """
        return self.positions.range_of(_decoded(self.encoded), path, key=key)

    def range_in(self, path: DocumentPath, text: str, start: int, end: int) -> Range:
        """Return the range of a part of the text at a path, or of the whole value where the part has no place.

        Args:
            path: Way from the document's root to the value.
            text: What the offsets count in; a value that was read from elsewhere stands nowhere in the file.
            start: 0-based offset of the first character.
            end: Offset behind the last one.
        """
        place = self.range_of(path)
        source = self.text()
        if source is None:
            return place
        return range_in_scalar(source, place, text, start, end) or place

    def location(self, path: DocumentPath = (), *, key: bool = False) -> Location:
        """Return where the value at a path (or its key) stands, as errors carry it."""
        return self.location_of(self.range_of(path, key=key))

    def location_of(self, place: Range) -> Location:
        """Return a range of this document as errors carry it."""
        start, end = place.start, place.end
        return Location(self.name, start.line, start.column, (end.line, end.column))

    def snippet(self, place: Range) -> str | None:
        """Return the lines of a range with a caret, secret values masked; None when the file is not as it was."""
        text = self.text()
        return None if text is None else snippet(text, place)

    def text(self) -> str | None:
        """Return the file's text as it was read, or None when it is gone or has changed since."""
        try:
            content = self.file.read_bytes()
        except OSError:
            return None
        if digest_of(content) != self.digest:
            return None
        decoded = decode(content)
        return decoded if isinstance(decoded, str) else None

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
        return self.diagnostic_at(self.range_of(path, key=key), code, severity, path, message, hint, fix=fix)

    def diagnostic_at(
        self,
        place: Range,
        code: str,
        severity: Severity,
        path: DocumentPath,
        message: str,
        hint: str = "",
        *,
        fix: Fix | None = None,
    ) -> Diagnostic:
        """Return a diagnostic about a range of the document, with its snippet.

        What is only worth knowing has none: there is nothing to mend, there may be one for every job of a project, and
        secrets are looked for in the whole text before a line of it is shown.
        """
        shown = None if severity is Severity.INFO else self.snippet(place)
        return Diagnostic.at(place, code, severity, self.name, message, hint, path=path, fix=fix, snippet=shown)


def encode(data: Any) -> str:
    """Return values as JSON text, as a document keeps them.

    Args:
        data: Mappings with texts as keys, lists, texts, numbers, booleans and null, which is what the composer makes.
            Other values are not refused: keys that are no texts, bytes and dates would come back as texts.
    """
    try:
        return to_json(data).decode()
    except ValueError:  # it nests deeper than this encoder goes, which takes a quarter of the time of the other
        return json.dumps(data, separators=(",", ":"))


def digest_of(content: bytes) -> bytes:
    """Return the digest that identifies the content of a file."""
    return hashlib.blake2b(content, digest_size=16).digest()


@lru_cache(maxsize=4)
def _decoded(encoded: str) -> Any:
    """Return values for looking up positions, which change nothing: a file with a thousand jobs is decoded once."""
    return _decode(encoded)


def _decode(encoded: str) -> Any:
    try:
        return from_json(encoded, cache_strings="keys")
    except ValueError:  # it nests deeper than this decoder goes, which takes half of the time of the other
        return json.loads(encoded)

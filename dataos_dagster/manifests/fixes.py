"""Apply fixes to files: by position, so that comments and layout stay as they are."""

from __future__ import annotations

import os
import stat
import tempfile
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.manifests.composing import LINE_BREAK
from dataos_dagster.manifests.diagnostics import Diagnostic, Edit, Fix, Position, Range, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.document import Document

_BOM = "\ufeff"
# Comparing two lines takes time in the square of their length.
_LONGEST_LINE = 1000


def line_edits(number: int, before: str, after: str) -> tuple[Edit, ...] | None:
    """Return the edits that turn one line into another, as small as they can be; None for a line too long for it.

    A fix is kept and shown; the characters of a line that it leaves alone, which may be secret, are not part of it.

    Args:
        number: 1-based number of the line.
        before: The line as it is, without its line break.
        after: The line as it should be.
    """
    if len(before) > _LONGEST_LINE:
        return None
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return tuple(
        Edit(Range(Position(number, start + 1), Position(number, end + 1)), after[low:high])
        for operation, start, end, low, high in matcher.get_opcodes()
        if operation != "equal"
    )


def rename_key(document: Document, path: DocumentPath, name: str) -> Fix | None:
    """Return the fix that gives the key at a path another name; None where its text is not the key itself.

    Args:
        document: The document that holds the key.
        path: Way to the key's value, as the user wrote it.
        name: The key as it should be.
    """
    place, key = document.range_of(path, key=True), str(path[-1])
    quotes = place.end.column - place.start.column - len(key)
    if place.start.line != place.end.line or quotes not in {0, 2}:
        return None
    start = Position(place.start.line, place.start.column + quotes // 2)
    end = Position(place.end.line, place.end.column - quotes // 2)
    return Fix(f"spell it {name!r}", (Edit(Range(start, end), name),), safe=True)


def replace_word(document: Document, path: DocumentPath, text: str, word: str, right: str) -> Fix | None:
    """Return the fix that writes a word of a value right; None where the word does not stand there on one line.

    Args:
        document: The document that holds the value.
        path: Way to the value, as the user wrote it.
        text: The value.
        word: The part of it that is wrong.
        right: What it should be.
    """
    start = text.index(word)
    place = document.range_in(path, text, start, start + len(word))
    if place.start.line != place.end.line or place.end.column - place.start.column != len(word):
        return None
    return Fix(f"write {right!r}", (Edit(place, right),), safe=True)


def apply(text: str, fixes: Iterable[Fix]) -> str:
    """Return a text with fixes applied, each wholly or not at all: one that overlaps an earlier one is left out.

    Args:
        text: The text of a file, without a byte order mark; its line breaks stay as they are.
        fixes: Fixes of that text, the first ones first.
    """
    starts = _line_starts(text)
    spans: list[tuple[int, int, str]] = []
    for fix in fixes:
        own = [(_offset(edit.range.start, starts), _offset(edit.range.end, starts), edit.text) for edit in fix.edits]
        if not any(_overlap(one, other) for one in own for other in spans):
            spans += own
    for start, end, replacement in sorted(spans, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def fix_file(file: Path, diagnostics: Iterable[Diagnostic], errors_of: Callable[[str], int]) -> bool:
    """Apply the safe fixes of a file's diagnostics, and tell whether the file was changed.

    The file is replaced as a whole, with its permissions, or left as it is. It is left when the fixes would bring new
    errors.

    Args:
        file: The file.
        diagnostics: What was found in it just now.
        errors_of: Counts the errors of a text, to compare the file before and after.
    """
    fixes = [found.fix for found in diagnostics if found.fix is not None and found.fix.safe]
    if not fixes:
        return False
    text = file.read_bytes().decode("utf-8")
    mark = _BOM if text.startswith(_BOM) else ""
    before = text.removeprefix(_BOM)
    after = apply(before, fixes)
    if after == before or errors_of(after) > errors_of(before):
        return False
    _replace(file, (mark + after).encode("utf-8"))
    return True


def safe_fixes(diagnostics: Iterable[Diagnostic]) -> dict[str, list[Diagnostic]]:
    """Return the diagnostics that can be fixed safely, by file, the worst first."""
    by_file: dict[str, list[Diagnostic]] = {}
    for found in sorted(diagnostics, key=lambda one: (one.severity is not Severity.ERROR, one.line, one.column)):
        if found.fix is not None and found.fix.safe:
            by_file.setdefault(found.file, []).append(found)
    return by_file


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in LINE_BREAK.finditer(text)), len(text)]


def _offset(position: Position, starts: list[int]) -> int:
    line = min(position.line, len(starts) - 1)
    return min(starts[line - 1] + position.column - 1, starts[-1])


def _overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Tell whether two edits touch the same characters, or insert at the same place."""
    if one[0] == one[1] or other[0] == other[1]:
        return one[0] <= other[1] and other[0] <= one[1]
    return one[0] < other[1] and other[0] < one[1]


def _replace(file: Path, content: bytes) -> None:
    """Write a file beside the old one and swap them: a crash leaves the one or the other."""
    file = file.resolve()
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).chmod(stat.S_IMODE(file.stat().st_mode))
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

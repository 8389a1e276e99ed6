"""Diagnostics as text for people: in a terminal, in a log, in a failing check."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dataos_dagster.manifests.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dataos_dagster.manifests.diagnostics import Diagnostic

# SGR codes of a terminal.
_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;34"}
_DIM, _BOLD = "2", "1"
_INDENT = "  "
# From so many diagnostics on, how many there are of each code helps to find one's way.
MANY = 15
# What is reported of values that an author has left open.
OPEN_CODES = frozenset({"placeholder", "undefined-variable"})


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """Return a diagnostic as it is shown: place, code and message; the lines with a caret; what to do.

    Args:
        diagnostic: What was found.
        color: Use the colours of a terminal.
    """
    severity = _paint(f"{diagnostic.severity} {diagnostic.code}", _COLORS[diagnostic.severity], color)
    rows = [f"{_paint(diagnostic.location, _BOLD, color)}: {severity}: {diagnostic.message}"]
    if diagnostic.snippet:
        rows += [_paint(f"{_INDENT}{row}", _DIM, color) for row in diagnostic.snippet.splitlines()]
    if diagnostic.hint:
        rows.append(f"{_INDENT}hint: {diagnostic.hint}")
    if diagnostic.fix is not None and diagnostic.fix.safe:
        rows.append(f"{_INDENT}--fix would {diagnostic.fix.description}")
    return "\n".join(rows)


def render_all(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """Return diagnostics one below the other, a blank line between them."""
    return "\n\n".join(render(found, color=color) for found in diagnostics)


def by_code(diagnostics: Sequence[Diagnostic]) -> str:
    """Return how often each code occurs, the most frequent first; nothing where there are few."""
    if len(diagnostics) < MANY:
        return ""
    counts = Counter((found.severity, found.code) for found in diagnostics)
    order = list(Severity)
    ranked = sorted(counts.items(), key=lambda item: (order.index(item[0][0]), -item[1], item[0][1]))
    width = len(str(max(counts.values())))
    rows = [f"{_INDENT}{number:>{width}} {severity} {code}" for (severity, code), number in ranked]
    return "\n".join(["by code, as `dataos explain CODE` tells of each:", *rows])


def advice_on_templates(diagnostics: Sequence[Diagnostic]) -> str:
    """Return how to check a template, where placeholders are most of what is wrong; else nothing."""
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    open_ones = sum(found.code in OPEN_CODES for found in errors)
    if not open_ones or 2 * open_ones < len(errors):
        return ""
    counted = count_of(len(errors), "error")
    return f"placeholders are {open_ones} of {counted}: `--allow-placeholders` checks templates"


def summary(files: int, documents: int, resources: int, diagnostics: Sequence[Diagnostic]) -> str:
    """Return one line that says what was read and how much was found."""
    counts = {severity: sum(found.severity is severity for found in diagnostics) for severity in Severity}
    found = [
        count_of(counts[Severity.ERROR], "error"),
        count_of(counts[Severity.WARNING], "warning"),
        *([f"{counts[Severity.INFO]} for information"] if counts[Severity.INFO] else []),
    ]
    fixable = sum(one.fix is not None and one.fix.safe for one in diagnostics)
    read = f"{count_of(files, 'file')}, {count_of(documents, 'document')}, {count_of(resources, 'resource')}"
    advice = f"; --fix mends {fixable} of them" if fixable else ""
    return f"{read}: {', '.join(found)}{advice}"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `2 files`, `no errors`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text

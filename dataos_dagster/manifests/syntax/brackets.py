"""Brackets that do not close, that close nothing, and commas that are missing between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.manifests.syntax.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.syntax.finding import Broken

_CLOSING = {"[": "]", "{": "}"}


def unclosed_bracket(broken: Broken) -> Iterator[Finding]:
    """`[` or `{` without its partner, or without a comma between two values."""
    trouble = broken.trouble
    if "flow" not in trouble.context or trouble.start_line >= len(broken.lines):
        return
    line = broken.lines[trouble.start_line]
    opening = line.text[trouble.start_column : trouble.start_column + 1]
    if opening not in _CLOSING:
        return
    closing = _CLOSING[opening]
    if trouble.line == trouble.start_line and trouble.column < len(line.text):
        yield Finding(
            "missing-comma",
            trouble.line,
            trouble.column,
            trouble.column + 1,
            f"there is no ',' between two values inside {opening} {closing}",
            "separate values inside brackets by ', '; quote a value that holds a comma, a bracket or a colon",
            {trouble.line: f"{line.text[: trouble.column].rstrip()}, {line.text[trouble.column :]}"},
        )
    yield Finding(
        "unclosed-bracket",
        line.number,
        trouble.start_column,
        trouble.start_column + 1,
        f"{opening!r} is not closed",
        f"write {closing!r} at the end of the list"
        if opening == "["
        else f"write {closing!r} at the end of the mapping",
        {line.number: line.with_value(line.value + closing)},
        repair=f"write {closing!r} at the end of the line",
    )


def stray_bracket(broken: Broken) -> Iterator[Finding]:
    """`]` or `}` that closes nothing."""
    line = broken.lines[min(broken.trouble.line, len(broken.lines) - 1)]
    column = broken.trouble.column
    mark = line.text[column : column + 1]
    if mark not in {"]", "}"}:
        return
    yield Finding(
        "stray-bracket",
        line.number,
        column,
        column + 1,
        f"{mark!r} closes nothing",
        "delete it, or put the value in quotes when the bracket is part of it",
        {line.number: (line.text[:column] + line.text[column + 1 :]).rstrip()},
        repair=f"delete {mark!r}",
    )

"""Properties texts, as `java.util.Properties` reads and writes them: `key=value` lines with backslash escapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PAIR = re.compile(r"((?:\\.|[^\\=: \t\f])+)[ \t\f]*[=:][ \t\f]*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_WRITTEN = str.maketrans({"\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\f": r"\f"})


def parse_properties(text: str) -> dict[str, str]:
    """Return the pairs of a text, or none when a line has no `=` or `:`: then it is not a properties text."""
    pairs: dict[str, str] = {}
    for line in _logical_lines(text):
        found = _PAIR.fullmatch(line)
        if found is None:
            return {}
        pairs[_plain(found.group(1))] = _plain(found.group(2))
    return pairs


def format_properties(pairs: Mapping[str, str]) -> str:
    """Return the text that `parse_properties`, and Java, read the same pairs from."""
    lines = []
    for key, value in pairs.items():
        name = re.sub(r"([=: #!])", r"\\\1", key.translate(_WRITTEN))
        written = value.translate(_WRITTEN)
        lines.append(f"{name}={chr(92) if written.startswith(' ') else ''}{written}\n")
    return "".join(lines)


def _logical_lines(text: str) -> Iterator[str]:
    """Yield lines without comments and blank ones; a line that ends with a single backslash goes on in the next."""
    waiting = ""
    for line in re.split(r"\r\n|\n|\r", text):
        stripped = line.lstrip(" \t\f")
        if not waiting and (not stripped or stripped[0] in "#!"):
            continue
        trailing = len(stripped) - len(stripped.rstrip("\\"))
        if trailing % 2:
            waiting += stripped[:-1]
            continue
        yield waiting + stripped
        waiting = ""
    if waiting:
        yield waiting


def _plain(text: str) -> str:
    def replace(found: re.Match[str]) -> str:
        escape = found.group(1)
        return chr(int(escape[1:], 16)) if len(escape) > 1 else _PLAIN.get(escape, escape)

    return _ESCAPE.sub(replace, text)

"""The placeholders `$|key|` of incremental queries.

They are replaced as text: quotes around one are its author's business, so that `between '$|start|' and '$|end|'` and
`id > $|last|` both say what they mean. Values come out of data, so inside quotes one is escaped: whatever it holds, it
stays inside the literal.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEGINNING = "$|"
# A placeholder, and whatever begins or ends a literal, a quoted name or a comment; `/*+` begins a hint, which is SQL.
_TOKEN = re.compile(r"\$\|(?P<key>[^|\r\n]*)\||\$\||\\[\\'\"]|['\"`]|--|\n|/\*(?!\+)|\*/")
_ENDS = {"'": "'", '"': '"', "`": "`", "--": "\n", "/*": "*/"}
_RAW = re.compile(r"(?<!\w)[rR]\Z")


class PlaceholderRefused(ValueError):
    """A placeholder stands for nothing that can be put in its place.

    Attributes:
        offset: 0-based place of it in the text.
        hint: What was probably meant.
    """

    def __init__(self, message: str, offset: int, hint: str) -> None:
        self.offset = offset
        self.hint = hint
        super().__init__(message)


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Return a text with every placeholder replaced by its value; what stands in comments stays.

    Raises:
        PlaceholderRefused: One has no value, is not closed, or has a value that its literal cannot hold.
    """
    parts: list[str] = []
    done = position = 0
    # What the scan is in: a literal, a quoted name or a comment, by what it begins with; empty for none of them.
    within, raw = "", False
    while found := _TOKEN.search(text, position):
        token, position = found[0], found.end()
        if token.startswith(_BEGINNING):
            if within not in {"--", "/*"}:
                parts += text[done : found.start()], _value(found, values, within, raw=raw)
                done = position
        elif token[0] == "\\":
            # Elsewhere a backslash is a character like others, and the quote behind it is one that counts.
            position = found.end() if within in {"'", '"'} and not raw else found.start() + 1
        elif not within and token in _ENDS:
            within, raw = token, _RAW.search(text, 0, found.start()) is not None
        elif within and token == _ENDS[within]:
            within = ""
    return "".join((*parts, text[done:]))


def _value(found: re.Match[str], values: Mapping[str, str], quote: str, *, raw: bool) -> str:
    """Return what is put in a placeholder's place, inside a quote or outside of all."""
    if found["key"] is None:
        raise PlaceholderRefused("a placeholder is not closed", found.start(), "write $|key|, with a bar at both ends")
    name = found["key"].strip()
    if name not in values:
        raise PlaceholderRefused(f"$|{name}| stands for no key", found.start(), _closest(name, values))
    value = values[name]
    if quote == "`":
        return value.replace("`", "``")
    if not quote:
        return value
    if not raw:
        return value.replace("\\", r"\\").replace(quote, f"\\{quote}")
    if quote in value:
        raise PlaceholderRefused(
            f"the value of $|{name}| holds a {quote}, which a raw literal cannot hold",
            found.start(),
            "write the literal without r in front",
        )
    return value


def _closest(name: str, values: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, values, n=1)
    if close:
        return f"did you mean $|{close[0]}|?"
    return f"keys that have a value here: {', '.join(values) or 'none'}; a key is evaluated after those before it"

"""The placeholders `$|key|` of incremental queries.

They are replaced as text: quotes around one are its author's business, so that `between '$|start|' and '$|end|'` and
`id > $|last|` both say what they mean.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\$\|([^|\r\n]*)\|")
_BEGINNING = "$|"


class UnknownPlaceholder(ValueError):
    """A placeholder stands for nothing.

    Attributes:
        offset: 0-based place of it in the text.
        hint: What was probably meant.
    """

    def __init__(self, message: str, offset: int, hint: str) -> None:
        self.offset = offset
        self.hint = hint
        super().__init__(message)


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Return a text with every placeholder replaced by its value.

    Raises:
        UnknownPlaceholder: One has no value, or none is closed.
    """

    def value_of(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name not in values:
            raise UnknownPlaceholder(f"$|{name}| stands for no key", found.start(), _closest(name, values))
        return values[name]

    replaced = _PLACEHOLDER.sub(value_of, text)
    # What a value holds was not written as a placeholder, so the text is looked at and not the result.
    left = _PLACEHOLDER.sub(lambda found: " " * len(found[0]), text).find(_BEGINNING)
    if left >= 0:
        raise UnknownPlaceholder("a placeholder is not closed", left, "write $|key|, with a bar at both ends")
    return replaced


def _closest(name: str, values: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, values, n=1)
    if close:
        return f"did you mean $|{close[0]}|?"
    return f"keys that have a value here: {', '.join(values) or 'none'}; a key is evaluated after those before it"

"""How a diagnostic's code is explained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """The long form of a diagnostic.

    Attributes:
        code: Words joined by dashes, never changed once published.
        title: One line, without a full stop.
        explanation: Why it is said, what happens otherwise, and what to do.
        wrong: An example that gets the diagnostic; with `…` where it cannot be shown as a text.
        right: The same, mended, or what to know where nothing is to be mended.
    """

    code: str
    title: str
    explanation: str
    wrong: str
    right: str

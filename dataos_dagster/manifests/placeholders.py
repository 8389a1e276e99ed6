"""What an author left open for the reader of a template to fill in.

Published manifests spell it in five ways: `${{x}}`, `{{x}}`, `${some words}`, `<x>`, and a variable `${NAME}` that is
not set. The last one is `interpolation`'s to find, which knows the variables.
"""

from __future__ import annotations

import re

# `${NAME}`: a variable of the environment.
VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
# A scalar that is nothing but a variable.
WHOLE_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<bare>[A-Za-z_]\w*))")

_DOLLAR_BRACES = re.compile(r"\$\{\{.{0,200}?\}\}", re.DOTALL)
_BRACES = re.compile(r"\{\{.{0,200}?\}\}", re.DOTALL)
# Not `${!json()}` (a function of Bento), `${NAME:-default}` (a shell's) or `${NAME:default}` (Bento's).
_WORDS = re.compile(r"\$\{(?![A-Za-z_]\w*\})(?!!)(?![A-Za-z_]\w*:[-=?+])(?![A-Z][A-Z0-9_]*:(?!/))[^{}]*\}")
_ANGLES = re.compile(r"<[A-Za-z][^<>=\n]{0,60}>")
# Not `(?<year>…)`, a group of a regular expression.
_ANGLES_INSIDE = re.compile(r"(?<![\w?])<[A-Za-z][^<>=\n]{0,60}>")
_CLOSING_TAG = "</"


def has_signs(encoded: str) -> bool:
    """Tell whether a document may hold a placeholder or a variable at all: most hold neither."""
    return "$" in encoded or "{{" in encoded or "<" in encoded


def placeholder_in(text: str) -> str | None:
    """Return the first placeholder in a text, or None when there is none."""
    found = _DOLLAR_BRACES.search(text) or _BRACES.search(text) or _WORDS.search(text)
    if found:
        return found.group()
    return _angles_in(text)


def placeholder_beside_templates(text: str) -> str | None:
    """Return the first placeholder of a text where `{{ … }}` is a template's own syntax, or None."""
    found = _DOLLAR_BRACES.search(text)
    return found.group() if found else None


def fill(text: str) -> str:
    """Return a text with a word in the place of each placeholder, made of the placeholder's own letters and digits.

    It is for plans, which need a value and not the right one; the place of a port gets a number.
    """
    for form in (_DOLLAR_BRACES, _BRACES, _WORDS, VARIABLE, _ANGLES_INSIDE, _ANGLES):
        text = form.sub(_stand_in, text)
    return text


def _stand_in(placeholder: re.Match[str]) -> str:
    word = "".join(character for character in placeholder.group().lower() if character.isalnum())
    return "1" if word.endswith("port") else word or "placeholder"


def is_placeholder(text: str) -> bool:
    """Tell whether a text is nothing but a placeholder, so that a secret of that value is none."""
    return any(form.fullmatch(text) for form in (_DOLLAR_BRACES, _BRACES, _WORDS, _ANGLES))


def _angles_in(text: str) -> str | None:
    """Return the first `<x>`: the whole text, or part of a text without blanks such as an address; prose has tags."""
    if "<" not in text:
        return None
    if _ANGLES.fullmatch(text):
        return text
    found = _ANGLES_INSIDE.search(text)
    if found is None or _CLOSING_TAG in text or any(map(str.isspace, _ANGLES_INSIDE.sub("", text))):
        return None
    return found.group()

r"""Substitutions as `sed` writes them: `s/regex/replacement/flags`, read when the manifest is.

The regular expression is Java's, which is what Flare runs on. It is rewritten so that Java, Rust and Python read it
alike: `\d`, `\w` and `\s` are ASCII classes in Java and Unicode in the other two, and `.` and `$` know more line ends
in Java. What cannot be rewritten is refused with its reason. Where even engines agree (`is_portable`), the engine does
the work; everything else is one vectorised Python function on both engines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASCII_CLASSES = {
    "d": ("[0-9]", "0-9"),
    "D": ("[^0-9]", None),
    "w": ("[A-Za-z0-9_]", "A-Za-z0-9_"),
    "W": ("[^A-Za-z0-9_]", None),
    "s": (r"[ \t\n\x0b\f\r]", r" \t\n\x0b\f\r"),
    "S": (r"[^ \t\n\x0b\f\r]", None),
    "h": (r"[ \t\xa0]", r" \t\xa0"),
}
_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "Alpha": "A-Za-z",
    "Digit": "0-9",
    "Alnum": "A-Za-z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r" \t\n\x0b\f\r",
    "Blank": r" \t",
}
_LINE_END = r"\n\r\x85\u2028\u2029"
_ANY_CHARACTER = f"[^{_LINE_END}]"
_AT_END = rf"(?=(?:\r\n|[{_LINE_END}])?\Z)"
_PROPERTY = re.compile(r"\\p\{(?:Is)?(\w+)\}")
# Look-around, possessive quantifiers, back references, boundaries: engines lack them or differ in them.
_NOT_PORTABLE = re.compile(r"\(\?|\\(?![dDwWsShtnrf])[A-Za-z0-9<>]|[*+?}]\+|[.$]|\{(?!\d+(?:,\d*)?\})")
# Java intersects classes with the first, and refuses the second, which is a difference in Rust.
_SET_OPERATION = re.compile(r"&&|--")
_PLAIN_REPLACEMENT = re.compile(r"[^\\&$]*")
_REFERENCE = re.compile(r"\\(.)|&", re.DOTALL)


@dataclass(frozen=True)
class Substitution:
    """One `s/…/…/` expression.

    Attributes:
        text: As the manifest has it.
        regex: Its regular expression, delimiters unescaped.
        replacement: Its replacement, the same way.
        everywhere: `g`: all matches, and not only the first.
        ignores_case: `i`.
    """

    text: str
    regex: str
    replacement: str
    everywhere: bool
    ignores_case: bool

    @classmethod
    def parse(cls, text: str) -> Substitution:
        """Return the substitution that a text describes.

        Raises:
            ValueError: It is none; says what is wrong.
        """
        if len(text) < 2 or text[0] != "s" or text[1].isalnum() or text[1] in "\\ \n":  # noqa: PLR2004 - s and delimiter
            raise ValueError(f"{text!r} is no substitution; write s/regex/replacement/g")
        parts = list(_parts(text[2:], text[1]))
        if len(parts) != 3:  # noqa: PLR2004 - regex, replacement, flags
            raise ValueError(f"{text!r} has {len(parts) - 1} of 3 delimiters {text[1]!r}; write s/regex/replacement/g")
        regex, replacement, flags = parts
        if not regex:
            raise ValueError(f"{text!r} searches for nothing")
        unknown = set(flags) - set("giI")
        if unknown:
            raise ValueError(f"{text!r} has the flag {min(unknown)!r}; flags are g (all matches) and i (ignore case)")
        found = cls(text, regex, replacement, "g" in flags, "i" in flags.lower())
        found._check_groups()
        return found

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return the regular expression, compiled to match what Java's would."""
        return re.compile(self.portable_regex, re.ASCII | (re.IGNORECASE if self.ignores_case else 0))

    @cached_property
    def portable_regex(self) -> str:
        """Return the regular expression with classes written out.

        Raises:
            ValueError: It has a construct of Java that nothing here can stand for.
        """
        return rewritten(self.regex)

    @property
    def is_portable(self) -> bool:
        """Return whether Sail's and Spark's `regexp_replace` do the same as the compiled pattern."""
        return (
            (self.everywhere or self._matches_once)
            and not self.ignores_case
            and _NOT_PORTABLE.search(_without_classes(self.regex)) is None
            and self.regex.isascii()
            and _PLAIN_REPLACEMENT.fullmatch(self.replacement) is not None
            # Engines differ in whether nothing is found right behind something.
            and self.pattern.fullmatch("") is None
        )

    @property
    def python_replacement(self) -> str:
        r"""Return the replacement as `re.sub` takes it: `&` is the whole match, `\1` a group."""
        return "".join(self._pieces())

    def applied(self, text: str) -> str:
        """Return a text after the substitution."""
        return self.pattern.sub(self.python_replacement, text, count=0 if self.everywhere else 1)

    @property
    def _matches_once(self) -> bool:
        return self.regex.startswith("^") and "|" not in self.regex

    def _pieces(self) -> Iterator[str]:
        position = 0
        for found in _REFERENCE.finditer(self.replacement):
            yield self.replacement[position : found.start()]
            yield _reference(found)
            position = found.end()
        yield self.replacement[position:]

    def _check_groups(self) -> None:
        try:
            groups = self.pattern.groups
        except re.error as error:
            raise ValueError(f"{self.text!r}: the regular expression does not parse: {error}") from None
        for found in _REFERENCE.finditer(self.replacement):
            digit = found[1] or ""
            if digit.isdigit() and int(digit) > groups:
                raise ValueError(f"{self.text!r} puts in group {digit}, and its regular expression has {groups}")


def _reference(found: re.Match[str]) -> str:
    r"""Return what `re.sub` calls a reference or an escaped character: `\1`, `&`, `\n`, `\&`."""
    if found[0] == "&" or found[1] == "0":
        return r"\g<0>"
    if found[1].isdigit():
        return rf"\g<{found[1]}>"
    if found[1] in "nt":
        return {"n": "\n", "t": "\t"}[found[1]]
    return r"\\" if found[1] == "\\" else found[1]


def _parts(text: str, delimiter: str) -> Iterator[str]:
    """Yield the texts between delimiters; a backslash in front makes a delimiter an ordinary character."""
    part, position = "", 0
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        if character == "\\" and following == delimiter:
            # Escaped, a delimiter that means something to regular expressions is meant as a character.
            part += f"\\{delimiter}" if delimiter in ".|*+?^$()[]{}&" else delimiter
            position += 2
        elif character == "\\":
            part += character + following
            position += 2
        elif character == delimiter:
            yield part
            part = ""
            position += 1
        else:
            part += character
            position += 1
    yield part


def rewritten(regex: str) -> str:
    r"""Return a regular expression of Java in the words that Java, Rust and Python share.

    Raises:
        ValueError: It has a construct that cannot be rewritten, such as `[a-z&&[^b]]`, `[a[bc]]` or `\p{Greek}`.
    """
    regex = re.sub(r"\\Q(.*?)(?:\\E|\Z)", lambda quote: re.escape(quote[1]), regex, flags=re.DOTALL)
    regex = re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", regex)
    regex = re.sub(r"\\k<([A-Za-z]\w*)>", r"(?P=\1)", regex)
    operation = _SET_OPERATION.search(_classes_only(regex))
    if operation:
        raise ValueError(f"{regex!r} has {operation[0]} in a class of characters; write out the characters")
    return "".join(_pieces(regex))


# Java's ends of lines and texts. Java: a `$` also matches in front of a last line end.
_OUTSIDE = {".": _ANY_CHARACTER, "$": _AT_END, r"\z": r"\Z", r"\Z": _AT_END}
_NOT_SUPPORTED = frozenset("RXGN")
_TOKEN = re.compile(r"\\p\{\w+\}|\\P\{\w+\}|\\.|\[\^?\]?|\]|.", re.DOTALL)


def _pieces(regex: str) -> Iterator[str]:
    inside = False
    for token in _TOKEN.findall(regex):
        if not inside and token.startswith("["):
            inside = True
            yield token
        elif inside and token.startswith("["):
            # In Java it begins a class inside the class, a union; in Rust too, and in Python it is a character.
            raise ValueError(
                r"a [ inside a class of characters begins another class: write \[ for the character, "
                r"\p{Digit} for [:digit:], and [abc] for [a[bc]]"
            )
        elif inside and token[0] in "~|":
            # Doubled they are operations in Rust, and they are meant as characters.
            yield "\\" + token
        elif inside and token == "]":  # noqa: S105 - of a regular expression
            inside = False
            yield token
        else:
            yield _token(token, inside=inside)


def _token(token: str, *, inside: bool) -> str:
    if not inside and token in _OUTSIDE:
        return _OUTSIDE[token]
    if not token.startswith("\\"):
        return token
    if token[1:2] in "pP":
        return _property(token, inside=inside)
    if token[1:] in _ASCII_CLASSES:
        outside, within = _ASCII_CLASSES[token[1:]]
        if inside and within is None:
            raise ValueError(f"{token} inside a class of characters is not supported; write the characters out")
        return (within or "") if inside else outside
    if token[1:] in _NOT_SUPPORTED:
        raise ValueError(f"{token} is not supported; write the characters out")
    return token


def _property(token: str, *, inside: bool) -> str:
    found = _PROPERTY.fullmatch(token)
    characters = _POSIX.get(found[1]) if found else None
    if characters is None:
        raise ValueError(f"the class {token} is not supported; supported: {', '.join(_POSIX)}")
    return characters if inside else f"[{characters}]"


def _without_classes(regex: str) -> str:
    """Return a regular expression with each class of characters, and each escaped symbol, as the letter `x`."""
    plain = re.sub(r"\\[^A-Za-z0-9<>]", "x", regex)
    return re.sub(r"\[\^?\]?[^\]]*\]", "x", plain)


def _classes_only(regex: str) -> str:
    return "".join(re.findall(r"\[\^?\]?(?:\\.|[^\]\\])*\]", regex))

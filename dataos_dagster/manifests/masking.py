"""Hide secrets in lines of manifests that are about to be shown, also when the file does not parse.

The rules look at text, not at values, because a broken file has none, and they hide too much rather than too little:
from the first character that may be secret to the end of its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dataos_dagster.manifests.kinds import KINDS

MASK = "********"

_SECRET_KINDS = "|".join(kind.name for kind in KINDS.values() if kind.secret)
# `type: secret`, or the section's own name where the type is a placeholder.
_SECRET_DOCUMENT = re.compile(
    rf"^[ \t-]*+(?:[\"']?type[\"']?[ \t]*:[ \t]*[\"']?(?:{_SECRET_KINDS})\b"
    rf"|[\"']?(?:{_SECRET_KINDS})[\"']?[ \t]*:[ \t]*(?:#.*)?$)",
    re.IGNORECASE | re.MULTILINE,
)
_DOCUMENT_START = re.compile(r"^---(\s|$)")
_KEY = re.compile(r"(?P<lead>[\s\-?*]*+)(?P<key>\"[^\"]*\"|'[^']*'|[^\s:#\"'](?:[^:#]|:(?=\S))*+)[\s*]*:(?P<gap>\s+|$)")
# Characters of a line that are looked at; what stands behind them is hidden in any case.
_LONGEST = 1000

# Keys at the left margin of a secret document whose values are the envelope's, not secret.
ENVELOPE_KEYS = frozenset({"name", "version", "type", "tags", "description", "owner", "layer", "workspace"})
# Keys of a section that select a form; they count until `data` begins, whose keys are the user's own.
_FORM = frozenset({"name", "type", "acl", "external", "source", "compute", "allkeys", "format", "consumptiontype"})
_DATA = frozenset({"data", "files", "values", "connectionsecret", "connectionsecrets"})

SENSITIVE_WORD = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|credential|authori[sz]ation|"
    r"(?:api|access|account|private|sas|encryption|license)[-_.]?key|connection[-_]?string|signature|keyjson|json[-_]?key"
)
_SENSITIVE_KEY = re.compile(SENSITIVE_WORD, re.IGNORECASE)
# Each sensitive word holds one of these, which are found in a text sooner than the words.
SENSITIVE_PARTS = ("pass", "pwd", "secret", "token", "credential", "authori", "key", "connection", "signature")
# Keys that hold names of secrets, not secrets.
_NAMES_SECRETS = frozenset({"dataossecrets", "secrets", "imagepullsecret", "secretname"})
_INLINE = (
    re.compile(rf"(?:{SENSITIVE_WORD})[\w.\-]*[\"'*]*\s*(?::|=)\s*[\"']?(?P<secret>[^\s\"'])", re.IGNORECASE),
    re.compile(r"://[^/\s:@]*:(?P<secret>[^/\s@]+)@"),
)
_NAMED = re.compile(r"^[\s-]*[\"']?(?:name|key)[\"']?\s*:\s*(?P<name>.*)$", re.IGNORECASE)
# A text that goes on below: a block scalar, or a quote that is not closed.
# A word, or the sign of a block scalar.
_VALUE = re.compile(r"\w|[|>][-+0-9]*\s*$")
_GOES_ON = re.compile(r"^[|>][-+0-9]*\s*(?:#.*)?$|^\"[^\"]*$|^'[^']*$")


@dataclass(frozen=True, slots=True)
class MaskedLine:
    """A line as it may be shown.

    Attributes:
        text: The line, its secret part replaced by `MASK`.
        visible: How many of its first characters are the original ones.
    """

    text: str
    visible: int


def mask(lines: list[str]) -> list[MaskedLine]:
    """Return the lines of a file as they may be shown."""
    masked: list[MaskedLine] = []
    for document in _documents([line[:_LONGEST] for line in lines]):
        secret = _SECRET_DOCUMENT.search("\n".join(document)) is not None
        masked += _secret_document(document) if secret else _plain_document(document)
    return [
        one if len(line) <= _LONGEST or one.text.endswith(MASK) else MaskedLine(one.text + MASK, one.visible)
        for line, one in zip(lines, masked, strict=True)
    ]


def sounds_secret(key: str) -> bool:
    """Tell whether a value under a key may be secret, judged by the key's name."""
    return _SENSITIVE_KEY.search(key) is not None and not names_secrets(key)


def names_secrets(key: str) -> bool:
    """Tell whether a key that sounds secret holds the names of secrets instead."""
    return key.lower() in _NAMES_SECRETS


def _documents(lines: list[str]) -> list[list[str]]:
    documents: list[list[str]] = [[]]
    for line in lines:
        if _DOCUMENT_START.match(line):
            documents.append([])
        documents[-1].append(line)
    return documents


def _secret_document(lines: list[str]) -> list[MaskedLine]:
    """Show keys, the envelope's values and those that select a form."""
    masked = []
    in_data = False
    text_below: int | None = None  # indent of a key whose text goes on below; what looks like a key there is none
    for line in lines:
        if text_below is not None and line.strip() and _indent(line) <= text_below:
            text_below = None
        key = _KEY.match(line)
        # A key of the data is shown when a value follows; a line of a broken text may look like one without.
        stray = in_data and key is not None and not _VALUE.search(line, key.end())
        if text_below is not None or key is None or stray:
            shown = MaskedLine(line, len(line)) if _DOCUMENT_START.match(line) else _from(line, _indent(line))
            masked.append(shown)
            continue
        name, value = _name(key), line[key.end() :]
        in_data = in_data or name in _DATA
        if _GOES_ON.search(value):
            text_below = _indent(line)
        # Behind the data nothing is shown any more: a broken line of it may look like any key.
        is_shown = not in_data and ((name in ENVELOPE_KEYS and key["lead"] == "") or name in _FORM)
        masked.append(MaskedLine(line, len(line)) if is_shown else _from(line, key.end()))
    return masked


def _plain_document(lines: list[str]) -> list[MaskedLine]:
    """Hide the values of secret-like keys, what continues them on further lines, and passwords in URLs."""
    masked = []
    hidden_below: int | None = None  # indent of a secret-like key whose value continues on deeper lines
    named_secret = False  # the line before says `name: SOME_PASSWORD`; its `value:` follows
    for line in lines:
        key = _KEY.match(line)
        name = _name(key) if key else ""
        if line.strip() and hidden_below is not None and _indent(line) <= hidden_below:
            hidden_below = None
        start = _inline_secret(line)
        if hidden_below is not None:
            start = _indent(line)
        elif (
            key
            and not names_secrets(name)
            and (_SENSITIVE_KEY.search(name) or (named_secret and name in {"value", "defaultvalue"}))
        ):
            start = key.end()
            value = line[key.end() :]
            if value.strip() and not value.lstrip().startswith("#"):
                hidden_below = _indent(line)
        named = _NAMED.match(line)
        if key:
            named_secret = bool(named and _SENSITIVE_KEY.search(named["name"]))
        masked.append(MaskedLine(line, len(line)) if start is None else _from(line, start))
    return masked


def _inline_secret(line: str) -> int | None:
    starts = [found.start("secret") for pattern in _INLINE for found in pattern.finditer(line)]
    return min(starts, default=None)


def _name(key: re.Match[str]) -> str:
    return key["key"].strip("\"'* \t").lower()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t-"))


def _from(line: str, start: int) -> MaskedLine:
    if not line[start:].strip():
        return MaskedLine(line, len(line))
    return MaskedLine(line[:start] + MASK, start)

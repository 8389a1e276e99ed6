"""What an engine says of a query, as a sentence with a place: without states, offsets and the insides of its program.

Spark says the line and column of most mistakes, Sail the offset of some; both name the rule that was broken in words
of their own, for which the sentences here stand.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dataos_dagster.engines.text_places import place_of

# Where Spark says that a mistake is, in lines from 1 and columns from 0, and in front of that a state of its standard.
_PLACE = re.compile(r"(?:;\s*|\s*\()line (?P<line>\d+),? pos (?P<column>\d+)\)?\s*$")
_STATE = re.compile(r"\s*SQLSTATE: \w+")
_PREFIX = re.compile(r"^(?:invalid argument|Error during planning): ")
# How Sail prints names: `ObjectName([Identifier("o"), Identifier("amount")])`.
_NAME_IN_RUST = re.compile(r'ObjectName\(\[(Identifier\("[^"]*"\)(?:, Identifier\("[^"]*"\))*)\]\)')
_PART_IN_RUST = re.compile(r'Identifier\("([^"]*)"\)')
# What the parser of Sail stops at, with the offsets of its first and behind its last character.
_STOPPED = re.compile(r"found .+? at (?P<start>\d+):(?P<end>\d+) expected .*", re.DOTALL)
_WORD = re.compile(r"\w+")


_COLUMNS = "compare with the columns of the views it reads: showPreviewLines: 5 prints them"
_ARGUMENTS = "compare its arguments with the Spark SQL reference of functions"
_POSITION = "a number in ORDER BY and GROUP BY counts the columns behind SELECT; write one of those, or a name"
_AS_MANY = "select as many columns on both sides: NULL AS name stands for one that is missing"
_OTHER = "the message is the engine's; `dataos run --engine spark` or `--engine sail` tells whether the other agrees"

# What a message matches, the sentence that stands for it (None: its own), and what to do.
_SENTENCES: tuple[tuple[re.Pattern[str], str | None, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), sentence, hint)
    for pattern, sentence, hint in [
        (
            r"does not support logical expression AggregateFunction\(.*",
            "an aggregate stands where rows are not aggregated",
            "aggregate in a subquery, and use the name that it has there",
        ),
        (
            r"does not support logical expression WindowFunction\(.*",
            "a window function stands where none can be computed",
            "compute it in a subquery, and use the name that it has there",
        ),
        (
            r"does not support logical expression Wildcard .*",
            "a `*` stands where one column is wanted",
            "name the column",
        ),
        (
            r"\[WRONG_NUM_ARGS.*`(?P<function>\w+)` requires (?P<wanted>.+?) parameters but .* is (?P<given>\d+)\.",
            "{function}(…) takes {wanted} arguments, and is given {given}",
            _ARGUMENTS,
        ),
        (
            r"^(?P<function>\w+) requires (?P<wanted>[\w ]+) arguments?$",
            "{function}(…) takes {wanted} arguments",
            _ARGUMENTS,
        ),
        (r"_BY_POS_OUT_OF_RANGE|Cannot resolve column position", None, _POSITION),
        (r"NUM_COLUMNS_MISMATCH|queries have different number of columns", None, _AS_MANY),
        (
            r"^attribute (?P<name>.+) is missing from the schema: cannot resolve attribute$",
            "there is no column {name!r} here",
            _COLUMNS,
        ),
        (r"UNRESOLVED_COLUMN|No field named", None, _COLUMNS),
    ]
)


class Refusal(NamedTuple):
    """What an engine said.

    Attributes:
        message: One or two sentences.
        hint: What to do about it.
        place: Line, column and length of the part of the query that it speaks of, from 1; None where it does not say.
    """

    message: str
    hint: str
    place: tuple[int, int, int] | None = None


def refusal(message: str, sql: str) -> Refusal:
    """Return an engine's message about a query in words for people.

    Args:
        message: As the engine gave it, without plans and traces.
        sql: The query as the engine was given it.
    """
    place = _PLACE.search(message)
    text = _NAME_IN_RUST.sub(_name, _PREFIX.sub("", _STATE.sub("", _PLACE.sub("", message))))
    stopped = _STOPPED.search(text)
    if stopped is not None:
        start, end = int(stopped["start"]), int(stopped["end"])
        hint = "compare with the Spark SQL reference"
        return Refusal(f"the SQL does not parse at {sql[start:end]!r}", hint, (*place_of(sql, start), end - start))
    at = _word_at(sql, int(place["line"]), int(place["column"])) if place else None
    for pattern, sentence, hint in _SENTENCES:
        found = pattern.search(text)
        if found is not None:
            said = text if sentence is None else _filled(sentence, found)
            return Refusal(said, hint, at)
    return Refusal(text, _OTHER, at)


def _name(found: re.Match[str]) -> str:
    return ".".join(_PART_IN_RUST.findall(found[1]))


def _filled(sentence: str, found: re.Match[str]) -> str:
    """Return a sentence with what a message says; `[2, 3]` is how Spark writes two or three."""
    said = {key: value.strip("[]").replace(", ", " or ") for key, value in found.groupdict().items()}
    return sentence.format(**said)


def _word_at(sql: str, line: int, column: int) -> tuple[int, int, int] | None:
    """Return the place of the word that begins at a line from 1 and a column from 0; None where the query has none."""
    lines = sql.split("\n")
    if not 0 < line <= len(lines):
        return None
    word = _WORD.match(lines[line - 1], column)
    return line, column + 1, len(word[0]) if word else 1

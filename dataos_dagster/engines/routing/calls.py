"""Function calls of a SQL text, by their own names.

sqlglot gives many spellings one meaning (`nvl` becomes `coalesce`, `date_format` another pattern language), which is
what one wants of a transpiler and not of a list of what was tried under which name. So names, numbers of arguments
and literal arguments are taken from the tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.engines.routing.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Words before a parenthesis that are no functions.
_KEYWORDS = frozenset(
    [
        "ALL",
        "AND",
        "ANTI",
        "AS",
        "BETWEEN",
        "BY",
        "CASE",
        "CAST",
        "CROSS",
        "CUBE",
        "DISTINCT",
        "ELSE",
        "END",
        "EXCEPT",
        "FILTER",
        "FROM",
        "FULL",
        "GROUP",
        "GROUPING",
        "HAVING",
        "IN",
        "INNER",
        "INSERT",
        "INTERSECT",
        "IS",
        "JOIN",
        "LATERAL",
        "LEFT",
        "LIKE",
        "ILIKE",
        "LIMIT",
        "MINUS",
        "NATURAL",
        "NOT",
        "OFFSET",
        "ON",
        "OR",
        "ORDER",
        "OUTER",
        "OVER",
        "PARTITION",
        "PIVOT",
        "QUALIFY",
        "REGEXP",
        "RIGHT",
        "RLIKE",
        "ROLLUP",
        "SELECT",
        "SEMI",
        "SETS",
        "SOME",
        "TABLESAMPLE",
        "THEN",
        "TRY_CAST",
        "UNION",
        "UNPIVOT",
        "USING",
        "VALUES",
        "VIEW",
        "WHEN",
        "WHERE",
        "WINDOW",
        "WITH",
        "WITHIN",
    ]
)
# `name(` of these is a cast, or the parameters of a type inside one.
_TYPES = frozenset(
    [
        "ARRAY",
        "BIGINT",
        "BINARY",
        "BOOLEAN",
        "CHAR",
        "DATE",
        "DEC",
        "DECIMAL",
        "DOUBLE",
        "FLOAT",
        "INT",
        "INTEGER",
        "LONG",
        "NUMERIC",
        "REAL",
        "SHORT",
        "SMALLINT",
        "STRING",
        "TIMESTAMP",
        "TIMESTAMP_LTZ",
        "TIMESTAMP_NTZ",
        "TINYINT",
        "VARCHAR",
    ]
)
_FUNCTIONS_NAMED_AS_TYPES = frozenset({"ARRAY", "CHAR"})
_FUNCTIONS_NAMED_AS_KEYWORDS = frozenset({"LEFT", "RIGHT", "FILTER", "SOME", "ANY", "EXISTS", "GROUPING"})
_WITHOUT_PARENTHESES = frozenset(
    {"CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_USER", "CURRENT_TIME", "LOCALTIMESTAMP"}
)
# Words that separate arguments where the standard's spelling has no commas.
_SEPARATORS = {
    "SUBSTRING": frozenset({"FROM", "FOR"}),
    "SUBSTR": frozenset({"FROM", "FOR"}),
    "TRIM": frozenset({"FROM"}),
    "OVERLAY": frozenset({"PLACING", "FROM", "FOR"}),
    "POSITION": frozenset({"IN"}),
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its tokens' range (end not included), and its value when it is one literal."""

    first: int
    end: int
    literal: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """A function call: lower-case name, arguments, 0-based offset of the name, and whether DISTINCT comes first."""

    name: str
    arguments: tuple[Argument, ...]
    start: int
    distinct: bool = False

    @property
    def construct(self) -> str:
        """Return the name of the construct: `round/2`, `count/1 distinct`, `date_format/2 with other letters`."""
        base = self.name if " " in self.name else f"{self.name}/{len(self.arguments)}"
        form = FORMS.get(base)
        suffix = form(tuple(argument.literal for argument in self.arguments)) if form else ""
        return f"{base}{' distinct' if self.distinct else ''}{suffix}"


def calls_of(tokens: Sequence[Any], aliases: Iterable[str] = ()) -> Iterator[Call]:
    """Return the function calls in a token list, in order.

    Args:
        tokens: sqlglot's tokens of Spark SQL.
        aliases: Lower-case names that stand before a parenthesis as a table's alias with columns.
    """
    known_aliases = frozenset(aliases)
    for index, token in enumerate(tokens):
        name = token.text.upper()
        opened = index + 1 < len(tokens) and tokens[index + 1].text == "(" and _kind(tokens[index + 1]) == "L_PAREN"
        if opened and name == "EXTRACT":
            yield _extract(tokens, index)
        elif opened and _is_function(tokens, index, name, known_aliases):
            yield _call(tokens, index, name)


def _kind(token: Any) -> str:
    return str(token.token_type.name)


def _is_function(tokens: Sequence[Any], index: int, name: str, aliases: frozenset[str]) -> bool:
    before = tokens[index - 1] if index else None
    if _kind(tokens[index]) in {"STRING", "NUMBER", "IDENTIFIER", "RAW_STRING"} or not re.fullmatch(r"\w+", name):
        return False
    if before is not None and _kind(before) in {"ALIAS", "DOT"}:
        return False
    if name.lower() in aliases:
        return False
    if name in _FUNCTIONS_NAMED_AS_KEYWORDS:
        return _is_call_of_keyword(tokens, index, name)
    if name in _TYPES:
        return name in _FUNCTIONS_NAMED_AS_TYPES and not _is_type(tokens, index)
    return name not in _KEYWORDS


def _is_call_of_keyword(tokens: Sequence[Any], index: int, name: str) -> bool:
    inside = tokens[index + 2].text.upper() if index + 2 < len(tokens) else ""
    before = tokens[index - 1].text.upper() if index else ""
    if name == "EXISTS":
        return inside not in {"SELECT", "WITH", "FROM"}
    if name == "FILTER":
        return inside != "WHERE"
    return before not in {"LIKE", "ILIKE", "RLIKE", "=", "<", ">", "<=", ">=", "<>"} or name in {"LEFT", "RIGHT"}


def _is_type(tokens: Sequence[Any], index: int) -> bool:
    return index > 0 and (tokens[index - 1].text.upper() in {"AS", "::", "<", ":"})


def _extract(tokens: Sequence[Any], index: int) -> Call:
    unit = tokens[index + 2].text.lower()
    return Call(f"extract {unit}", (), tokens[index].start)


def _call(tokens: Sequence[Any], index: int, name: str) -> Call:
    separators = _SEPARATORS.get(name, frozenset())
    first = index + 2
    distinct = first < len(tokens) and tokens[first].text.upper() == "DISTINCT"
    first += distinct
    arguments: list[Argument] = []
    depth, begun = 0, first
    for position in range(first, len(tokens)):
        kind, text = _kind(tokens[position]), tokens[position].text.upper()
        closing = kind in {"R_PAREN", "R_BRACKET", "R_BRACE"}
        if closing and depth == 0:
            if position > begun:
                arguments.append(_argument(tokens, begun, position))
            break
        depth += (kind in {"L_PAREN", "L_BRACKET", "L_BRACE"}) - closing
        if depth == 0 and (kind == "COMMA" or text in separators):
            if position > begun:
                arguments.append(_argument(tokens, begun, position))
            begun = position + 1
    return Call(name.lower(), tuple(arguments), tokens[index].start, distinct)


def _argument(tokens: Sequence[Any], first: int, end: int) -> Argument:
    texts = [token.text for token in tokens[first:end]]
    kinds = [_kind(token) for token in tokens[first:end]]
    literal = None
    if kinds in (["STRING"], ["RAW_STRING"], ["NUMBER"], ["DASH", "NUMBER"]) or len(kinds) == 1:
        literal = "".join(texts)
    if len(kinds) == 1 and kinds[0] not in {"STRING", "RAW_STRING", "NUMBER"}:
        literal = f"\0{texts[0]}"  # a word: a unit where one is expected, a column elsewhere
    return Argument(first, end, literal)


def words_without_parentheses(tokens: Sequence[Any]) -> Iterator[Call]:
    """Return the functions that are called by their name alone, such as `current_date`."""
    for index, token in enumerate(tokens):
        name = token.text.upper()
        called = index + 1 < len(tokens) and tokens[index + 1].text == "("
        if name in _WITHOUT_PARENTHESES and not called and _kind(token) not in {"STRING", "IDENTIFIER"}:
            yield Call(name.lower(), (), token.start)

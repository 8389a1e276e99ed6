"""What is wrong with SQL that the parser refuses, and whether that is certain.

The parser does not know all of Spark's dialect, so its refusal alone proves nothing. Certain is what no dialect has: a
bracket or a quote without its counterpart, a text that ends where something has to follow, and a misspelt keyword or a
missing comma whose correction makes the text parse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataos_dagster.engines.text_places import place_of
from dataos_dagster.flare.relations import QUERY_HINT, SqlRefused
from dataos_dagster.manifests.spelling import meant, near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SYNTAX, NOT_READ = "sql-syntax", "sql-not-read"

_BRACKETS = frozenset({"L_PAREN", "R_PAREN", "L_BRACKET", "R_BRACKET", "L_BRACE", "R_BRACE"})
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
# Keywords that are often misspelt; no query ends with one of those in the second list.
_KEYWORDS = (
    "SELECT", "DISTINCT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "JOIN",
    "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "USING", "LATERAL", "VIEW", "CASE", "WHEN", "THEN", "ELSE",
    "END", "BETWEEN", "LIKE", "EXISTS", "NULL", "OVER", "PARTITION", "WINDOW", "WITH", "INTERVAL", "CAST", "AND",
    "QUALIFY", "VALUES", "DESC", "NOT",
)  # fmt: skip
_SHORT_KEYWORDS = ("BY", "ON", "AS", "IN", "IS", "OR")
_NEVER_LAST = frozenset(
    {
        "SELECT", "FROM", "WHERE", "BY", "HAVING", "JOIN", "ON", "AND", "OR", "NOT", "UNION", "EXCEPT", "INTERSECT",
        "BETWEEN", "LIKE", "IN", "IS", "AS", "CASE", "WHEN", "THEN", "ELSE", "WITH", ",", "=", "<", ">", "<=", ">=",
        "<>", "!=", "+", "-", "/", "||", ".", "::",
    }
)  # fmt: skip
# What hides other marks in it; `open` begins one that does not end.
_QUOTED = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--[^\n]*|/\*.*?\*/|(?P<open>['"`]|/\*)""", re.DOTALL
)
_NAMES = frozenset({"VAR", "IDENTIFIER"})
# What a column may end with; how many words a column with its name has at least; operators between two names.
_ENDS_COLUMN = _NAMES | {"ALIAS", "R_PAREN", "R_BRACKET", "NUMBER", "STRING", "END"}
_COLUMN_AND_NAME = 2
_OPERATORS = frozenset({"DIV", "RLIKE", "REGEXP", "ILIKE", "COLLATE"})
_CLAUSES = frozenset(
    {"SELECT", "FROM", "WHERE", "GROUP_BY", "HAVING", "ORDER_BY", "CLUSTER_BY", "DISTRIBUTE_BY", "SORT_BY", "WINDOW"}
)
# A misspelt keyword is what the parser stops at, or stands up to so many words before it.
_WORDS_BACK = 3


def misspelt_statement(token: Any) -> SqlRefused:
    """Return the error of a text whose first word begins no query."""
    word = meant(token.text.upper(), ("SELECT", "WITH", "FROM", "VALUES", "TABLE"))
    if word is not None:
        return _at(token, f"{token.text!r} begins no query", f"did you mean {word}?")
    return _at(token, f"{token.text.upper()} is not a query, and a step is one query", QUERY_HINT, code="sql-refused")


def left_open(sql: str, message: str) -> SqlRefused:
    """Return the error of a text that cannot be cut into words: a quote or a comment is not closed.

    Args:
        sql: The text.
        message: The tokenizer's own, for whatever else it may refuse.
    """
    opening = next((found for found in _QUOTED.finditer(sql) if found["open"]), None)
    if opening is None:
        return SqlRefused(
            f"the SQL cannot be read: {message}", hint="compare with the Spark SQL reference", code=NOT_READ
        )
    start = opening.start("open")
    line, column = place_of(sql, start)
    what = "comment" if opening["open"] == "/*" else "quote"
    return SqlRefused(
        f"this {what} is never closed",
        hint=f"write {'*/' if what == 'comment' else opening['open']} where it should end",
        line=line,
        column=column,
        length=len(opening["open"]),
        code=SYNTAX,
    )


def explain_syntax_error(sql: str, tokens: Sequence[Any], error: Any, parses: Callable[[str], bool]) -> SqlRefused:
    """Return what is wrong with a text that does not parse.

    Args:
        sql: The text.
        tokens: Its tokens.
        error: The parser's error.
        parses: Tells whether another text parses.
    """
    unpaired = _unpaired(tokens)
    failing = _failing(tokens, error)
    misspelt = _misspelt(sql, tokens, failing, parses)
    if misspelt is not None:
        token, word = misspelt
        return _at(token, f"{token.text!r} is no keyword", f"did you mean {word}?")
    if unpaired is not None:
        return unpaired
    crowded = _crowded(sql, tokens, failing, parses)
    if crowded is not None:
        return _at(crowded, f"a comma is missing in front of {crowded.text!r}", "write one between the columns")
    open_case = _open_case(tokens)
    if open_case is not None:
        return _at(open_case, "this CASE has no END", "write END behind its last branch")
    if tokens[-1].text.upper() in _NEVER_LAST and failing >= len(tokens) - 1:
        return _at(tokens[-1], f"the SQL ends behind {tokens[-1].text!r}", "write what belongs there, or delete it")
    token = tokens[failing]
    found = error.errors[0] if error.errors else {}
    message = str(found.get("description") or error).partition(" but got <")[0].rstrip(".")
    hint = "compare with the Spark SQL reference: where it is right, Spark runs it"
    return _at(token, f"the SQL does not parse: {message}, near {token.text!r}", hint, code=NOT_READ)


def _unpaired(tokens: Sequence[Any]) -> SqlRefused | None:
    """Return the first bracket without its counterpart."""
    opened: list[Any] = []
    for token in tokens:
        if token.token_type.name not in _BRACKETS:
            continue
        if token.text in _CLOSED_BY:
            opened.append(token)
        elif opened and _CLOSED_BY[opened[-1].text] == token.text:
            opened.pop()
        else:
            return _at(token, f"this {token.text!r} closes nothing", "delete it, or open it where it should begin")
    if opened:
        wanted = _CLOSED_BY[opened[-1].text]
        return _at(opened[-1], f"this {opened[-1].text!r} is never closed", f"write {wanted!r} where it should end")
    return None


def _open_case(tokens: Sequence[Any]) -> Any:
    """Return the first CASE that no END belongs to, or None."""
    opened: list[Any] = []
    for token in tokens:
        if token.token_type.name == "CASE":
            opened.append(token)
        elif token.token_type.name == "END" and opened:
            opened.pop()
    return opened[0] if opened else None


def comma_before_from(tokens: Sequence[Any]) -> SqlRefused | None:
    """Return the error of a list of columns that ends with a comma, which the parser forgives and no engine does.

    A column may be called `from`: then another FROM follows, or no name behind this one.
    """
    for index, (comma, word, name) in enumerate(zip(tokens, tokens[1:], tokens[2:], strict=False)):
        if comma.text != "," or word.token_type.name != "FROM" or name.token_type.name not in {*_NAMES, "L_PAREN"}:
            continue
        if not any(token.token_type.name == "FROM" for token in tokens[index + 2 :]):
            return _at(comma, "a comma stands behind the last column", "delete it, or write the column that is missing")
    return None


def _failing(tokens: Sequence[Any], error: Any) -> int:
    """Return the index of the token at which the parser gave up."""
    found = error.errors[0] if error.errors else {}
    place = (found.get("line"), found.get("col"))
    return next((index for index, token in enumerate(tokens) if (token.line, token.col) == place), len(tokens) - 1)


def _misspelt(sql: str, tokens: Sequence[Any], failing: int, parses: Callable[[str], bool]) -> tuple[Any, str] | None:
    """Return the token that is a misspelt keyword, and the keyword, when the text parses with it."""
    for index in range(failing, max(failing - _WORDS_BACK, -1), -1):
        token = tokens[index]
        begins_bracket = index + 1 < len(tokens) and tokens[index + 1].text == "("
        for word in _keywords_near(token):
            # Rows follow VALUES in brackets; without them it is the name of a relation to the parser.
            if word == "VALUES" and not begins_bracket:
                continue
            if parses(f"{sql[: token.start]}{word}{sql[token.end + 1 :]}"):
                return token, word
    return None


def _crowded(sql: str, tokens: Sequence[Any], failing: int, parses: Callable[[str], bool]) -> Any:
    """Return the token of a list of columns that stands behind a column and its name without a comma, or None.

    Three names in a row are a column, its name and the next column, unless the one in the middle is an operator.
    """
    if failing < _COLUMN_AND_NAME:
        return None
    column, name, token = tokens[failing - _COLUMN_AND_NAME : failing + 1]
    are_names = {name.token_type.name, token.token_type.name} <= _NAMES
    if not are_names or column.token_type.name not in _ENDS_COLUMN or name.text.upper() in _OPERATORS:
        return None
    clause = next((each for each in _same_level(tokens[:failing]) if each.token_type.name in _CLAUSES), None)
    if clause is None or clause.token_type.name != "SELECT":
        return None
    return token if parses(f"{sql[: token.start]}, {sql[token.start :]}") else None


def _same_level(tokens: Sequence[Any]) -> Iterator[Any]:
    """Yield tokens from the last one backwards, without those inside brackets, up to the bracket around them all."""
    depth = 0
    for token in reversed(tokens):
        if token.token_type.name in _BRACKETS:
            depth += -1 if token.text in _CLOSED_BY else 1
            if depth < 0:
                return
        elif depth == 0:
            yield token


def _keywords_near(token: Any) -> Iterator[str]:
    if token.token_type.name not in _NAMES:
        return
    word = token.text.upper()
    yield from (found for slips, found in near(word, _KEYWORDS) if slips)
    yield from (short for short in _SHORT_KEYWORDS if sorted(short) == sorted(word) and short != word)


def column_of(token: Any) -> int:
    """Return the 1-based column of a token's first character; the tokenizer counts that of the last."""
    return max(int(token.col) - (int(token.end) - int(token.start)), 1)


def _at(token: Any, message: str, hint: str, *, code: str = SYNTAX) -> SqlRefused:
    length = int(token.end) - int(token.start) + 1
    return SqlRefused(message, hint=hint, line=token.line, column=column_of(token), length=length, code=code)

"""What a query reads, found in its words alone: for SQL that Spark has and the parser does not know.

A relation stands behind FROM, JOIN, TABLE, or a comma between relations. That is enough to say what a query reads, and
to refuse what would reach data another way; nothing is said of the rest, which Spark itself judges as the job runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.relations import (
    CALLS_JAVA,
    QUERY_HINT,
    Relation,
    SqlRefused,
    check_generator,
    check_relation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Tokens = Sequence[Any]

_QUOTED_NAME = "IDENTIFIER"
_NAMES = frozenset({"VAR", _QUOTED_NAME})
_TEXTS = frozenset({"STRING", "RAW_STRING", "HEX_STRING"})
_NO_NAMES = _TEXTS | {"NUMBER", "PARAMETER", "PLACEHOLDER"}
_BEGINS_QUERY = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE", "("})
_SET_OPERATIONS = frozenset({"UNION", "EXCEPT", "MINUS", "INTERSECT"})
# Where a relation may come, these come before it.
_LEADS_ON = frozenset({"LATERAL", "FROM", "SELECT", "WITH", "VALUES", "TABLE"})
# Behind these no more relations of the same FROM are listed.
_END_OF_RELATIONS = _SET_OPERATIONS | {
    "WHERE", "GROUP BY", "HAVING", "QUALIFY", "ORDER BY", "SORT BY", "CLUSTER BY", "DISTRIBUTE BY", "LIMIT", "OFFSET",
    "WINDOW", "SELECT", "VIEW", "|>",
}  # fmt: skip
# What a table is asked for with that is not its present state, in front of AS OF.
_TRAVELS = frozenset({"VERSION", "TIMESTAMP", "SYSTEM_TIME", "SYSTEM_VERSION"})
# Behind these an operand begins: IS is a column there, and no comparison.
_BEFORE_OPERANDS = frozenset({
    "SELECT", "ALL", "DISTINCT", "AND", "OR", "NOT", "CASE", "WHEN", "THEN", "ELSE", "BETWEEN", "LIKE", "IN", "DIV",
})  # fmt: skip
# Between the name of a common table expression and its query.
_BEFORE_COMMON_QUERY = frozenset({"MAX", "RECURSION", "LEVEL", "AS"})


def relations_in_words(tokens: Tokens) -> tuple[Relation, ...]:
    """Return the relations that a query names, in the order of its text, without common table expressions.

    Args:
        tokens: Of one query, as sqlglot cuts it, without a semicolon behind it.

    Raises:
        SqlRefused: It opens files, calls Java or a program, writes, is several statements, or a function stands in the
            place of a table that does more than make rows.
    """
    _refuse_side_doors(tokens)
    reader = _Reader(tokens, frozenset(_common_tables(tokens)))
    reader.read()
    return tuple(reader.found)


def qualifiers_in_words(tokens: Tokens, relations: Sequence[Relation]) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
    """Return the spans in which a relation of several parts stands in front of a column."""
    wanted = {tuple(part.lower() for part in relation.parts) for relation in relations if len(relation.parts) > 1}
    relations_begin = {relation.start for relation in relations}
    found = []
    for index, token in enumerate(tokens):
        for parts in wanted:
            behind = index + 2 * len(parts) - 1
            words, dots = tokens[index:behind:2], tokens[index + 1 : behind + 1 : 2]
            names = tuple(word.text for word in words)
            is_qualifier = len(dots) == len(parts) and all(dot.text == "." for dot in dots)
            if is_qualifier and tuple(map(str.lower, names)) == parts and token.start not in relations_begin:
                found.append((int(token.start), int(words[-1].end) + 1, names))
    return tuple(found)


@dataclass(slots=True)
class _Bracket:
    """What is known of the words between two brackets.

    Attributes:
        holds_query: A query is there, so that its FROM names relations.
        lists_relations: Relations are listed here, so that another one follows a comma.
        expects: A relation comes next.
        lists_rows: The rows of VALUES are listed here, so that another one follows a comma.
        has_select: A SELECT stands in front of the relations, so that none follows them.
    """

    holds_query: bool = False
    lists_relations: bool = False
    expects: bool = False
    lists_rows: bool = False
    has_select: bool = False

    def begin(self, *, relations: bool) -> None:
        """Begin a list of relations, or end it."""
        self.lists_relations = self.expects = relations
        self.lists_rows = False


@dataclass(slots=True)
class _Reader:
    """One walk over the words of a query."""

    tokens: Tokens
    common: frozenset[str]
    found: list[Relation] = field(default_factory=list)

    def read(self) -> None:
        brackets = [_Bracket(holds_query=True)]
        index = 0
        while index < len(self.tokens):
            text, inside = self._word(index), brackets[-1]
            if text == "(":
                begins = self._word(index + 1) in _BEGINS_QUERY
                brackets.append(_Bracket(begins, lists_relations=inside.expects, expects=inside.expects))
                inside.expects = False
            elif text == ")" and len(brackets) > 1:
                brackets.pop()
            elif inside.expects and (text not in _LEADS_ON or (text == "VALUES" and not self._begins_rows(index))):
                inside.expects = False
                index = self._relation(index)
                continue
            else:
                self._clause(index, text, inside)
            index += 1

    def _clause(self, index: int, text: str, inside: _Bracket) -> None:
        """Take note of a word that says whether relations follow."""
        if self._is_alias(index, text, inside):
            inside.lists_rows = False  # the rows have a name now, and what follows is another relation
            return
        inside.holds_query |= text == "SELECT"
        inside.has_select = (inside.has_select or text == "SELECT") and text not in _SET_OPERATIONS
        if text == "VALUES":
            inside.lists_rows, inside.expects = True, False
        elif (
            text == "JOIN"
            or (text == "FROM" and self._is_clause(index, inside))
            or (text == "TABLE" and self._is_query_of_table(index, inside))
        ):
            inside.begin(relations=True)
        elif text == ",":
            inside.expects = inside.lists_relations and not (inside.lists_rows and self._word(index + 1) in {"(", ""})
        elif text in _END_OF_RELATIONS:
            inside.begin(relations=False)
        elif text == "AS" or self.tokens[index].token_type.name in _NAMES:
            inside.lists_rows = False

    def _is_alias(self, index: int, text: str, inside: _Bracket) -> bool:
        """Return whether a word that ends a list of relations elsewhere is the name of one here: few are reserved."""
        if not inside.lists_relations or inside.expects or text not in {*_END_OF_RELATIONS, "VALUES"}:
            return False
        behind = index + 1
        if self._word(behind) == "(" and (text != "SELECT" or inside.has_select):
            behind = _closing([str(token.text) for token in self.tokens], behind) + 1  # the names of its columns
        return self._word(index - 1) == "AS" or self._word(behind) == ","

    def _begins_rows(self, index: int) -> bool:
        """Return whether rows follow VALUES; a view may have that name."""
        return self._word(index + 1) in {"(", ""} and index + 1 < len(self.tokens)

    def _is_clause(self, index: int, inside: _Bracket) -> bool:
        """Return whether a FROM names relations: that of `extract(YEAR FROM d)` and of `IS DISTINCT FROM` does not."""
        return inside.holds_query and not self._is_comparison(index) and self._word(index - 1) != "."

    def _is_comparison(self, index: int) -> bool:
        """Return whether a FROM belongs to `a IS [NOT] DISTINCT FROM b`; IS and DISTINCT may be names as well."""
        place = index - 3 if self._word(index - 2) == "NOT" else index - 2
        if self._word(index - 1) != "DISTINCT" or self._word(place) != "IS" or place == 0:
            return False
        operand = self.tokens[place - 1]
        if operand.token_type.name in _NAMES | _TEXTS:
            return True
        return operand.text[-1:] in {")", "]"} or (
            operand.text[-1:].isalnum() and operand.text.upper() not in _BEFORE_OPERANDS
        )

    def _is_query_of_table(self, index: int, inside: _Bracket) -> bool:
        """Return whether TABLE is Spark's short form of a query, and no name."""
        before = self.tokens[index - 1].text.upper() if index else "("
        return inside.expects or before in {"(", ")", "ALL", "DISTINCT"} | _SET_OPERATIONS

    def _relation(self, index: int) -> int:
        """Take note of the relation that begins here, and return the index of the first word behind it."""
        token = self.tokens[index]
        if token.token_type.name in _NO_NAMES:
            return index + 1
        last, parts = index, [str(token.text)]
        while self._word(last + 1) == "." and last + 2 < len(self.tokens):
            last += 2
            parts.append(str(self.tokens[last].text))
        if self._word(last + 1) == "(":
            check_generator(parts[-1].lower())
        elif len(parts) > 1 or parts[0].lower() not in self.common:
            relation = self._placed(tuple(parts), index, last)
            check_relation(relation, travels=self._travels(last + 1))
            self.found.append(relation)
        return last + 1

    def _placed(self, parts: tuple[str, ...], first: int, last: int) -> Relation:
        """Return the relation that begins and ends with these words, with the name that it is given behind them."""
        token = self.tokens[first]
        column = max(int(token.col) - (int(token.end) - int(token.start)), 1)
        name = last + 2 if self._word(last + 1) == "AS" else last + 1
        is_named = name < len(self.tokens) and self.tokens[name].token_type.name in _NAMES
        alias = str(self.tokens[name].text) if is_named else None
        return Relation(parts, int(token.line), column, int(token.start), int(self.tokens[last].end) + 1, alias)

    def _travels(self, index: int) -> bool:
        """Return whether the words behind a relation ask for an older state of it: `[FOR] VERSION AS OF 3`."""
        first = index + (self._word(index) == "FOR")
        behind = [self._word(first + 1), self._word(first + 2)]
        return self._word(first) in _TRAVELS and behind == ["AS", "OF"]

    def _word(self, index: int) -> str:
        """Return a word in upper case; an empty one where there is none, and for text, numbers and quoted names."""
        token = self.tokens[index] if 0 <= index < len(self.tokens) else None
        is_word = token is not None and token.token_type.name not in _NO_NAMES | {_QUOTED_NAME}
        return str(token.text).upper() if token is not None and is_word else ""


def _refuse_side_doors(tokens: Tokens) -> None:
    for token, following in pairwise(tokens):
        kind, word, behind = token.token_type.name, str(token.text).upper(), str(following.text).upper()
        if kind in _TEXTS:
            continue
        if word.lower() in CALLS_JAVA and behind == "(":
            raise SqlRefused(f"{token.text} calls Java, which a step may not", hint="use functions of Spark SQL")
        if kind == _QUOTED_NAME:
            continue
        if word == "IDENTIFIER" and behind == "(":
            message = "IDENTIFIER(…) hides what is called or read, and a step says so"
            raise SqlRefused(message, hint="write the name itself in place of IDENTIFIER(…)")
        runs_program = word == "USING" and following.token_type.name in _TEXTS
        if runs_program or (word == "INSERT" and behind in {"INTO", "OVERWRITE"}):
            raise SqlRefused(f"{word} {following.text!r} is not allowed in a step", hint=QUERY_HINT)
        if kind == "SEMICOLON":
            message = "one step is one query, and this is several statements"
            raise SqlRefused(message, hint="make each a step of its own in the sequence")


def _common_tables(tokens: Tokens) -> Iterator[str]:
    """Yield the lower-case names that are given to queries in brackets, as WITH does: `name [(columns)] [AS] (`."""
    words = [str(token.text).upper() for token in tokens]
    for index, token in enumerate(tokens):
        if token.token_type.name in _NO_NAMES or words[max(index - 1, 0)] not in {"WITH", "RECURSIVE", ","}:
            continue
        behind = index + 1
        if words[behind : behind + 1] == ["("] and not _BEGINS_QUERY.intersection(words[behind + 1 : behind + 2]):
            behind = _closing(words, behind) + 1
        while behind < len(words) and (words[behind] in _BEFORE_COMMON_QUERY or words[behind].isdecimal()):
            behind += 1
        if words[behind : behind + 1] == ["("] and _BEGINS_QUERY.intersection(words[behind + 1 : behind + 2]):
            yield str(token.text).lower()


def _closing(words: Sequence[str], index: int) -> int:
    """Return the index of the bracket that closes the one at an index; the last index where none does."""
    depth = 0
    for place in range(index, len(words)):
        depth += (words[place] == "(") - (words[place] == ")")
        if depth == 0:
            return place
    return len(words) - 1

"""The constructs of a query: every function, operator, cast, literal form and clause, by name and place in the text.

Calls and literal forms are read from the tokens here, the rest from the syntax tree (`expressions`, `clauses`).
Heavy (sqlglot): import it where a query is to be read.
"""

from __future__ import annotations

import bisect
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from dataos_dagster.engines.routing.calls import Call, calls_of, words_without_parentheses
from dataos_dagster.engines.routing.expressions import DIALECT, RETYPED, Expressions, is_cast_to_int
from dataos_dagster.engines.routing.operands import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.engines.routing.operands import Families


@dataclass(frozen=True, slots=True)
class Construct:
    """A construct of SQL and where it stands, 1-based, in the text it was found in.

    Attributes:
        name: Such as `round/2`, `left join`, `cast as int`.
        operands: Families of its operands' types, sorted; `unknown` where the text does not tell.
    """

    name: str
    line: int
    column: int
    operands: tuple[str, ...] = ()

    def __str__(self) -> str:
        known = [operand for operand in self.operands if operand != "unknown"]
        of = f" of {' and '.join(known)}" if known else ""
        return f"{self.name}{of} at {self.line}:{self.column}"


def constructs_of(sql: str, columns: Mapping[str, Mapping[str, str]] | None = None) -> tuple[Construct, ...]:
    """Return every construct of a query, in order of appearance, each use of a kind once.

    Args:
        sql: One query in Spark SQL.
        columns: Spark types (as `simpleString` writes them) by view and column, where they are known already.
    """
    try:
        tokens = sqlglot.tokenize(sql, dialect=DIALECT)
        tree = sqlglot.parse_one(sql, dialect=DIALECT)
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        return (Construct("syntax that sqlglot does not parse", place.get("line") or 1, place.get("col") or 1),)
    except SqlglotError:
        return (Construct("syntax that sqlglot does not parse", 1, 1),)
    if not isinstance(tree, exp.Query | exp.Merge):
        return (Construct("a statement that is no query", 1, 1),)
    found = sorted(_Query(sql, tokens, tree, columns).constructs(), key=lambda c: (c.line, c.column))
    first = {(construct.name, construct.operands): construct for construct in reversed(found)}
    return tuple(sorted(first.values(), key=lambda c: (c.line, c.column)))


def columns_of(sql: str, columns: Mapping[str, Mapping[str, str]]) -> dict[str, str] | None:
    """Return names and types of the columns that a query gives, or None where that cannot be told.

    Args:
        sql: One query in Spark SQL.
        columns: Spark types by view and column.

    Returns:
        By lower-case name a type of the same family as the column's own, `unknown` where the text does not tell.
    """
    try:
        tokens = sqlglot.tokenize(sql, dialect=DIALECT)
        tree = sqlglot.parse_one(sql, dialect=DIALECT)
    except SqlglotError:
        return None
    known = {name.lower() for name in columns} | {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    read = {table.name.lower() for table in tree.find_all(exp.Table)}
    if not isinstance(tree, exp.Query) or not read <= known or _names_its_own_columns(tree):
        return None
    found = _Query(sql, tokens, tree, columns).operands.outputs(tree)
    return {name: type_of(families) for name, families in found.items()}


def _names_its_own_columns(tree: exp.Expression) -> bool:
    """Return whether columns come from elsewhere than aliases and views: generators, pivots, fields of a struct."""
    if tree.find(exp.Lateral, exp.Pivot, exp.Aliases, exp.Inline, exp.Unnest) is not None:
        return True
    relations = {table.alias_or_name.lower() for table in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
    stars = (column for column in tree.find_all(exp.Column) if isinstance(column.this, exp.Star))
    return any(column.table.lower() not in relations for column in stars)


# Functions whose result depends on the order of a window's rows.
_ORDER_DEPENDENT = frozenset({"first", "first_value", "last", "last_value", "any_value"})


class _Query:
    """One parsed query."""

    def __init__(
        self, sql: str, tokens: list[Any], tree: exp.Expression, columns: Mapping[str, Mapping[str, str]] | None
    ) -> None:
        self.sql, self.tokens, self.tree = sql, tokens, tree
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", sql))]
        aliases = {alias.name.lower() for alias in tree.find_all(exp.TableAlias) if alias.args.get("columns")}
        self.calls = [*calls_of(tokens, aliases), *words_without_parentheses(tokens)]
        self.expressions = Expressions(tree, tokens, self.calls, columns)
        self.operands = self.expressions.operands

    def constructs(self) -> Iterator[Construct]:
        yield from self._of_calls()
        yield from self._of_literals()
        for node in self.tree.walk(prune=lambda node: isinstance(node, exp.Hint)):
            for name, operands in self.expressions.constructs_of(node):
                line, column = self._position(self._offset(node))
                yield Construct(name, line, column, tuple(sorted(operands)))

    def _of_calls(self) -> Iterator[Construct]:
        nodes: dict[int, exp.Expression] = {}
        for node in self.tree.walk():
            if isinstance(node, (exp.Func, exp.Bracket)) and node.meta and "start" in node.meta:
                nodes.setdefault(node.meta["start"], node)
        for call in self.calls:
            node = nodes.get(call.start)
            name = call.construct
            if name == "if/3":
                continue  # told from a CASE by the syntax tree
            if node is not None and _window_of(node) is not None and call.name in _ORDER_DEPENDENT:
                name += " over"
            if node is not None and isinstance(node.parent, exp.WithinGroup):
                name = f"{call.name} within group"
            if node is not None and call.construct in RETYPED and is_cast_to_int(node.parent):
                name += " as int"
            operands = self._arguments(call, node)
            line, column = self._position(call.start)
            yield Construct(name, line, column, tuple(sorted(operands)))

    def _arguments(self, call: Call, node: exp.Expression | None) -> Families:
        if node is not None:
            return self.operands.of_children(node)
        # The parser kept no node under this name: all columns and literals between its parentheses.
        end = self._end(call)
        leaves = self.tree.find_all(exp.Column, exp.Literal)
        return self.operands.union(leaf for leaf in leaves if call.start < self._offset(leaf) < end)

    def _end(self, call: Call) -> int:
        depth, index = 0, next(i for i, token in enumerate(self.tokens) if token.start == call.start)
        for token in itertools.islice(self.tokens, index + 1, None):
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return int(token.end)
        return len(self.sql)

    def _of_literals(self) -> Iterator[Construct]:
        """Yield the literal forms that engines read differently; they are gone from the syntax tree."""
        previous = None
        for token in self.tokens:
            if token.token_type.name == "STRING":
                line, column = self._position(token.start)
                if previous is not None and previous.token_type.name == "STRING":
                    yield Construct("adjacent string literals", line, column)
                if "\\" in self.sql[token.start : token.end + 1]:
                    yield Construct("string literal with a backslash", line, column)
            previous = token

    def _offset(self, node: exp.Expression) -> int:
        """Return where a node begins in the text; nodes without a place begin where their first part does."""
        starts = [part.meta["start"] for part in node.walk() if part.meta and "start" in part.meta]
        return min(starts, default=0)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1


def _window_of(node: exp.Expression) -> exp.Window | None:
    parent = node.parent
    while isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        parent = parent.parent
    return parent if isinstance(parent, exp.Window) else None

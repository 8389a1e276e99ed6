"""What stands in a query where no engine takes it: a clause behind a later one, an aggregate among conditions of rows.

The parser forgives both, and engines tell them late and in words of their own: Sail when the rows are written. So they
are refused with the text, at the word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataos_dagster.engines.text_places import place_of
from dataos_dagster.flare.relations import SqlRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MISPLACED = "sql-misplaced"

# The order in which Spark takes the clauses of one SELECT; others are left to it.
_ORDER = {"WHERE": 1, "GROUP_BY": 2, "HAVING": 3, "ORDER_BY": 4, "LIMIT": 5}
# Behind these another SELECT begins on the same level.
_ANOTHER_SELECT = frozenset({"SELECT", "UNION", "EXCEPT", "INTERSECT"})
_OPENING, _CLOSING = frozenset({"L_PAREN", "L_BRACKET"}), frozenset({"R_PAREN", "R_BRACKET"})
# Its steps come in any order, and its tree is not that of its text.
_PIPE = "PIPE_GT"
# The name of a function in front of its arguments.
_CALL = re.compile(r"(\w+)\s*\(\s*(?:(?:DISTINCT|ALL)\s+)?$", re.IGNORECASE)
_WINDOW_HINT = (
    "compute it in a subquery and compare its name: SELECT * FROM (SELECT *, {name}(…) OVER (…) AS found FROM …) "
    "WHERE found = …"
)
_AGGREGATE_HINTS = {
    "WHERE": "write the condition behind GROUP BY: HAVING {name}(…) …",
    "GROUP BY": "group by columns; what is counted of each group stands behind SELECT",
    "ON": "aggregate in a subquery, and join with that",
}
_NESTED_HINT = "aggregate in a subquery: SELECT {outer}(found) FROM (SELECT {name}(…) AS found FROM … GROUP BY …)"


def refuse_misplaced(sql: str, tokens: Sequence[Any], tree: Any) -> None:
    """Check that clauses have their order, and that aggregates and windows stand where rows have been chosen.

    Args:
        sql: A query that parses.
        tokens: Its tokens.
        tree: Its syntax tree.

    Raises:
        SqlRefused: Something is at a place where no engine takes it.
    """
    from sqlglot import exp

    if any(token.token_type.name == _PIPE for token in tokens):
        return
    _refuse_disorder(sql, tokens)
    for select in tree.find_all(exp.Select):
        for place, clause in _clauses_of_rows(select):
            _refuse_in(sql, clause, place)
    for aggregate in tree.find_all(exp.AggFunc):
        _refuse_nested(sql, aggregate)


def _refuse_disorder(sql: str, tokens: Sequence[Any]) -> None:
    """Refuse a clause behind one that comes later in Spark's grammar."""
    last: list[Any] = [None]
    for index, token in enumerate(tokens):
        kind = token.token_type.name
        if kind in _OPENING:
            last.append(None)
        elif kind in _CLOSING and len(last) > 1:
            last.pop()
        elif kind in _ANOTHER_SELECT:
            last[-1] = None
        elif kind in _ORDER and _is_clause(tokens, index):
            before = last[-1]
            if before is not None and _ORDER[kind] < _ORDER[before.token_type.name]:
                word, earlier = token.text.upper(), before.text.upper()
                span = int(token.start), int(token.end) + 1
                raise _refused(sql, f"{word} stands behind {earlier}", f"write it in front of {earlier}", span)
            last[-1] = token


def _is_clause(tokens: Sequence[Any], index: int) -> bool:
    """Return whether a keyword begins a clause; a column may be called `limit`."""
    if index and tokens[index - 1].text == ".":
        return False
    behind = tokens[index + 1].token_type.name if index + 1 < len(tokens) else ""
    return tokens[index].token_type.name != "LIMIT" or behind == "NUMBER"


def _clauses_of_rows(select: Any) -> Iterator[tuple[str, Any]]:
    """Yield what is computed before rows are grouped or numbered, each with its keyword."""
    for key, place in (("where", "WHERE"), ("group", "GROUP BY"), ("having", "HAVING")):
        if select.args.get(key) is not None:
            yield place, select.args[key]
    for join in select.args.get("joins") or ():
        if join.args.get("on") is not None:
            yield "ON", join.args["on"]


def _refuse_in(sql: str, clause: Any, place: str) -> None:
    from sqlglot import exp

    for node in clause.walk(prune=lambda node: isinstance(node, exp.Query | exp.Window | exp.AggFunc)):
        if isinstance(node, exp.Window) and place != "GROUP BY":
            name, at = _named(sql, node)
            raise _refused(
                sql, f"the window function {name}(…) cannot stand in {place}", _WINDOW_HINT.format(name=name), at
            )
        # HAVING is for them, and where rows of an outer query are compared they may be that query's.
        if isinstance(node, exp.AggFunc) and place != "HAVING" and not _is_correlated(clause):
            name, at = _named(sql, node)
            why = "rows are chosen before they are aggregated" if place != "GROUP BY" else "groups are made first"
            hint = _AGGREGATE_HINTS[place].format(name=name)
            raise _refused(sql, f"{name}(…) cannot stand in {place}: {why}", hint, at)


def _refuse_nested(sql: str, aggregate: Any) -> None:
    """Refuse an aggregate in the argument of another that is not taken over a window."""
    from sqlglot import exp

    outer = aggregate.find_ancestor(exp.AggFunc, exp.Window, exp.Query)
    if not isinstance(outer, exp.AggFunc) or isinstance(aggregate.parent, exp.WithinGroup | exp.Window):
        return
    windowed = outer.find_ancestor(exp.Window, exp.Query)
    if isinstance(windowed, exp.Window):
        return
    (name, at), (around, _) = _named(sql, aggregate), _named(sql, outer)
    message = f"{name}(…) stands inside {around}(…), and an aggregate takes no other"
    raise _refused(sql, message, _NESTED_HINT.format(name=name, outer=around), at)


def _is_correlated(clause: Any) -> bool:
    """Return whether a clause may belong to a subquery that is computed for the rows of another query."""
    from sqlglot import exp

    node = clause.find_ancestor(exp.Select)
    while node.parent is not None:
        if isinstance(node.parent, exp.Select):
            return not isinstance(node, exp.From | exp.Join | exp.With)
        node = node.parent
    return False


def _named(sql: str, node: Any) -> tuple[str, tuple[int, int]]:
    """Return the name of the function that a node is or begins with, as it is written, and its offsets."""
    from sqlglot import exp

    called = next(found for found in node.walk() if isinstance(found, exp.Func))
    if "start" in called.meta:
        span = called.meta["start"], called.meta["end"] + 1
        return sql[slice(*span)], span
    # Of a few functions the parser keeps no place: they stand in front of their arguments.
    arguments = [found.meta["start"] for found in called.walk() if "start" in found.meta]
    found = _CALL.search(sql[: min(arguments)]) if arguments else None
    return (found[1], found.span(1)) if found else (str(called.sql_name()).lower(), (0, 1))


def _refused(sql: str, message: str, hint: str, span: tuple[int, int]) -> SqlRefused:
    start, end = span
    line, column = place_of(sql, start)
    return SqlRefused(message, hint=hint, line=line, column=column, length=end - start, code=MISPLACED)

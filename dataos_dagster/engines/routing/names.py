"""Names in a query that are wrong on every engine: functions that nobody has, columns that no view can give.

Asked before an engine is started, so it errs on one side: a name is wrong only when nothing in the query, in the views
that it reads or in what engines add could be meant by it.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dataos_dagster.engines.routing.builtin import FUNCTIONS
from dataos_dagster.engines.routing.calls import calls_of
from dataos_dagster.engines.routing.expressions import DIALECT
from dataos_dagster.engines.text_places import place_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

# Forms of the grammar that are called like functions and stand in no list of them.
_OF_THE_GRAMMAR = frozenset({"try_cast", "timestampadd", "timestampdiff", "identifier"})
# What generators and files call columns that nobody named.
_GIVEN_BY_ENGINES = re.compile(r"_.*|c\d+|col\d*|key|value|pos")
_UNITS = re.compile(
    r"(?:year|quarter|month|week|day|dayofyear|hour|minute|second|millisecond|microsecond)s?|yyyy|yy|mm|dd"
)
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name that means nothing, and what may have been meant.

    Attributes:
        line: Where it stands in the query, 1-based, as `column`.
        close: Names that are like it, most alike first.
        known: Of a column, those that there are.
    """

    kind: Literal["function", "column"]
    name: str
    line: int
    column: int
    close: tuple[str, ...]
    known: tuple[str, ...] = ()


def unknown_functions(sql: str, declared: Collection[str] = ()) -> tuple[UnknownName, ...]:
    """Return the functions of a query that neither Spark has nor the job declares.

    Args:
        sql: One query in Spark SQL.
        declared: Names of functions of one's own (`udfs`).
    """
    try:
        tokens, tree = sqlglot.tokenize(sql, dialect=DIALECT), sqlglot.parse_one(sql, dialect=DIALECT)
    except SqlglotError:
        return ()
    known = FUNCTIONS | _OF_THE_GRAMMAR | {name.lower() for name in declared}
    # What the parser knows as a function is one of some database; what it does not know, it calls anonymous.
    called = {node.meta.get("start") for node in tree.find_all(exp.Anonymous, exp.AnonymousAggFunc)}
    return tuple(
        UnknownName("function", call.name, *place_of(sql, call.start), _close(call.name, known))
        for call in calls_of(tokens)
        if call.start in called and call.name not in known
    )


def unknown_columns(sql: str, views: Mapping[str, Collection[str]]) -> tuple[UnknownName, ...]:
    """Return the columns of a query that none of the views that it reads can give.

    Args:
        sql: One query in Spark SQL.
        views: Names of columns by view, lower case; nothing is said of a query that reads another view.
    """
    try:
        tree = sqlglot.parse_one(sql, dialect=DIALECT)
    except SqlglotError:
        return ()
    if not isinstance(tree, exp.Query) or tree.find(exp.Pivot) is not None:
        return ()
    read = _views_read(tree)
    if not read <= views.keys():
        return ()
    given = dict.fromkeys(name.lower() for view in sorted(read) for name in views[view])
    named = _named_in(tree)
    relations = {table.alias_or_name.lower() for table in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
    relations |= {alias.name.lower() for alias in tree.find_all(exp.TableAlias)}
    wrong = (
        identifier
        for identifier in _columns_of(tree, relations)
        if not _may_mean(identifier.name.lower(), given.keys() | named)
    )
    return tuple(_unknown_column(identifier, sql, tuple(given)) for identifier in wrong)


def _views_read(tree: exp.Expression) -> set[str]:
    common = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    return {table.name.lower() for table in tree.find_all(exp.Table)} - common


def _named_in(tree: exp.Expression) -> set[str]:
    """Return every word that the query itself may have made a name: aliases, parameters, words of its texts."""
    found = {node.alias.lower() for node in tree.find_all(exp.Alias, exp.CTE)}
    for node in tree.find_all(exp.TableAlias, exp.Aliases):
        found |= {column.name.lower() for column in (*(node.args.get("columns") or ()), *node.expressions)}
    for function in tree.find_all(exp.Lambda):
        found |= {parameter.name.lower() for parameter in function.expressions}
    # Schemas (`from_json`), fields (`named_struct`) and paths are texts.
    for literal in tree.find_all(exp.Literal):
        if literal.is_string:
            found |= {word.lower() for word in _WORD.findall(literal.name)}
    return found


def _columns_of(tree: exp.Expression, relations: set[str]) -> Iterator[exp.Identifier]:
    """Yield the identifier of each column: of `t.a.b` it is `a` when `t` is a relation, otherwise `t`, a struct."""
    for column in tree.find_all(exp.Column):
        parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
        if not parts or isinstance(column.this, exp.Star) or column.find_ancestor(exp.Hint):
            continue
        of_relation = len(parts) > 1 and parts[0].name.lower() in relations
        yield parts[1] if of_relation else parts[0]


def _may_mean(name: str, known: set[str]) -> bool:
    return (
        name in known
        or _UNITS.fullmatch(name) is not None
        or name in FUNCTIONS
        or not _WORD.fullmatch(name)
        or _GIVEN_BY_ENGINES.fullmatch(name) is not None
    )


def _unknown_column(identifier: exp.Identifier, sql: str, given: tuple[str, ...]) -> UnknownName:
    line, column = place_of(sql, identifier.meta.get("start", 0))
    return UnknownName("column", identifier.name, line, column, _close(identifier.name.lower(), given), given)


def _close(name: str, known: Collection[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.7))

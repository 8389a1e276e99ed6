"""SQL of inputs by `query`: written for the platform's query engine, and read here as what Spark or PostgreSQL has.

The query engine is compatible with Trino: names are `depot.collection.dataset`, double quotes stand around names, and
functions have other names than in Spark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.relations import (
    NOT_RUN,
    Relation,
    SqlRefused,
    qualified_columns,
    refuse_side_doors,
    relations_of,
)
from dataos_dagster.flare.sql_syntax import SYNTAX
from dataos_dagster.flare.trino_rewriting import as_alike, name_columns
from dataos_dagster.flare.trino_subset import refuse_unlike

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DATASET_PARTS = 3
_LENS = re.compile(r"\bLENS\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TrinoQuery:
    """A query in Trino's SQL, parsed.

    Attributes:
        text: Without the semicolon behind it.
        relations: The datasets that it reads, in the order of the text.
    """

    text: str
    tree: Any = field(repr=False)
    relations: tuple[Relation, ...]

    def as_spark(self, name_of: Callable[[Relation], str]) -> str:
        """Return it in Spark's SQL.

        Args:
            name_of: Returns the view that a dataset is in the session.

        Raises:
            SqlRefused: Spark has nothing that means the same.
        """
        return self._translated("spark", lambda relation: _quoted(name_of(relation)), as_alike)

    def as_postgresql(self, name_of: Callable[[Relation], tuple[str, str]]) -> str:
        """Return it in PostgreSQL's SQL; only for a query that `is_plain`.

        Args:
            name_of: Returns schema and table of a dataset.
        """
        return self._translated("postgres", lambda relation: ".".join(map(_quoted, name_of(relation))))

    @property
    def is_plain(self) -> bool:
        """Return whether it consists of what means the same in every database.

        These are columns, equality, comparisons with numbers, joins, groups, counts. What depends on a collation (order
        and extremes of texts), on types (sums, divisions), on functions or on the time zone of the server (dates, which
        may stand beside moments) is not among them, and neither are names that PostgreSQL would fold to lower case.
        """
        plain = _plain_nodes()
        return all(_is_plain(node, plain) for node in self.tree.walk())

    def _translated(
        self, dialect: str, name_of: Callable[[Relation], str], rewrite: Callable[[Any], Any] = lambda tree: tree
    ) -> str:
        from sqlglot import parse_one
        from sqlglot.errors import ErrorLevel, SqlglotError

        from dataos_dagster.flare.sql import replace_spans

        try:
            named = replace_spans(self.text, self._spans(name_of))
            tree = name_columns(parse_one(named, read="trino"))
            found: str = rewrite(tree).sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE)
        except SqlglotError as error:
            raise SqlRefused(
                f"the query uses what Spark has not: {str(error).partition(chr(10))[0]}",
                hint="read the datasets as inputs, and write the query as a step in Spark's SQL",
                code=NOT_RUN,
            ) from None
        return found

    def _spans(self, name_of: Callable[[Relation], str]) -> Mapping[tuple[int, int], str]:
        """Return what stands in the place of each dataset, and of its name in front of columns."""
        spans: dict[tuple[int, int], str] = {}
        aliases: dict[tuple[str, ...], str] = {}
        for relation in self.relations:
            alias = relation.alias or relation.parts[-1]
            named = "" if relation.alias else f" AS {_quoted(alias)}"
            spans[relation.start, relation.end] = f"{name_of(relation)}{named}"
            aliases[_folded(relation.parts)] = alias
        for start, end, qualifier in qualified_columns(self.tree):
            if (known := aliases.get(_folded(qualifier))) is not None:
                spans[start, end] = _quoted(known)
        return spans


def parse_trino(text: str) -> TrinoQuery:
    """Return a query in Trino's SQL, parsed.

    Raises:
        SqlRefused: It is empty, has a syntax error, is no query, reads what is no dataset of a depot, or has what may
            mean something else in Spark's SQL.
    """
    from sqlglot import exp, parse
    from sqlglot.errors import ParseError, SqlglotError

    text = text.rstrip().rstrip(";")
    if _LENS.search(text):
        message = "queries of a semantic model (LENS) are not run here"
        raise SqlRefused(message, hint="query the model's tables", code=NOT_RUN)
    try:
        trees = [tree for tree in parse(text, read="trino") if tree is not None]
    except ParseError as error:
        found = error.errors[0] if error.errors else {}
        raise SqlRefused(
            f"the query cannot be read: {str(found.get('description', error)).partition(' but got <')[0]}",
            hint="it is read in the SQL of Trino; double quotes stand around names, single ones around texts",
            line=found.get("line") or 1,
            column=max((found.get("col") or 1) - len(found.get("highlight") or "") + 1, 1),
            length=len(found.get("highlight") or "x"),
            code=SYNTAX,
        ) from None
    except SqlglotError as error:
        raise SqlRefused(f"the query cannot be read: {error}", hint="a quote is left open", code=SYNTAX) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query | exp.Values):
        raise SqlRefused("an input's `query` is one SELECT", hint="what is written stands in `outputs`")
    refuse_side_doors(trees[0])
    relations = relations_of(trees[0])
    for relation in relations:
        if len(relation.parts) < _DATASET_PARTS:
            raise relation.refused(
                f"{relation.name!r} is no dataset",
                "a query names datasets: depot.collection.dataset; views of the job are read by steps",
            )
    refuse_unlike(trees[0])
    return TrinoQuery(text, trees[0], relations)


def _plain_nodes() -> frozenset[type]:
    from sqlglot import exp

    return frozenset(
        {
            *(exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Order, exp.Ordered, exp.Limit, exp.With),
            *(exp.CTE, exp.Subquery, exp.Union, exp.Distinct, exp.Table, exp.TableAlias, exp.Alias, exp.Column),
            *(exp.Star, exp.Literal, exp.Null, exp.Boolean, exp.And, exp.Or, exp.Not, exp.Paren),
            *(exp.EQ, exp.NEQ, exp.Is, exp.In, exp.Coalesce, exp.Count, exp.Having, exp.Exists, exp.Tuple),
        }
    )


def _is_plain(node: Any, plain: frozenset[type]) -> bool:
    """Return whether a node means the same in every database, whatever its parts do."""
    from sqlglot import exp

    if isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between):
        return any(_has_order(part) for part in node.iter_expressions())
    if isinstance(node, exp.Neg):
        return _has_order(node)
    if isinstance(node, exp.Identifier):
        return bool(node.name == node.name.lower())
    if isinstance(node, exp.Order):
        return node.parent is None or node.parent.args.get("limit") is None
    return type(node) in plain


def _has_order(node: Any) -> bool:
    """Return whether a value is a number in the text: what is compared with it has the same order everywhere."""
    from sqlglot import exp

    if isinstance(node, exp.Literal):
        return not node.is_string
    return isinstance(node, exp.Neg) and _has_order(node.this)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.lower() for part in parts)

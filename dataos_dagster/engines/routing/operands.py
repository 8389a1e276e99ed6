"""Of which families of types the operands of a construct are, as far as the text and the views' columns tell.

Engines differ by type: division is equal for integers and not for decimals. A family is what the differences found so
far follow; `unknown` stands for what cannot be told.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from dataos_dagster.engines.routing.proven import RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Families = frozenset[str]
UNKNOWN: Families = frozenset({"unknown"})
NOTHING: Families = frozenset()

# A literal integer counts as decimal(10,0) on Sail and as its own digits on Spark: with ten digits before the point the
# results are of one type, with fewer they are not. Beyond 18 digits products are cut differently.
_LARGEST_INT = 2**31 - 1
_LITERAL_DIGITS, _LONG_DIGITS = 10, 18
_FAMILIES = {
    "tinyint": "small integer",
    "smallint": "small integer",
    "int": "int",
    "integer": "int",
    "bigint": "bigint",
    "long": "bigint",
    "float": "float",
    "real": "float",
    "double": "double",
    "string": "string",
    "varchar": "string",
    "char": "string",
    "text": "string",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ltz": "timestamp",
    "timestamptz": "timestamp",
    "timestamp_ntz": "local timestamp",
    "timestampntz": "local timestamp",
    "boolean": "boolean",
    "binary": "binary",
    "void": "null",
}
_DECIMAL = re.compile(r"(?:decimal|numeric|dec)(?:\((\d+)(?:,\s*(\d+))?\))?")

_BOOLEAN = (exp.Predicate, exp.Not, exp.And, exp.Or, exp.Boolean, exp.Exists, exp.Is)
# Parts of a SELECT whose names may be aliases of its list; WHERE and FROM come before there are any.
_SEES_ALIASES = frozenset({"expressions", "group", "having", "order"})
_NO_OPERANDS = (exp.Star, exp.Var, exp.DataType, exp.Order, exp.Where, exp.WindowSpec, exp.Lambda)


def family_of(type_name: str) -> str:
    """Return the family of a Spark type as `simpleString` writes it."""
    name = type_name.strip().lower()
    if decimal := _DECIMAL.fullmatch(name):
        precision, scale = int(decimal[1] or 10), int(decimal[2] or 0)
        if precision > _LONG_DIGITS:
            return "long decimal"
        return "wide decimal" if precision - scale >= _LITERAL_DIGITS else "decimal"
    name = re.split(r"[<(]", name)[0]
    if name in {"array", "map", "struct"} or name.startswith("interval"):
        return name.split(" ")[0]
    return _FAMILIES.get(name, name)


def type_of(families: Families) -> str:
    """Return a type of a family, as a column of a view has it; `unknown` when there are several."""
    if len(families) != 1:
        return "unknown"
    [family] = families
    # A text literal becomes a column of strings; `decimal` alone would be read as the widest of them.
    return {"text": "string", "decimal": "decimal(10,2)"}.get(family, family)


class Operands:
    """Families of expressions of one query.

    Args:
        columns: Spark types by view and column, lower case; None when they are not known yet.
        name_of: Name of the construct that a function's node is, when it is one.
    """

    def __init__(
        self, columns: Mapping[str, Mapping[str, str]] | None, name_of: Callable[[exp.Expression], str | None]
    ) -> None:
        self._views = {
            view.lower(): {name.lower(): frozenset({family_of(kind)}) for name, kind in names.items()}
            for view, names in (columns or {}).items()
        }
        self._name_of = name_of
        self._sources: dict[int, dict[str, Families]] = {}
        self._busy: set[int] = set()
        self._rules: tuple[tuple[tuple[type[exp.Expression], ...], Callable[[Any], Families]], ...] = (
            ((exp.Column,), self._column),
            ((exp.Literal,), _literal),
            ((exp.Null,), lambda _: frozenset({"null"})),
            ((exp.Cast, exp.TryCast), lambda cast: frozenset({family_of(cast.to.sql("spark"))})),
            ((exp.Interval,), lambda _: frozenset({"interval"})),
            ((exp.Case, exp.If), self.of_results),
            ((exp.Subquery, exp.Query), lambda query: self._union_of(self.outputs(query).values()) or UNKNOWN),
            ((exp.Identifier, exp.Bracket, exp.Dot, exp.Placeholder), lambda _: UNKNOWN),
            ((exp.Window, exp.Paren), lambda node: self.of(node.this)),
        )

    def of(self, node: Any) -> Families:
        """Return the families that an expression may be of."""
        if not isinstance(node, exp.Expression) or isinstance(node, _NO_OPERANDS):
            return NOTHING
        if isinstance(node, _BOOLEAN):
            return frozenset({"boolean"})
        for kinds, rule in self._rules:
            if isinstance(node, kinds):
                return rule(node)
        return self._result(self._name_of(node), self.of_children(node))

    def of_children(self, node: exp.Expression) -> Families:
        """Return the families of all operands of an operator or arguments of a function."""
        return self.union(child for value in node.args.values() for child in _as_list(value))

    def of_results(self, node: exp.Expression) -> Families:
        """Return the families of the branches of a CASE or IF: its conditions are no operands."""
        branches = [branch.args.get("true") for branch in node.args.get("ifs") or []]
        return self.union([*branches, node.args.get("true"), node.args.get("false"), node.args.get("default")])

    def union(self, nodes: Iterable[Any]) -> Families:
        """Return the families of several expressions."""
        return self._union_of(self.of(node) for node in nodes)

    @staticmethod
    def _union_of(families: Iterable[Families]) -> Families:
        return NOTHING.union(*families)

    def outputs(self, query: exp.Expression) -> dict[str, Families]:
        """Return the families of a query's columns by name; columns without a name stand under their position."""
        if isinstance(query, exp.Subquery):
            return self.outputs(query.unnest())
        if isinstance(query, exp.SetOperation):
            left, right = self.outputs(query.left), self.outputs(query.right)
            if len(left) != len(right):
                return dict.fromkeys(left, UNKNOWN)
            return {name: a | b for (name, a), b in zip(left.items(), right.values(), strict=True)}
        if not isinstance(query, exp.Select) or id(query) in self._busy:
            return {}
        self._busy.add(id(query))
        found: dict[str, Families] = {}
        for position, projection in enumerate(query.expressions):
            if projection.is_star:
                found |= self.sources(query)
            else:
                found[projection.alias_or_name.lower() or f"#{position}"] = self.of(projection.unalias())
        self._busy.discard(id(query))
        return found

    def sources(self, select: exp.Select) -> dict[str, Families]:
        """Return the families of all columns that a SELECT reads from, by name; same names are united."""
        if id(select) not in self._sources:
            self._sources[id(select)] = {}  # a recursive CTE finds nothing of itself
            found: dict[str, Families] = {}
            for source in _relations(select):
                for name, families in self._relation(source).items():
                    found[name] = found.get(name, NOTHING) | families
            self._sources[id(select)] = found
        return self._sources[id(select)]

    def is_from_outside(self, column: exp.Column, query: exp.Expression) -> bool:
        """Return whether a column without its relation's name is known to be none of a subquery's own relations."""
        name, select, found = column.name.lower(), column.find_ancestor(exp.Select), False
        while select is not None and _is_inside(select, query):
            aliases = {item.alias.lower() for item in select.expressions if isinstance(item, exp.Alias)}
            known = all(self._relation(source) for source in _relations(select))
            if not known or name in aliases or name in self.sources(select):
                return False
            select, found = select.parent_select, True
        return found

    def _relation(self, source: exp.Expression) -> dict[str, Families]:
        alias = source.args.get("alias")
        names = [column.name.lower() for column in (alias.args.get("columns") or [])] if alias else []
        if isinstance(source, exp.Subquery):
            found = self.outputs(source.unnest())
        elif isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            cte = _cte(source)
            found = self.outputs(cte.this) if cte else self._views.get(source.name.lower(), {})
            alias = cte.args.get("alias") if cte and not names else None
            names = names or [column.name.lower() for column in (alias.args.get("columns") or [])] if alias else names
        else:
            return dict.fromkeys(names, UNKNOWN)
        return dict(zip(names, found.values(), strict=False)) if names else found

    def _column(self, column: exp.Column) -> Families:
        name = column.name.lower()
        select = column.find_ancestor(exp.Select)
        own = select
        while select is not None:
            if name in (found := self.sources(select)):
                return found[name]
            if select is own and (alias := _alias_in_sight(column, select)) is not None:
                # `upper(k) as k` reads a column of that name, and nobody says here which of the two is meant.
                within = {inner.name.lower() for inner in alias.this.find_all(exp.Column)}
                return UNKNOWN if name in within else self.of(alias.this)
            select = select.parent_select if isinstance(select, exp.Select) else None
        merge = column.find_ancestor(exp.Merge)
        return self._of_merge(column, merge) if merge is not None else UNKNOWN

    def _of_merge(self, column: exp.Column, merge: exp.Merge) -> Families:
        """Return the family of a column of a merge: of the side that it names, or of both."""
        sides = [side for side in (merge.this, merge.args["using"]) if column.table in {"", side.alias_or_name}]
        found = [self._relation(side).get(column.name.lower(), NOTHING) for side in sides]
        return self._union_of(found) or UNKNOWN

    def _result(self, name: str | None, operands: Families) -> Families:
        """Return the family of a construct's result; unknown where it depends on operands that were not tried."""
        if name is None:
            return operands
        results = RESULTS.get(name, {})
        known = ",".join(sorted(operands - {"null"}))
        if known in results:
            return frozenset({results[known]})
        every = frozenset(results.values())
        return every if len(every) == 1 else UNKNOWN


def _literal(literal: exp.Literal) -> Families:
    if literal.is_string:
        return frozenset({"text"})
    if "e" in literal.name.lower():
        return frozenset({"double"})
    if "." in literal.name:
        return frozenset({"decimal"})
    return frozenset({"int" if int(literal.name) <= _LARGEST_INT else "bigint"})


def _alias_in_sight(column: exp.Column, select: exp.Select) -> exp.Alias | None:
    """Return the alias of a SELECT's list that a name may mean: an earlier one in the list, any in what follows it."""
    part: exp.Expression = column
    while part.parent is not None and part.parent is not select:
        part = part.parent
    if column.table or part.arg_key not in _SEES_ALIASES:
        return None
    listed = select.expressions
    visible = itertools.takewhile(lambda item: item is not part, listed)
    named = (item for item in visible if isinstance(item, exp.Alias) and item.alias.lower() == column.name.lower())
    return next(named, None)


def _relations(select: exp.Select) -> Iterable[exp.Expression]:
    if source := select.args.get("from_"):
        yield source.this
        yield from (join.this for join in source.this.args.get("joins") or [])
    yield from (join.this for join in select.args.get("joins") or [])
    yield from select.args.get("laterals") or []


def _cte(table: exp.Table) -> exp.CTE | None:
    """Return the common table expression that a name means, the innermost one."""
    node: exp.Expression | None = table
    while node is not None:
        clause = node.args.get("with_")
        for cte in clause.expressions if clause else ():
            if cte.alias.lower() == table.name.lower() and not _is_inside(table, cte):
                return cte
        node = node.parent
    return None


def _is_inside(node: exp.Expression, ancestor: exp.Expression) -> bool:
    while node is not None:
        if node is ancestor:
            return True
        node = node.parent
    return False


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

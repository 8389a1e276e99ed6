"""Names of the expressions of a query whose operands' types matter: operators, casts, CASE, IN, set operations.

The default is refusal: a node that no rule names becomes a construct of its own, which nobody has proven.
Heavy (sqlglot): import it where a query is to be read.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from dataos_dagster.engines.routing.clauses import PLAIN, RULES
from dataos_dagster.engines.routing.forms import regex_form
from dataos_dagster.engines.routing.operands import NOTHING, Operands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dataos_dagster.engines.routing.calls import Call
    from dataos_dagster.engines.routing.operands import Families

DIALECT = "spark"

# Operators whose operands' types matter.
OPERATORS: dict[type[exp.Expression], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.IntDiv: "div",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "<=>",
    exp.NullSafeNEQ: "is distinct from",
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "^",
    exp.BitwiseNot: "~",
    exp.Between: "between",
    exp.DPipe: "||",
    exp.ILike: "ilike",
    exp.Bracket: "[]",
    exp.Neg: "unary -",
}
# Functions that give bigint on Sail and int on Spark: around them a cast makes the results equal.
RETYPED = frozenset({"datediff/2", "date_diff/2", "regexp_count/2"})
# Nodes that are part of what another rule names.
_SILENT = (
    exp.Identifier, exp.Table, exp.TableAlias, exp.Alias, exp.Aliases, exp.From, exp.Paren, exp.Literal,
    exp.Null, exp.Boolean, exp.Ordered, exp.CTE, exp.DataType, exp.DataTypeParam, exp.ColumnDef, exp.Var, exp.Tuple,
    exp.Distinct, exp.WindowSpec, exp.Lambda, exp.PropertyEQ, exp.Hint, exp.Filter, exp.WithinGroup,
    exp.Merge, exp.Whens, exp.When, exp.Update, exp.Insert,
)  # fmt: skip
# What the parser puts around the arguments of dates' functions, and what has a rule under another name.
_WRAPPERS = (
    exp.TsOrDsToDate, exp.TsOrDsToTimestamp, exp.TimeStrToTime, exp.Extract, exp.Concat,
    exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey, exp.JSONPathSubscript,
)  # fmt: skip
# Nodes that stand for functions of other names than the parser's own.
_SPELLINGS: dict[type[exp.Expression], frozenset[str]] = {
    exp.ApproxQuantile: frozenset({"approx_percentile", "percentile_approx"}),
    exp.Array: frozenset({"map"}),
    exp.AtTimeZone: frozenset({"from_utc_timestamp"}),
    exp.BitwiseLeftShift: frozenset({"shiftleft"}),
    exp.BitwiseRightShift: frozenset({"shiftright"}),
    exp.CurrentTimestamp: frozenset({"unix_timestamp"}),
    exp.FromTimeZone: frozenset({"to_utc_timestamp"}),
    exp.GroupConcat: frozenset({"string_agg", "listagg"}),
    exp.Quantile: frozenset({"percentile"}),
    exp.StrPosition: frozenset({"position"}),
}
# Division by what is literally nothing has no type on Sail.
_DIVISIONS = (exp.Div, exp.Mod, exp.IntDiv)
_DECIMALS = frozenset({"decimal", "wide decimal", "long decimal"})
_PRODUCTS_OF_DECIMALS = 1
_DATE_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{1,6})?)?")


class Expressions:
    """The expressions of one parsed query.

    Args:
        tree: The query.
        tokens: sqlglot's tokens of it.
        calls: The calls in it, by their own names.
        columns: Spark types by view and column, where they are known already.

    Attributes:
        operands: The families of types of what the query is made of.
    """

    def __init__(
        self,
        tree: exp.Expression,
        tokens: list[Any],
        calls: Iterable[Call],
        columns: Mapping[str, Mapping[str, str]] | None,
    ) -> None:
        self._named = {call.start: call for call in calls}
        self._names = {call.name for call in self._named.values()}
        self._relations = {
            relation.alias_or_name.lower() for relation in tree.find_all(exp.Table, exp.Subquery, exp.CTE)
        }
        self._relations |= {alias.name.lower() for alias in tree.find_all(exp.TableAlias)}
        self._suffixed = _numbers_with_a_suffix(tokens)
        self._views = {name.lower() for name in columns or {}}
        self._columns = columns
        self.operands = Operands(columns, self._name_of)
        self._readers: tuple[tuple[Any, Callable[[Any], Iterator[tuple[str, Families]]]], ...] = (
            (exp.Select, self._select),
            (exp.SetOperation, self._set_operation),
            ((exp.Cast, exp.TryCast), self._cast),
            (exp.Case, self._case),
            (exp.If, self._if),
            (exp.Column, self._column),
            (exp.In, self._in),
            (exp.Like, self._like),
            (exp.RegexpLike, self._regexp),
        )

    def _name_of(self, node: exp.Expression) -> str | None:
        """Return the construct that a node is: a function under its own name, or an operator."""
        call = self._named.get(node.meta.get("start", -1)) if node.meta else None
        return call.construct if call else OPERATORS.get(type(node))

    def constructs_of(self, node: exp.Expression) -> Iterator[tuple[str, Families]]:
        """Yield the names of the constructs that one node is, with the families of their operands."""
        kind = type(node)
        for kinds, reader in self._readers:
            if isinstance(node, kinds):
                yield from reader(node)
                return
        if kind in OPERATORS:
            yield from self._operator(node)
        elif kind in PLAIN:
            yield PLAIN[kind], NOTHING
        elif rule := RULES.get(kind):
            yield from ((name, NOTHING) for name in rule(node))
        elif not isinstance(node, (*_SILENT, *_WRAPPERS)) and node.meta.get("start") not in self._named:
            yield from self._unnamed(node)

    def _unnamed(self, node: exp.Expression) -> Iterator[tuple[str, Families]]:
        """Yield what the tokens did not show as a call under its name, such as `bigint(x)`, `x COLLATE y`, `x << 2`."""
        if isinstance(node, exp.Anonymous):
            yield f"{node.name.lower()}/{len(node.expressions)}", NOTHING
            return
        names = {name.lower() for name in node.sql_names()} if isinstance(node, exp.Func) else set()
        if not self._names & (names | _SPELLINGS.get(type(node), frozenset())):
            yield f"{type(node).__name__} syntax", NOTHING

    def _case(self, case: exp.Case) -> Iterator[tuple[str, Families]]:
        yield "case", self.operands.of_results(case)
        if case.this is not None:
            yield "=", self.operands.union([case.this, *(branch.this for branch in case.args["ifs"])])

    def _if(self, node: exp.If) -> Iterator[tuple[str, Families]]:
        if not isinstance(node.parent, exp.Case):
            yield "if/3", self.operands.of_results(node)

    def _column(self, column: exp.Column) -> Iterator[tuple[str, Families]]:
        if column.table and (column.args.get("db") or column.table.lower() not in self._relations):
            yield ".", NOTHING  # a field of a struct

    def _in(self, node: exp.In) -> Iterator[tuple[str, Families]]:
        query = node.args.get("query")
        if query is None:
            yield "in", self.operands.union([node.this, *node.expressions])
            return
        yield self._in_subquery(node, query), NOTHING
        yield "=", self.operands.of(node.this) | self.operands.of(query)

    def _in_subquery(self, node: exp.In, query: exp.Expression) -> str:
        """Return which form a comparison with a subquery has: Sail takes what is unknown for false, except at the top.

        At the top of a condition both mean that a row goes; below a NOT, an OR or a CASE they do not. The condition of
        an aggregate is no such top: Sail refuses subqueries there.
        """
        inner = _without_parentheses(node)
        negated = isinstance(inner.parent, exp.Not)
        place, beside_or = (inner.parent if negated else inner), False
        while isinstance(place.parent, (exp.And, exp.Or, exp.Paren)):
            place = place.parent
            beside_or = beside_or or isinstance(place, exp.Or)
        top = place.parent
        if not isinstance(top, (exp.Where, exp.Having)) or not isinstance(top.parent, exp.Query):
            return "in a subquery as a value"
        if not negated:
            return "in a subquery"
        if beside_or:
            return "not in a subquery beside or"
        if isinstance(node.this.unnest(), exp.Tuple):
            return "several columns not in a subquery"
        if node.this.find(exp.Column) is None:
            return "constant not in a subquery"
        return "not in a correlated subquery" if self._is_correlated(query) else "not in a subquery"

    def _is_correlated(self, query: exp.Expression) -> bool:
        """Return whether a subquery names columns of the query around it; a field of a struct looks the same.

        A name without its relation is looked up in the subquery's own: where their columns are not known yet, types are
        not either, and the query is read again when they are.
        """
        own = {relation.alias_or_name.lower() for relation in query.find_all(exp.Table, exp.Subquery, exp.CTE)}
        return any(
            column.parts[0].name.lower() not in own if column.table else self.operands.is_from_outside(column, query)
            for column in query.find_all(exp.Column)
        )

    def _regexp(self, node: exp.RegexpLike) -> Iterator[tuple[str, Families]]:
        if node.meta.get("start") not in self._named:
            pattern = node.expression
            text = pattern.name if isinstance(pattern, exp.Literal) else None
            yield f"rlike{regex_form(text)}", self.operands.of_children(node)

    def _operator(self, node: exp.Expression) -> Iterator[tuple[str, Families]]:
        name = OPERATORS[type(node)]
        if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
            return  # a negative number
        if isinstance(node, exp.EQ) and isinstance(node.parent, exp.Update):
            return  # an assignment of a merge
        if isinstance(node, exp.Bracket) and node.meta.get("start") in self._named:
            return  # element_at and its like, under their own name
        if (
            isinstance(node, _DIVISIONS)
            and isinstance(node.expression, exp.Literal)
            and not node.expression.is_string
            and float(node.expression.name) == 0
        ):
            name += " by zero"
        operands = self.operands.of_children(node)
        yield name, operands
        if isinstance(node, exp.Mul) and operands & _DECIMALS and not isinstance(node.parent, exp.Mul):
            products = sum(1 for inner in node.find_all(exp.Mul) if self.operands.of_children(inner) & _DECIMALS)
            if products > _PRODUCTS_OF_DECIMALS:
                yield "* of many decimals", NOTHING

    def _like(self, node: exp.Like) -> Iterator[tuple[str, Families]]:
        pattern = node.expression
        if isinstance(pattern, (exp.Any, exp.All)):
            yield f"like {type(pattern).__name__.lower()}", NOTHING
        elif isinstance(pattern, exp.Literal) and "\\" in pattern.name:
            yield "like with a backslash", NOTHING
        else:
            yield "like", self.operands.of_children(node)

    def _cast(self, node: exp.Expression) -> Iterator[tuple[str, Families]]:
        if self._name_of(node.this) in RETYPED and is_cast_to_int(node):
            return  # part of the function's own construct
        target = node.args["to"].sql(DIALECT).lower()
        # The dialect writes a varchar of any length as string; Spark cuts it.
        shortened = node.args["to"].this in {exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR}
        # The dialect makes a TryCast of every cast; only `safe` tells which of them were written so.
        verb = "try_cast" if node.args.get("safe") else "cast"
        name = f"{verb} as {'varchar' if shortened else re.split(r'[<(]', target)[0]}"
        operands = self.operands.of(node.this)
        literal = node.this if isinstance(node.this, exp.Literal) else None
        if literal is not None and literal.is_string:
            shape = {"date": _DATE_TEXT, "timestamp": _TIMESTAMP_TEXT}.get(target)
            if shape is not None and not shape.fullmatch(literal.name):
                operands = frozenset({"string"})
            elif target.startswith("decimal") and literal.meta == {}:
                return  # how the parser writes 1.5BD
        elif literal is not None and literal.meta.get("start") in self._suffixed:
            return  # how the parser writes 1L and 1.5D
        yield name, operands

    def _select(self, select: exp.Select) -> Iterator[tuple[str, Families]]:
        yield "select" if select.args.get("from_") else "select without from", NOTHING
        if distinct := select.args.get("distinct"):
            yield ("distinct on" if distinct.args.get("on") else "distinct"), NOTHING
        if select.args.get("hint"):
            yield "hint", NOTHING
        if select.args.get("windows"):
            yield "named window", NOTHING
        names = [projection.alias_or_name.lower() for projection in select.expressions if not projection.is_star]
        if len(names) != len(set(names) - {""}) + names.count(""):
            yield "duplicate column names", NOTHING
        if self._has_lateral_alias(select):
            yield "lateral alias", NOTHING
        for table in select.find_all(exp.Table):
            written = table.name
            if written.lower() in self._views and self._columns is not None and written not in self._columns:
                yield "view in another case", NOTHING

    def _has_lateral_alias(self, select: exp.Select) -> bool:
        """Return whether a column of the list is built on an earlier one of the same list."""
        sources = self.operands.sources(select)
        defined: set[str] = set()
        for projection in select.expressions:
            for column in projection.find_all(exp.Column):
                own = column.find_ancestor(exp.Select) is select
                if own and not column.table and column.name.lower() in defined and column.name.lower() not in sources:
                    return True
            if isinstance(projection, exp.Alias):
                name = projection.alias.lower()
                # `upper(k) as k` reads a column of that name, so a later `k` is the column too.
                if name not in {column.name.lower() for column in projection.this.find_all(exp.Column)}:
                    defined.add(name)
        return False

    def _set_operation(self, node: exp.SetOperation) -> Iterator[tuple[str, Families]]:
        name = {exp.Union: "union", exp.Intersect: "intersect", exp.Except: "except"}[type(node)]
        if node.args.get("distinct") is False:
            name += " all"
        if node.args.get("by_name"):
            name += " by name"
        left, right = self.operands.outputs(node.left), self.operands.outputs(node.right)
        mixed = [a | b for a, b in zip(left.values(), right.values(), strict=False) if a != b or "unknown" in a | b]
        yield name, NOTHING
        for families in mixed:
            yield name, families


def _numbers_with_a_suffix(tokens: list[Any]) -> frozenset[int]:
    """Return where numbers such as 1L begin: their tokens are a number, `::` and a type, all in one place."""
    return frozenset(
        number.start
        for number, colons in itertools.pairwise(tokens)
        if number.token_type.name == "NUMBER" and colons.token_type.name == "DCOLON" and colons.start == number.start
    )


def is_cast_to_int(node: exp.Expression | None) -> bool:
    """Return whether a node is a cast to int."""
    return isinstance(node, (exp.Cast, exp.TryCast)) and node.args["to"].this == exp.DataType.Type.INT


def _without_parentheses(node: exp.Expression) -> exp.Expression:
    """Return the outermost of the parentheses around a node, or the node itself."""
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    return node

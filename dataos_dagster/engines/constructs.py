"""The constructs of a query: every function, operator, cast, literal form and clause that the suite knows by name.

The default is refusal: a node of the syntax tree that no rule below names becomes a construct of its own, which nobody
has proven. Heavy (sqlglot): import it where a query is to be read.
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

from dataos_dagster.engines.calls import Call, calls_of, regex_form, words_without_parentheses
from dataos_dagster.engines.clauses import PLAIN, RULES
from dataos_dagster.engines.operands import NOTHING, Operands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dataos_dagster.engines.operands import Families

DIALECT = "spark"


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
        of = f" of {' and '.join(self.operands)}" if self.operands else ""
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


class _Query:
    """One parsed query."""

    def __init__(
        self, sql: str, tokens: list[Any], tree: exp.Expression, columns: Mapping[str, Mapping[str, str]] | None
    ) -> None:
        self.sql, self.tokens, self.tree = sql, tokens, tree
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", sql))]
        aliases = {alias.name.lower() for alias in tree.find_all(exp.TableAlias) if alias.args.get("columns")}
        self.calls = [*calls_of(tokens, aliases), *words_without_parentheses(tokens)]
        self.relations = {
            relation.alias_or_name.lower() for relation in tree.find_all(exp.Table, exp.Subquery, exp.CTE)
        }
        self.relations |= {alias.name.lower() for alias in tree.find_all(exp.TableAlias)}
        self.suffixed = _numbers_with_a_suffix(tokens)
        self.named = {call.start: call for call in self.calls}
        self.names = {call.name for call in self.calls}
        self.views = {name.lower() for name in columns or {}}
        self.columns = columns
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

    def constructs(self) -> Iterator[Construct]:
        yield from self._of_calls()
        yield from self._of_literals()
        for node in self.tree.walk(prune=lambda node: isinstance(node, exp.Hint)):
            for name, operands in self._of_node(node):
                line, column = self._position(self._offset(node))
                yield Construct(name, line, column, tuple(sorted(operands)))

    def _name_of(self, node: exp.Expression) -> str | None:
        """Return the construct that a node is: a function under its own name, or an operator."""
        call = self.named.get(node.meta.get("start", -1)) if node.meta else None
        return call.construct if call else OPERATORS.get(type(node))

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
            if node is not None and call.construct in RETYPED and _is_cast_to_int(node.parent):
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

    def _of_node(self, node: exp.Expression) -> Iterator[tuple[str, Families]]:
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
        elif not isinstance(node, (*_SILENT, *_WRAPPERS)) and node.meta.get("start") not in self.named:
            yield from self._unnamed(node)

    def _unnamed(self, node: exp.Expression) -> Iterator[tuple[str, Families]]:
        """Yield what the tokens did not show as a call under its name, such as `bigint(x)`, `x COLLATE y`, `x << 2`."""
        if isinstance(node, exp.Anonymous):
            yield f"{node.name.lower()}/{len(node.expressions)}", NOTHING
            return
        names = {name.lower() for name in node.sql_names()} if isinstance(node, exp.Func) else set()
        if not self.names & (names | _SPELLINGS.get(type(node), frozenset())):
            yield f"{type(node).__name__} syntax", NOTHING

    def _case(self, case: exp.Case) -> Iterator[tuple[str, Families]]:
        yield "case", self.operands.of_results(case)
        if case.this is not None:
            yield "=", self.operands.union([case.this, *(branch.this for branch in case.args["ifs"])])

    def _if(self, node: exp.If) -> Iterator[tuple[str, Families]]:
        if not isinstance(node.parent, exp.Case):
            yield "if/3", self.operands.of_results(node)

    def _column(self, column: exp.Column) -> Iterator[tuple[str, Families]]:
        if column.table and (column.args.get("db") or column.table.lower() not in self.relations):
            yield ".", NOTHING  # a field of a struct

    def _in(self, node: exp.In) -> Iterator[tuple[str, Families]]:
        query = node.args.get("query")
        if query is None:
            yield "in", self.operands.union([node.this, *node.expressions])
            return
        yield ("not in a subquery" if isinstance(node.parent, exp.Not) else "in a subquery"), NOTHING
        yield "=", self.operands.of(node.this) | self.operands.of(query)

    def _regexp(self, node: exp.RegexpLike) -> Iterator[tuple[str, Families]]:
        if node.meta.get("start") not in self.named:
            pattern = node.expression
            text = pattern.name if isinstance(pattern, exp.Literal) else None
            yield f"rlike{regex_form(text)}", self.operands.of_children(node)

    def _operator(self, node: exp.Expression) -> Iterator[tuple[str, Families]]:
        name = OPERATORS[type(node)]
        if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
            return  # a negative number
        if isinstance(node, exp.EQ) and isinstance(node.parent, exp.Update):
            return  # an assignment of a merge
        if isinstance(node, exp.Bracket) and node.meta.get("start") in self.named:
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
        if self._name_of(node.this) in RETYPED and _is_cast_to_int(node):
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
        elif literal is not None and literal.meta.get("start") in self.suffixed:
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
            if written.lower() in self.views and self.columns is not None and written not in self.columns:
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

    def _offset(self, node: exp.Expression) -> int:
        """Return where a node begins in the text; nodes without a place begin where their first part does."""
        starts = [part.meta["start"] for part in node.walk() if part.meta and "start" in part.meta]
        return min(starts, default=0)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1


# Functions whose result depends on the order of a window's rows.
_ORDER_DEPENDENT = frozenset({"first", "first_value", "last", "last_value", "any_value"})


def _numbers_with_a_suffix(tokens: list[Any]) -> frozenset[int]:
    """Return where numbers such as 1L begin: their tokens are a number, `::` and a type, all in one place."""
    return frozenset(
        number.start
        for number, colons in itertools.pairwise(tokens)
        if number.token_type.name == "NUMBER" and colons.token_type.name == "DCOLON" and colons.start == number.start
    )


def _is_cast_to_int(node: exp.Expression | None) -> bool:
    return isinstance(node, (exp.Cast, exp.TryCast)) and node.args["to"].this == exp.DataType.Type.INT


def _window_of(node: exp.Expression) -> exp.Window | None:
    parent = node.parent
    while isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        parent = parent.parent
    return parent if isinstance(parent, exp.Window) else None

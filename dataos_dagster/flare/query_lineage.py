"""Column lineage of one query: which columns of the views that it reads each of its columns is computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.trace import merged, sources_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.flare.trace import Sources, Trace


class Untraceable(Exception):
    """A query cannot be followed; the message says why."""


def trace_query(tree: Any, views: Mapping[str, Trace]) -> Trace:
    """Return where the columns of a query come from.

    Args:
        tree: The query's syntax tree; it is left as it is.
        views: By lower-case name, the traces of the views that it reads.

    Raises:
        Untraceable: The query has a form that is not followed.
    """
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    spelling = _Spelling(views)
    schema = {name: {spelling.of(column): "unknown" for column in trace} for name, trace in views.items()}
    try:
        qualified = qualify(
            spelling.applied(tree),
            schema=schema,
            dialect=_CASE_SENSITIVE,
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        scope = build_scope(qualified)
    except SqlglotError as error:
        raise Untraceable(f"the SQL is too involved to follow ({error})") from None
    if scope is None:
        raise Untraceable("it is no SELECT")
    columns = _Tracing({name: sources_by_name(trace) for name, trace in views.items()}).columns_of(scope)
    return _as_written(tree, columns)


# SQL ignores case, and results keep the case of whoever named the column: names are made alike first, by `_Spelling`,
# because sqlglot would do it by writing everything in lower case.
_CASE_SENSITIVE = "spark, normalization_strategy = case_sensitive"


class _Spelling:
    """One spelling for each name: that of the views, else the first one in the SQL."""

    def __init__(self, views: Mapping[str, Trace]) -> None:
        self._known = {name: name for name in views}
        for trace in views.values():
            for column in trace:
                self.of(column)

    def of(self, name: str) -> str:
        """Return the spelling of a name."""
        return self._known.setdefault(name.lower(), name)

    def applied(self, tree: Any) -> Any:
        """Return a copy of a query in which every name is spelt one way."""
        from sqlglot import exp

        copy = tree.copy()
        for identifier in copy.find_all(exp.Identifier):
            identifier.set("this", self.of(identifier.name))
        return copy


def _as_written(tree: Any, columns: Trace) -> Trace:
    """Return the columns under the names that the query itself gives them, where no `*` is among them."""
    from sqlglot import exp

    written = [projection.alias_or_name for projection in tree.selects] if isinstance(tree, exp.Select) else []
    if len(written) != len(columns) or any(projection.is_star for projection in tree.selects):
        return columns
    return {name or known: sources for name, (known, sources) in zip(written, columns.items(), strict=True)}


class _Tracing:
    """One walk over the scopes of a query."""

    def __init__(self, views: Mapping[str, Mapping[str, Sources]]) -> None:
        self._views = views
        self._known: dict[int, dict[str, Sources]] = {}

    def columns_of(self, scope: Any) -> dict[str, Sources]:
        """Return the output columns of a scope, in order."""
        key = id(scope)
        if key not in self._known:
            self._known[key] = {}  # a recursive query meets itself: its own rows add no source
            self._known[key] = self._columns_of(scope)
        return self._known[key]

    def _columns_of(self, scope: Any) -> dict[str, Sources]:
        from sqlglot import exp

        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            return self._of_union(scope)
        if not isinstance(expression, exp.Select):
            raise Untraceable(f"{type(expression).__name__} is not followed")
        columns: dict[str, Sources] = {}
        for projection in expression.selects:
            if projection.is_star:
                raise Untraceable("`*` could not be spelled out")
            sources = self._of_expression(projection, scope)
            # A generator has one name for each of its columns.
            several = isinstance(projection, exp.Aliases)
            for name in [alias.name for alias in projection.aliases] if several else [projection.alias_or_name]:
                # Which of two columns of one name is meant cannot be told.
                columns[name] = None if name in columns else sources
        return columns

    def _of_union(self, scope: Any) -> dict[str, Sources]:
        from sqlglot import exp

        left, *others = (self.columns_of(part) for part in scope.set_operation_scopes)
        if isinstance(scope.expression, exp.Except | exp.Intersect):
            return left  # the other side only says which rows stay
        columns = dict(left)
        for other in others:
            if scope.expression.args.get("by_name"):
                columns = {
                    name: merged(side[name] for side in (columns, other) if name in side)
                    for name in {**columns, **other}
                }
                continue
            if len(other) != len(columns):
                raise Untraceable("the sides of a union have different columns")
            for name, sources in zip(columns, other.values(), strict=True):
                columns[name] = merged((columns[name], sources))
        return columns

    def _of_expression(self, expression: Any, scope: Any) -> Sources:
        from sqlglot import exp
        from sqlglot.optimizer.scope import walk_in_scope

        subqueries = {id(inner.expression): inner for inner in scope.subquery_scopes}
        parts: list[Sources] = []
        for node in walk_in_scope(expression):
            if isinstance(node, exp.Star):
                parts.append(self._of_star(node, scope))
            elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                parts.append(self._of_column(node, scope))
            elif id(node) in subqueries and isinstance(node.parent, exp.Exists):
                parts.append(self._of_existence(subqueries[id(node)]))
            elif id(node) in subqueries:
                parts.append(merged(self.columns_of(subqueries[id(node)]).values()))
            elif isinstance(node, exp.Window) and node.args.get("alias") is not None:
                parts.append(self._of_named_window(node.args["alias"].name, scope))
        return merged(parts)

    def _of_star(self, star: Any, scope: Any) -> Sources:
        """Return the sources of all columns that a `*` in a function stands for; None where it leaves some out."""
        from sqlglot import exp

        outer = star.parent
        if isinstance(outer, exp.Count | exp.Dot):
            return ()  # it counts rows, or spreads a struct whose column is known by itself
        if any(value for name, value in star.args.items() if name != "this"):
            return None
        wanted = outer.table if isinstance(outer, exp.Column) else None
        sources = [source for name, (_, source) in scope.selected_sources.items() if wanted in {None, name}]
        return merged(self._of_all(source) for source in sources) if sources else None

    def _of_all(self, source: Any) -> Sources:
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        if isinstance(source, exp.Table):
            trace = self._views.get(source.name.lower())
            return None if trace is None else merged(trace.values())
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
            return merged(self.columns_of(source).values())
        return None

    def _of_existence(self, scope: Any) -> Sources:
        """Return the columns that decide whether a subquery has rows; None where that cannot be told."""
        found = merged(self._of_column(column, scope) for column in scope.columns)
        return found or None

    def _of_named_window(self, name: str, scope: Any, passed: frozenset[str] = frozenset()) -> Sources:
        """Return the columns by which a window is cut and ordered that stands in the clause WINDOW.

        Args:
            name: Of the window.
            scope: Of the query with the clause.
            passed: Windows that lead to it, in lower case: one that leads to itself has no columns that can be told.
        """
        from sqlglot import exp

        for window in scope.expression.args.get("windows") or ():
            if window.name.lower() == name.lower() and name.lower() not in passed:
                columns = merged(self._of_column(column, scope) for column in window.find_all(exp.Column))
                other = window.args.get("alias")
                if other is None:
                    return columns
                return merged((self._of_named_window(other.name, scope, passed | {name.lower()}), columns))
        return None

    def _of_column(self, column: Any, scope: Any) -> Sources:
        pivot = _pivots(scope).get(column.table)
        if pivot is not None:
            return self._of_pivot(column.name, pivot, scope)
        source = scope.sources.get(column.table)
        if source is None:
            # A correlated subquery speaks of the query around it.
            return self._of_column(column, scope.parent) if scope.parent is not None else None
        return self._of_source(column, source, scope)

    def _of_source(self, column: Any, source: Any, scope: Any) -> Sources:
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        if isinstance(source, exp.Table):
            return self._views.get(source.name.lower(), {}).get(column.name.lower())
        if isinstance(source, Scope) and isinstance(source.expression, exp.UDTF):
            generator = source.expression
            return merged(self._of_column(inner, scope) for inner in generator.find_all(exp.Column))
        if isinstance(source, Scope):
            return sources_by_name(self.columns_of(source)).get(column.name.lower())
        return None

    def _of_pivot(self, name: str, pivot: Any, scope: Any) -> Sources:
        """Return where a column of a relation comes from that is turned by PIVOT or UNPIVOT."""
        from sqlglot import exp

        source = scope.sources.get(pivot.parent.alias_or_name)

        def below(columns: Iterable[Any]) -> Sources:
            return merged(self._of_source(column, source, scope) for column in columns)

        if source is None or len(pivot.parent.args.get("pivots") or ()) != 1 or len(pivot.fields) != 1:
            return None
        [field] = pivot.fields
        if not pivot.unpivot:
            made = [column.name.lower() for column in pivot.args.get("columns") or ()]
            if name.lower() not in made:
                return below([exp.column(name)])
            # For each value there is one column of each aggregate, in this order.
            aggregate = pivot.expressions[made.index(name.lower()) % len(pivot.expressions)]
            return below((*aggregate.find_all(exp.Column), *field.this.find_all(exp.Column)))
        values = next(map(_parts_of, pivot.expressions))
        names = [value.name.lower() for value in values]
        if name.lower() in names:
            melted = [
                _parts_of(group.this if isinstance(group, exp.PivotAlias) else group) for group in field.expressions
            ]
            return below(group[names.index(name.lower())] for group in melted if len(group) == len(names))
        # The column of names holds constants of the query.
        return () if name.lower() == field.this.name.lower() else below([exp.column(name)])


def _pivots(scope: Any) -> dict[str, Any]:
    """Return the pivots of the relations of a query, by the name that the query gives the result."""
    from sqlglot import exp

    return {pivot.alias or pivot.parent.alias_or_name: pivot for pivot in scope.find_all(exp.Pivot)}


def _parts_of(value: Any) -> list[Any]:
    """Return the items of a tuple, or the one value."""
    from sqlglot import exp

    return list(value.expressions) if isinstance(value, exp.Tuple) else [value]

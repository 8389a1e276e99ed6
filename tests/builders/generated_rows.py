"""Rows for the inputs of a job of which only the manifest is known: of the columns that its SQL uses.

What a column holds is guessed from its name, and from what the SQL does with it; so a job that runs on such rows shows
that its inputs, SQL, functions and outputs fit together and that the engine takes them, not that its numbers are right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from dataos_dagster.flare.sql import columns_in_expression, parse_statement
from dataos_dagster.flare.trino import parse_trino

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataos_dagster.flare.manifest import FlareSpec, SequenceItem
    from dataos_dagster.flare.manifest.assertions import Assertion

ROWS = 4
_MOMENT = re.compile(r"(?:^|_)(?:date|day|time|timestamp|ts|at|on)$|date|timestamp|_ts|created|updated", re.IGNORECASE)
_NUMBER = re.compile(
    r"amount|price|count|total|qty|quantity|number|cost|value|rate|score|age|_id$|^id$|lat|lon|size|usage",
    re.IGNORECASE,
)
_NUMERIC = (exp.Sum, exp.Avg, exp.Mul, exp.Div, exp.Sub, exp.Add, exp.Round, exp.Neg)
# Keys of functions whose values are names of columns.
_COLUMN_KEYS = re.compile("column|groupby|pivot|unpivot|sourcecol", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_]\w*")


def columns_of_inputs(spec: FlareSpec) -> dict[str, dict[str, str]]:
    """Return for each input, in lower case, the columns that the job needs of it, with an expression for each.

    Datasets that are named in SQL have the name of their table.
    """
    needed: dict[str, dict[str, str]] = {}
    items = [item for step in spec.job.steps for item in step.sequence]
    for output in spec.job.outputs:
        options = output.options
        fields = options.iceberg.partition_spec if options.iceberg else ()
        for name in (*(field.column for field in fields), *options.partition_by):
            needed.setdefault(output.name.lower(), {})[name.lower()] = _expression(name)
        _need_of_tests(output.assertions, output.name, needed)
    for condition in spec.job.profile.filters if spec.job.profile else ():
        for name in columns_in_expression(condition.expression):
            needed.setdefault(spec.job.inputs[0].name.lower(), {})[name.lower()] = _expression(name)
    tested = items[-1].name if items else spec.job.inputs[0].name if spec.job.inputs else ""
    _need_of_tests(spec.job.assertions, tested, needed)
    for item in reversed(items):
        _need(item, needed)
    for entry in spec.job.inputs:
        if entry.incremental is not None:
            _need_of_query(entry.incremental.sql, needed.pop(entry.name.lower(), {}), needed)
            needed[entry.name.lower()] = needed.pop(entry.incremental.context.lower(), {})
        if entry.query is not None:
            _need_of_tree(parse_trino(entry.query).tree, needed.pop(entry.name.lower(), {}), needed)
    return needed


def query_of(columns: Mapping[str, str]) -> str:
    """Return a query with some rows of the columns."""
    listed = ", ".join(f"{expression} AS `{name}`" for name, expression in columns.items())
    return f"SELECT {listed} FROM range({ROWS})"


def _need_of_tests(assertions: Iterable[Assertion], view: str, needed: dict[str, dict[str, str]]) -> None:
    for assertion in assertions:
        if assertion.sql is not None:
            _need_of_query(assertion.sql, {}, needed)
        elif assertion.column is not None:
            needed.setdefault(view.lower(), {}).setdefault(assertion.column.lower(), _expression(assertion.column))


def _need(item: SequenceItem, needed: dict[str, dict[str, str]]) -> None:
    if item.sql is None:
        return
    wanted = needed.pop(item.name.lower(), {})
    for call in item.functions:
        for name in _names(call.parameters):
            wanted.setdefault(name.lower(), _expression(name))
    _need_of_query(item.sql, wanted, needed)


def _names(parameters: Mapping[str, Any]) -> Iterator[str]:
    for key, value in parameters.items():
        if _COLUMN_KEYS.search(key):
            for text in value if isinstance(value, list) else value if isinstance(value, dict) else [value]:
                if isinstance(text, str) and _NAME.fullmatch(text):
                    yield text


def _need_of_query(sql: str, wanted: Mapping[str, str], needed: dict[str, dict[str, str]]) -> None:
    statement = parse_statement(sql.replace("$|", "").replace("|", "") if "$|" in sql else sql)
    _need_of_tree(statement.tree, wanted, needed)


def _need_of_tree(tree: Any, wanted: Mapping[str, str], needed: dict[str, dict[str, str]]) -> None:
    for scope in traverse_scope(tree):
        tables = {alias.lower(): source for alias, source in scope.sources.items() if isinstance(source, exp.Table)}
        made = {select.alias_or_name.lower() for select in scope.expression.selects}
        for column in scope.columns:
            _need_column(column, tables, scope.sources, needed)
        if any(isinstance(select, exp.Star) or select.is_star for select in scope.expression.selects):
            for name, expression in wanted.items():
                if name not in made:
                    _add(needed, next(iter(tables.values()), None), name, expression)


def _need_column(
    column: exp.Column, tables: Mapping[str, exp.Table], sources: Iterable[str], needed: dict[str, dict[str, str]]
) -> None:
    if isinstance(column.this, exp.Star):
        return
    parts = [part.name for part in column.parts]
    if len(parts) > 1 and parts[0].lower() in {source.lower() for source in sources}:
        _add(needed, tables.get(parts[0].lower()), parts[1], _guess(column, parts[1:]))
    elif tables:
        _add(needed, next(iter(tables.values())), parts[0], _guess(column, parts))


def _add(needed: dict[str, dict[str, str]], table: exp.Table | None, name: str, expression: str) -> None:
    if table is not None:
        needed.setdefault(table.name.lower(), {}).setdefault(name.lower(), expression)


def _guess(column: exp.Column, parts: list[str]) -> str:
    if len(parts) > 1:
        return f"named_struct('{parts[1]}', {_expression(parts[1])})"
    if isinstance(column.parent, (exp.Explode, exp.Posexplode)):
        return "array('1', '2')"
    if isinstance(column.parent, _NUMERIC):
        return "CAST(id AS DOUBLE)"
    return _expression(parts[0])


def _expression(name: str) -> str:
    if _MOMENT.search(name):
        return "CAST(concat('2024-01-0', CAST(id + 1 AS STRING), ' 10:00:00') AS TIMESTAMP)"
    return "CAST(id AS BIGINT)" if _NUMBER.search(name) else "CAST(id AS STRING)"

"""Statements that a job gives instead of a table (`JDBCQuery`): run once for each row, with a `?` for each column.

Jobs use them for what a save mode cannot say, such as `INSERT … ON CONFLICT DO UPDATE`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import DepotUnsupported, SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.stores import Store

# What a question mark stands in that is no value: texts, names and comments, as each database writes them. Sources:
# PostgreSQL, Lexical Structure (a comment may hold others; here one level of them, and beyond that the count of
# values is wrong, which is refused before anything is written); MySQL Reference Manual, String Literals, Comments.
POSTGRESQL = re.compile(
    r"""
      (?<![\w$]) [eE] '(?: [^'\\] | \\. | '' )*'
    | '(?: [^'] | '' )*'
    | "(?: [^"] | "" )*"
    | (?<![\w$]) \$ (?P<tag> (?: [^\W\d]\w* )? ) \$ .*? \$(?P=tag)\$
    | -- [^\n]*
    | /\* (?: (?!/\*|\*/). | /\* .*? \*/ )* \*/
    | \?\?  # JDBC's way to write the operator
    | \?
    """,
    re.DOTALL | re.VERBOSE,
)
MYSQL = re.compile(
    r"""
      '(?: [^'\\] | \\. | '' )*'
    | "(?: [^"\\] | \\. | "" )*"
    | `(?: [^`] | `` )*`
    | -- (?=\s|\Z) [^\n]*
    | [#] [^\n]*
    | /\* (?!!) .*? \*/  # what stands in /*! … */ is run
    | \?
    """,
    re.DOTALL | re.VERBOSE,
)


@runtime_checkable
class StatementStore(Protocol):
    """A store that runs statements."""

    @property
    def runs_statements(self) -> bool:
        """Return whether it runs a statement for each row, all in one transaction."""


class Numbered(NamedTuple):
    """A statement as a driver takes it, and how many values it needs."""

    sql: str
    values: int


def refuse_statement(request: WriteRequest, store: Store) -> None:
    """Check that a store runs the statement of a request, if it has one.

    Raises:
        DepotUnsupported: It does not.
    """
    if request.statement is not None and not (isinstance(store, StatementStore) and store.runs_statements):
        raise DepotUnsupported(
            f"{request.target}: a statement for each row is run by PostgreSQL and MySQL only",
            hint="use saveMode append or overwrite, or merge into an Iceberg table",
            location=request.location,
        )


def with_placeholders(statement: str, tokens: re.Pattern[str], placeholder: Callable[[int], str]) -> Numbered:
    """Return a statement with a driver's own placeholders.

    Args:
        statement: With `?` for each value.
        tokens: `POSTGRESQL` or `MYSQL`.
        placeholder: Returns what stands for the value of a number, from 1 on.
    """
    count = 0

    def replaced(token: re.Match[str]) -> str:
        nonlocal count
        if token[0] == "??":
            return "?"
        if token[0] != "?":
            return token[0]
        count += 1
        return placeholder(count)

    sql = tokens.sub(replaced, statement.strip().rstrip(";"))
    return Numbered(sql, count)


def check_values(frame: DataFrame, statement: Numbered, request: WriteRequest) -> None:
    """Check that a frame has a column for each value.

    Raises:
        SchemaMismatch: It has more or fewer.
    """
    if len(frame.columns) != statement.values:
        raise SchemaMismatch(
            f"{request.target}: the statement has {statement.values} `?`, and the view {len(frame.columns)} columns: "
            f"{', '.join(frame.columns)}",
            hint="write a `?` for each column, in the order of the columns",
            location=request.location,
        )


def with_json(frame: DataFrame, *, arrays: bool) -> DataFrame:
    """Return a frame whose maps and structs, and where wanted arrays, are JSON texts."""
    from pyspark.sql import functions
    from pyspark.sql.types import ArrayType, MapType, StructType

    kinds = (MapType, StructType, ArrayType) if arrays else (MapType, StructType)
    if not any(isinstance(field.dataType, kinds) for field in frame.schema.fields):
        return frame
    return frame.select(
        *(
            functions.to_json(frame[quoted(field.name)]).alias(field.name)
            if isinstance(field.dataType, kinds)
            else frame[quoted(field.name)]
            for field in frame.schema.fields
        )
    )

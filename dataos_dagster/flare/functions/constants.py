"""Functions that put constants and expressions into columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.aggregates import filters_in_window, over_all_rows
from dataos_dagster.flare.functions.computing import ColumnName, Computing, set_in_place
from dataos_dagster.flare.functions.function import EngineUnsuited, FunctionError, find_column, require_column
from dataos_dagster.flare.sql import columns_in_expression, parse_expression
from dataos_dagster.flare.trace import sources_of_expression
from dataos_dagster.flare.type_names import check_type, fits_type
from dataos_dagster.manifests.model import ScalarText, TextMap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column, DataFrame

    from dataos_dagster.flare.functions.rows import Rows
    from dataos_dagster.flare.trace import Trace

# Those that the Flare reference lists, and decimal with its precision.
_CONSTANT_TYPES = (
    "string",
    "boolean",
    "byte",
    "short",
    "int",
    "long",
    "float",
    "double",
    "decimal",
    "date",
    "timestamp",
)


def _constant_type(text: str) -> str:
    word = text.strip().lower()
    if word not in _CONSTANT_TYPES and not word.startswith("decimal("):
        raise ValueError(f"{text!r} is no type of a constant; types: {', '.join(_CONSTANT_TYPES)}, decimal(p,s)")
    return check_type(word)


# Of what Spark's cast makes values (Spark SQL reference, Cast): of every other text it makes null, in all rows alike.
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[df]?|nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_BOOLEAN = re.compile(r"true|t|yes|y|1|false|f|no|n|0", re.IGNORECASE)
_WITH_DIGITS = re.compile(r".*\d.*", re.DOTALL | re.ASCII)
_READ_AS = {"boolean": _BOOLEAN, "string": re.compile(".*", re.DOTALL), "date": _WITH_DIGITS, "timestamp": _WITH_DIGITS}
# Whoever writes these asks for a column of nulls.
_NULLS = frozenset({"", "null"})


def _type_of_value(type_name: str, info: ValidationInfo) -> str:
    value = str(info.data.get("value", "")).strip()
    if value.lower() not in _NULLS and not _READ_AS.get(type_name, _NUMBER).fullmatch(value):
        raise ValueError(f"{value!r} is no {type_name}, and every row would hold null; write the type of the value")
    return type_name


def _variable(text: str) -> str:
    parse_expression(text)
    if filters_in_window(over_all_rows(text)):
        raise ValueError("an aggregate over all rows has no FILTER in Spark; write COUNT(CASE WHEN … THEN 1 END)")
    return text


class AddColumn(Computing):
    """Add a column with one value in every row."""

    name: ClassVar[str] = "add_column"

    column: Annotated[ColumnName, Field(description="The column that gets the value.")]
    value: Annotated[ScalarText, Field(description="The value.")]
    type: Annotated[
        str,
        AfterValidator(_constant_type),
        AfterValidator(_type_of_value),
        Field(description="Its type, such as int or date."),
    ]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.column: ()}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the constant."""
        return {self.column: rows.expression(rows.constant(self.value, self.type))}


class SetColumn(Computing):
    """Set a column to a text, the same in every row; it is added where it is absent."""

    name: ClassVar[str] = "set_column"

    column: Annotated[ColumnName, Field(description="The column that gets the value.")]
    value: Annotated[ScalarText, Field(description="The value.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.column: ()}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the constant."""
        return {self.column: rows.expression(rows.constant(self.value, "string"))}


class GenerateUuid(Computing):
    """Add a column with a random UUID in every row: another one whenever the rows are evaluated again."""

    name: ClassVar[str] = "generate_uuid"

    as_column: Annotated[ColumnName, Field(description="The column that gets the UUID.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.as_column: ()}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the UUIDs."""
        return {self.as_column: rows.expression("uuid()")}


class FillNullOrEmpty(Computing):
    """Replace nulls and empty texts by a value, which must fit the column's type."""

    name: ClassVar[str] = "fill_null_or_empty"

    columns: Annotated[TextMap, Field(min_length=1, description="Column to the value that fills it.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {column: (column,) for column in self.columns}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the filled columns."""
        names = {require_column(name, rows.columns, self.name): value for name, value in self.columns.items()}
        return {name: rows.expression(self._filled(name, value, rows)) for name, value in names.items()}

    def _filled(self, name: str, value: str, rows: Rows) -> str:
        found = rows.type_of(name)
        if not fits_type(value, found):
            raise FunctionError(
                f"{self.name}: {value!r} is no value of column {name!r}, which is of type {found}",
                hint="write a value of that type, or cast the column to string with set_type first",
            )
        column = quoted(name)
        empty = f" OR {column} = ''" if found == "string" else ""
        return f"CASE WHEN {column} IS NULL{empty} THEN {rows.constant(value, found)} ELSE {column} END"


class SetVariable(Computing):
    """Set a column to an expression of Spark SQL; an aggregate such as `AVG(x)` is taken over all rows."""

    name: ClassVar[str] = "set_variable"

    column: Annotated[ColumnName, Field(description="The column that gets the value.")]
    expression: Annotated[
        str, AfterValidator(_variable), Field(description="Spark SQL expression, such as ROUND(x, 0).")
    ]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.column: columns_in_expression(self.expression)}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the expression's values."""
        return {self.column: rows.expression(over_all_rows(self.expression))}

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - names say it all here
        """Return the columns' sources with those of the expression."""
        return set_in_place(columns, self.column, sources_of_expression(self.expression, columns))

    @property
    def statements(self) -> tuple[str, ...]:
        """Return the query that does the same."""
        return (f"SELECT *, {over_all_rows(self.expression)} AS {quoted(self.column)}",)


class IncrementVariable(Computing):
    """Add one to a number of the same row; the column begins at 1 where it is absent."""

    name: ClassVar[str] = "increment_variable"

    column: Annotated[ColumnName, Field(description="The column that is counted up.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; none must be there."""
        return {self.column: ()}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the next number."""
        name = find_column(self.column, rows.columns)
        if name is None:
            return {self.column: rows.expression("CAST(1 AS int)")}
        found = rows.require_type(name, "a number", lambda type_name: type_name.startswith(_NUMBERS))
        if rows.engine == "sail" and found.startswith("decimal(38,"):
            raise EngineUnsuited(
                f"{self.name}: Sail is not known to add to {found} as Spark does (column {name!r})",
                hint="run the job on Spark, or cast the column to fewer digits with set_type first",
            )
        one = f"CAST(1 AS {found})"
        # Small integers grow into int, as Spark's addition has it.
        return {name: rows.expression(_SUMS.get(found, "{column} + {one}").format(column=quoted(name), one=one))}

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - names say it all here
        """Return the sources as they are: a number that is counted up comes from itself."""
        return columns if find_column(self.column, tuple(columns)) else {**columns, self.column: ()}


_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_SUMS = dict.fromkeys(("tinyint", "smallint"), "CAST({column} AS int) + CAST(1 AS int)")

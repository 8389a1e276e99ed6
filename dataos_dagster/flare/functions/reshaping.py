"""Functions that change what a row is: nested values spread out, columns turned into rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.functions.computing import ColumnName, Computing
from dataos_dagster.flare.functions.function import (
    ColumnNames,
    Function,
    FunctionError,
    reject_collisions,
    require_column,
)
from dataos_dagster.flare.functions.rows import Rows, text_literal
from dataos_dagster.flare.sql import parse_expression, spread_column
from dataos_dagster.flare.trace import merged, sources_of_expression
from dataos_dagster.manifests.model import ScalarText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName

ALL = "*"


def _star(value: object) -> object:
    return ALL if value == [ALL] else value


# Either names, or a star (alone or as the single item) for all that are not in the other list.
_NamesOrAll = Annotated[Literal["*"] | ColumnNames, BeforeValidator(_star)]


class Unfurl(Function):
    """Add columns from an expression: `payload.*` spreads a struct, `explode(items) as item` multiplies rows."""

    name: ClassVar[str] = "unfurl"

    expression: Annotated[
        str, AfterValidator(parse_expression), Field(description="Spark SQL expression, or `struct.*`.")
    ]

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:
        """Return the reshaped frame."""
        if (column := spread_column(self.expression)) is not None:
            rows = Rows(frame, engine, self.name)
            rows.require_type(column, "a struct", lambda type_name: type_name.startswith("struct<"))
        return frame.selectExpr("*", self.expression)

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:
        """Return the sources of old and new columns."""
        result = frame.columns
        return {**columns, **dict.fromkeys(result[len(columns) :], sources_of_expression(self.expression, columns))}

    @property
    def statements(self) -> tuple[str, ...]:
        """Return the query that does the same."""
        return (f"SELECT *, {self.expression}",)


class Flatten(Computing):
    """Make a row for each element of an array; rows whose array is null or empty disappear."""

    name: ClassVar[str] = "flatten"
    generator: ClassVar[str] = "EXPLODE"

    column: Annotated[ColumnName, Field(description="The array, which is kept.")]
    as_column: Annotated[ColumnName, Field(description="The column that gets the elements.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.as_column: (self.column,)}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the elements."""
        rows.require_type(self.column, "an array", lambda type_name: type_name.startswith("array<"))
        return {self.as_column: rows.expression(f"{self.generator}({rows.sql(self.column)})")}


class FlattenOuter(Flatten):
    """Make a row for each element of an array, and one with null for an array that is null or empty."""

    name: ClassVar[str] = "flatten_outer"
    generator: ClassVar[str] = "EXPLODE_OUTER"


class DropDuplicates(Function):
    """Keep one row for each combination of values; which one is not defined."""

    name: ClassVar[str] = "drop_duplicates"

    columns: Annotated[ColumnNames, Field(description="Columns whose values make a row a duplicate.")]

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:
        """Return the frame without duplicates."""
        rows = Rows(frame, engine, self.name)
        for name in self.columns:
            rows.require_type(
                name, "other than a map, which equals no other", lambda type_name: "map<" not in type_name
            )
        return frame.dropDuplicates([require_column(name, rows.columns, self.name) for name in self.columns])

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - rows go, columns stay
        """Return the sources as they are."""
        return columns


class Unpivot(Function):
    """Turn columns into rows of key and value, beside the identifier columns that every row keeps."""

    name: ClassVar[str] = "unpivot"

    columns: Annotated[_NamesOrAll, Field(description="Columns that become rows; * for all others.")]
    pivot_columns: Annotated[_NamesOrAll, Field(description="Columns kept on every row; * for all others.")]
    key_column_name: Annotated[ScalarText, Field(min_length=1, description="The new column of the names.")]
    value_column_name: Annotated[ScalarText, Field(min_length=1, description="The new column of the values.")]

    @model_validator(mode="after")
    def _one_star(self) -> Self:
        if self.columns == ALL and self.pivot_columns == ALL:
            raise ValueError("* stands for the columns of neither list, so it can be in one of the two only")
        return self

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:  # noqa: ARG002 - the same on every engine
        """Return the reshaped frame."""
        identifiers, melted = self._split(frame.columns)
        self._check_types(frame, melted)
        new = (("keyColumnName", self.key_column_name), ("valueColumnName", self.value_column_name))
        reject_collisions((*((column, column) for column in identifiers), *new), self.name)
        # `DataFrame.unpivot` ends Sail's connection when one of the columns may be null and another may not.
        pairs = ", ".join(f"{text_literal(column)}, {quoted(column)}" for column in melted)
        names = f"({quoted(self.key_column_name)}, {quoted(self.value_column_name)})"
        return frame.selectExpr(
            *(quoted(column) for column in identifiers), f"stack({len(melted)}, {pairs}) AS {names}"
        )

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - names say it all here
        """Return the sources of old and new columns."""
        identifiers, melted = self._split(tuple(columns))
        values = merged(columns[column] for column in melted)
        kept = {column: columns[column] for column in identifiers}
        return {**kept, self.key_column_name: (), self.value_column_name: values}

    def _split(self, columns: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return identifier columns and melted columns as the frame spells them."""
        if self.columns == ALL:
            identifiers = self._found(self.pivot_columns, columns)
            return identifiers, [column for column in columns if column not in identifiers]
        melted = self._found(self.columns, columns)
        if self.pivot_columns == ALL:
            return [column for column in columns if column not in melted], melted
        return self._found(self.pivot_columns, columns), melted

    def _found(self, names: Sequence[str], columns: Sequence[str]) -> list[str]:
        return [require_column(name, columns, self.name) for name in names]

    def _check_types(self, frame: DataFrame, melted: Sequence[str]) -> None:
        # Engines would look for a common type, each its own; the reference asks for one type.
        types = {field.name: field.dataType.simpleString() for field in frame.schema.fields if field.name in melted}
        if not melted:
            raise FunctionError(f"{self.name}: no column is left to turn into rows", hint="name some in `columns`")
        if len(set(types.values())) > 1:
            listed = ", ".join(f"{column} {type_name}" for column, type_name in types.items())
            raise FunctionError(
                f"{self.name}: columns that become one must share a type: {listed}",
                hint="cast them with set_type first",
            )

"""Functions that keep, remove and copy columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.functions.computing import ColumnName, Computing
from dataos_dagster.flare.functions.function import ColumnNames, Function, find_column, require_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from dataos_dagster.flare.functions.rows import Rows
    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName


class Drop(Function):
    """Remove columns; those that are not there are no error, since manifests drop what may be absent."""

    name: ClassVar[str] = "drop"

    columns: Annotated[ColumnNames, Field(description="Columns to remove.")]

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:  # noqa: ARG002 - the same on every engine
        """Return the frame with these columns."""
        gone = self._present(frame.columns)
        return frame.drop(*gone) if gone else frame

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - names say it all here
        """Return the columns' sources under their new names."""
        gone = set(self._present(tuple(columns)))
        return {column: sources for column, sources in columns.items() if column not in gone}

    def _present(self, columns: Sequence[str]) -> list[str]:
        found = (find_column(column, columns) for column in self.columns)
        return list(dict.fromkeys(column for column in found if column is not None))


class Select(Function):
    """Keep only some columns, in the order in which they are listed."""

    name: ClassVar[str] = "select"

    columns: Annotated[ColumnNames, Field(description="Columns to keep.")]

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:  # noqa: ARG002 - the same on every engine
        """Return the frame with these columns."""
        return frame.select(*(quoted(column) for column in self._found(frame.columns)))

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - names say it all here
        """Return the sources of the columns that are kept."""
        return {column: columns[column] for column in self._found(tuple(columns))}

    def _found(self, columns: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(require_column(name, columns, self.name) for name in self.columns))


class Copy(Computing):
    """Copy the values of a column into another, which is replaced if it is there."""

    name: ClassVar[str] = "copy"

    from_column: Annotated[ColumnName, Field(description="The column that is copied.")]
    to_column: Annotated[ColumnName, Field(description="The column that gets the copy.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.to_column: (self.from_column,)}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the copy."""
        return {self.to_column: rows.expression(rows.sql(self.from_column))}

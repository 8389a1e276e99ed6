"""What functions share that compute columns of a row from other columns of that row, and leave the rest alone."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from dataos_dagster.flare.functions.function import Function, find_column, require_column
from dataos_dagster.flare.functions.rows import Rows
from dataos_dagster.flare.trace import merged
from dataos_dagster.manifests.model import ScalarText

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from dataos_dagster.flare.trace import Sources, Trace
    from dataos_dagster.settings import EngineName

ColumnName = Annotated[ScalarText, Field(min_length=1)]


class Computing(Function):
    """A function that sets columns: one that is there gets other values, one that is not is added at the end."""

    @abstractmethod
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""

    @abstractmethod
    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the new values of each column that is set, in the same order.

        Raises:
            FunctionError: The parameters do not fit the columns.
            EngineUnsuited: This engine would give another result than Spark.
        """

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:
        """Return the frame with these columns."""
        for needed in self.reads().values():
            for name in needed:
                require_column(name, frame.columns, self.name)
        values = self.compute(Rows(frame, engine, self.name))
        respelt = _respelt(frame.columns, values)
        if respelt:
            frame = frame.toDF(*(respelt.get(column, column) for column in frame.columns))
            values = self.compute(Rows(frame, engine, self.name))
        return frame.withColumns(dict(values))

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - names say it all here
        """Return the columns' sources with those of the columns that are set."""
        before, names = dict(columns), tuple(columns)
        after = dict(columns)
        for target, needed in self.reads().items():
            sources = merged(before[require_column(name, names, self.name)] for name in needed)
            after = set_in_place(after, target, sources)
        return after


class ComputingOne(Computing):
    """A function of one column, whose result replaces it or is named by `asColumn`."""

    column: Annotated[ColumnName, Field(description="The column that is read.")]
    as_column: Annotated[
        ColumnName | None, Field(description="The column that gets the result; default the one that is read.")
    ] = None

    @property
    def target(self) -> str:
        """Return the column that gets the result."""
        return self.as_column or self.column

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.target: (self.column,)}

    @abstractmethod
    def value(self, rows: Rows) -> Column:
        """Return the new values; raises what `compute` raises."""

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the new values of the one column."""
        target = self.as_column or require_column(self.column, rows.columns, self.name)
        return {target: self.value(rows)}


class ComputingInPlace(Computing):
    """A function of one column that always replaces it."""

    column: Annotated[ColumnName, Field(description="The column that is changed.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.column: (self.column,)}

    @abstractmethod
    def value(self, rows: Rows) -> Column:
        """Return the new values; raises what `compute` raises."""

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the new values of the one column."""
        return {require_column(self.column, rows.columns, self.name): self.value(rows)}


def _respelt(columns: Sequence[str], targets: Iterable[str]) -> dict[str, str]:
    """Return columns to another spelling that they are set under, where Sail would add a second one: `käse`, `KÄSE`."""
    found = {target: find_column(target, columns) for target in targets if not target.isascii()}
    return {column: target for target, column in found.items() if column is not None and column != target}


def set_in_place(columns: Trace, target: str, sources: Sources) -> dict[str, Sources]:
    """Return a trace with the sources of one column set, as `withColumns` sets a column: ignoring case."""
    found = find_column(target, tuple(columns))
    if found is None:
        return {**columns, target: sources}
    return {(target if name == found else name): (sources if name == found else old) for name, old in columns.items()}

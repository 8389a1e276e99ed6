"""Turning rows into columns.

Engines' own pivots differ in what they name the columns and in which aggregates they take. Here it is two plain
queries, the same on every engine and equal to Spark's pivot: an aggregation by group and pivoted value, then one
column for each value, null where a group has no such row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.aggregates import aggregate_in, has_aggregate
from dataos_dagster.flare.functions.computing import ColumnName
from dataos_dagster.flare.functions.function import (
    ColumnNames,
    Function,
    FunctionError,
    reject_collisions,
    require_column,
)
from dataos_dagster.flare.functions.rows import Rows, text_literal
from dataos_dagster.flare.sql import columns_in_expression, parse_expression
from dataos_dagster.flare.trace import merged, sources_by_name
from dataos_dagster.manifests.model import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName

# Spark's own bound (spark.sql.pivotMaxValues): more columns than this are a mistake.
MAX_VALUES = 10_000
_VALUE, _RESULT = "__pivot_value", "__pivot_result"


def _aggregate(text: str) -> str:
    parse_expression(text)
    if not has_aggregate(text):
        raise ValueError(f"{text!r} aggregates nothing; write for example sum(amount) as amount")
    return text


class Pivot(Function):
    """Turn the values of a column into columns, each with an aggregate of its rows, one row a group.

    Without `values` the distinct values are looked up when the step is made, which reads the data once more.
    """

    name: ClassVar[str] = "pivot"

    group_by: Annotated[ColumnNames, Field(description="Columns of a group; the pivoted one may be among them.")]
    column: Annotated[ColumnName, Field(description="The column whose values become columns.")]
    aggregate_expression: Annotated[
        str, AfterValidator(_aggregate), Field(description="Such as sum(amount) as amount.")
    ]
    values: Annotated[
        ColumnNames | None, Field(description="Values that become columns, in order; default all that occur, sorted.")
    ] = None
    approach: Annotated[
        Literal["two-phase"] | None,
        BeforeValidator(folded),
        Field(description="two-phase; the result is the same without it."),
    ] = None

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:
        """Return the reshaped frame."""
        rows = Rows(frame, engine, self.name)
        groups = [require_column(name, rows.columns, self.name) for name in self.group_by]
        pivoted = rows.text_sql(self.column)
        values = self.values if self.values is not None else self._occurring(rows, pivoted)
        new = ((f"values[{number}]", value) for number, value in enumerate(values))
        reject_collisions((*((name, name) for name in groups), *new), self.name)
        keys = [quoted(name) for name in groups]
        # Grouped by what is selected: the value as a text, which is the column's name.
        narrowed = frame.selectExpr("*", f"COALESCE({pivoted}, 'null') AS {_VALUE}")
        aggregated = self._aggregated(narrowed, keys)
        columns = [
            self._expression(f"FIRST(CASE WHEN {_VALUE} = {text_literal(value)} THEN {_RESULT} END, true)").alias(value)
            for value in values
        ]
        return aggregated.groupBy(*keys).agg(*columns) if columns else aggregated.select(*keys).distinct()

    def _aggregated(self, frame: DataFrame, keys: Sequence[str]) -> DataFrame:
        aggregate = self._expression(aggregate_in(self.aggregate_expression)).alias(_RESULT)
        return frame.groupBy(*keys, _VALUE).agg(aggregate)

    def _occurring(self, rows: Rows, pivoted: str) -> tuple[str, ...]:
        """Return the names of all values, in the order of the values themselves; null comes first, as in Spark."""
        column = rows.sql(self.column)
        listed = rows.frame.selectExpr(f"{column} AS v", f"COALESCE({pivoted}, 'null') AS name").distinct()
        found = listed.orderBy("v").limit(MAX_VALUES + 1).collect()
        if len(found) > MAX_VALUES:
            raise FunctionError(
                f"{self.name}: column {self.column!r} has more than {MAX_VALUES} values",
                hint="list in `values` those that are to be columns",
            )
        return tuple(row["name"] for row in found)

    @staticmethod
    def _expression(sql: str) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        return F.expr(sql)

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:
        """Return the sources of groups, and for each new column those of the pivoted and the aggregated ones."""
        names = tuple(columns)
        groups = [require_column(name, names, self.name) for name in self.group_by]
        by_name = sources_by_name(columns)
        used = (self.column, *columns_in_expression(self.aggregate_expression))
        sources = merged(by_name.get(name.lower()) for name in used)
        return {**{name: columns[name] for name in groups}, **dict.fromkeys(frame.columns[len(groups) :], sources)}

    @property
    def statements(self) -> tuple[str, ...]:
        """Return a query with the same aggregate."""
        return (f"SELECT {aggregate_in(self.aggregate_expression)}",)

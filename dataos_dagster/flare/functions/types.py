"""Functions on the types of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from dataos_dagster.flare.functions.casting import sail_cast
from dataos_dagster.flare.functions.function import EngineUnsuited, Function, quoted, require_column
from dataos_dagster.flare.type_names import check_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName

TypeName = Annotated[str, AfterValidator(check_type)]


class SetType(Function):
    """Cast columns in place; what cannot be cast becomes null, as ANSI mode is off."""

    name: ClassVar[str] = "set_type"

    columns: Annotated[
        dict[str, TypeName], Field(min_length=1, description="Column to Spark type, such as decimal(10,2).")
    ]

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:
        """Return the frame with its columns cast."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        types = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
        casts = {
            column: self._cast(column, types[column], target, engine)
            for column, target in self._targets(list(types)).items()
        }
        return frame.withColumns({column: F.expr(expression) for column, expression in casts.items()})

    def _targets(self, columns: Sequence[str]) -> dict[str, str]:
        return {require_column(name, columns, self.name): target for name, target in self.columns.items()}

    def _cast(self, column: str, source: str, target: str, engine: EngineName) -> str:
        if engine != "sail":
            return f"CAST({quoted(column)} AS {target})"
        expression = sail_cast(quoted(column), source, target)
        if expression is None:
            raise EngineUnsuited(
                f"{self.name}: Sail is not known to cast {source} to {target} as Spark does (column {column!r})",
                hint="run the job on Spark: `--engine spark`, or `engines.jobs` in dataos.yaml",
            )
        return expression

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - casting changes no source
        """Return the sources as they are."""
        return columns

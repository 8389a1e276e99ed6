"""Functions on the types of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from dataos_dagster.flare.functions.function import Function, quoted, require_column
from dataos_dagster.flare.type_names import check_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dataos_dagster.flare.trace import Trace

TypeName = Annotated[str, AfterValidator(check_type)]


class SetType(Function):
    """Cast columns in place; what cannot be cast becomes null, as ANSI mode is off."""

    name: ClassVar[str] = "set_type"

    columns: Annotated[
        dict[str, TypeName], Field(min_length=1, description="Column to Spark type, such as decimal(10,2).")
    ]

    def apply(self, frame: DataFrame) -> DataFrame:
        """Return the frame with its columns cast."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        existing = frame.columns
        casts = {require_column(column, existing, self.name): type_name for column, type_name in self.columns.items()}
        return frame.withColumns({column: F.col(quoted(column)).cast(name) for column, name in casts.items()})

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - casting changes no source
        """Return the sources as they are."""
        return columns

    @property
    def statements(self) -> tuple[str, ...]:
        """Return the casts as SQL."""
        casts = ", ".join(f"CAST({quoted(column)} AS {name})" for column, name in self.columns.items())
        return (f"SELECT {casts}",)

"""Functions on the types of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from dataos_dagster.flare.functions.computing import Computing
from dataos_dagster.flare.functions.function import require_column
from dataos_dagster.flare.type_names import check_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from dataos_dagster.flare.functions.rows import Rows

TypeName = Annotated[str, AfterValidator(check_type)]


class SetType(Computing):
    """Cast columns in place; what cannot be cast becomes null, as ANSI mode is off."""

    name: ClassVar[str] = "set_type"

    columns: Annotated[
        dict[str, TypeName], Field(min_length=1, description="Column to Spark type, such as decimal(10,2).")
    ]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {column: (column,) for column in self.columns}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the cast columns."""
        targets = {require_column(name, rows.columns, self.name): target for name, target in self.columns.items()}
        return {column: rows.expression(rows.sql(column, target)) for column, target in targets.items()}

"""The rows that a function is applied to: their columns, and expressions over them that engines agree on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.functions.casting import sail_cast
from dataos_dagster.flare.functions.function import EngineUnsuited, FunctionError, require_column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from dataos_dagster.settings import EngineName


def text_literal(text: str) -> str:
    """Return a text as a literal of Spark SQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@dataclass(frozen=True)
class Rows:
    """A frame, on its engine, as one function sees it.

    Attributes:
        frame: The rows.
        engine: What evaluates them.
        function: The function's name, for messages.
    """

    frame: DataFrame
    engine: EngineName
    function: str

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Return the type of each column, as Spark's simple string."""
        return {field.name: field.dataType.simpleString() for field in self.frame.schema.fields}

    @property
    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in order."""
        found: Sequence[str] = self.frame.columns
        return found

    def type_of(self, name: str) -> str:
        """Return the type of a column, whatever the case of its name.

        Raises:
            FunctionError: There is no such column.
        """
        return self.types[require_column(name, self.columns, self.function)]

    def sql(self, name: str, target: str | None = None) -> str:
        """Return a column as SQL, cast to a type as Spark casts with ANSI mode off.

        Args:
            name: Of the column, in any case.
            target: Type as Spark's simple string; None leaves the column as it is.

        Raises:
            FunctionError: There is no such column.
            EngineUnsuited: Sail is not known to cast as Spark does.
        """
        column = require_column(name, self.columns, self.function)
        source = self.types[column]
        if target is None or source == target:
            return quoted(column)
        if self.engine != "sail":
            return f"CAST({quoted(column)} AS {target})"
        expression = sail_cast(quoted(column), source, target)
        if expression is None:
            raise EngineUnsuited(
                f"{self.function}: Sail is not known to cast {source} to {target} as Spark does (column {column!r})",
                hint="run the job on Spark: `--engine spark`, or `engines.jobs` in dataos.yaml",
            )
        return expression

    def text_sql(self, name: str) -> str:
        """Return a column as SQL of type string; lists and structs are no text.

        Raises:
            FunctionError: There is no such column, or its values are made of several.
            EngineUnsuited: Sail is not known to write its type as Spark does.
        """
        self.require_type(name, "text", lambda type_name: "<" not in type_name)
        return self.sql(name, "string")

    def text(self, name: str) -> Column:
        """Return a column as text; raises what `text_sql` raises."""
        return self.expression(self.text_sql(name))

    def expression(self, sql: str) -> Column:
        """Return an expression of SQL as a column."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        return F.expr(sql)

    def constant(self, text: str, target: str) -> str:
        """Return a text as a constant of a type, as SQL; null when it does not fit.

        Raises:
            EngineUnsuited: Sail is not known to cast text to the type as Spark does.
        """
        literal = text_literal(text)
        if target == "string":
            return literal
        if self.engine != "sail":
            return f"CAST({literal} AS {target})"
        expression = sail_cast(literal, "string", target)
        if expression is None:
            raise EngineUnsuited(
                f"{self.function}: Sail is not known to cast text to {target} as Spark does",
                hint="run the job on Spark: `--engine spark`, or `engines.jobs` in dataos.yaml",
            )
        return expression

    def require_type(self, name: str, wanted: str, accepted: Callable[[str], bool]) -> str:
        """Return the type of a column after checking it.

        Args:
            name: Of the column, in any case.
            wanted: What the type has to be, in words.
            accepted: Says whether a type is.

        Raises:
            FunctionError: There is no such column, or its type is another.
        """
        found = self.type_of(name)
        if not accepted(found):
            raise FunctionError(
                f"{self.function}: column {name!r} is of type {found}, and has to be {wanted}",
                hint="cast it with set_type first",
                word=name,
            )
        return found

"""Functions on the names of columns."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from dataos_dagster.flare.functions.function import (
    Function,
    FunctionError,
    rename_columns,
    require_column,
)
from dataos_dagster.flare.functions.sed import Substitution
from dataos_dagster.manifests.model import AnyCase, ScalarText, TextMap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName

# `HTTPServer` is `http_server`: an upper-case run ends before a capitalised word.
_RUN_BEFORE_WORD = re.compile(r"([A-Z]+)([A-Z][a-z])")
_WORD_BOUNDARY = re.compile(r"([a-z0-9])([A-Z])")
_NOT_A_NAME = re.compile(r"[^a-z0-9_]")


def snake_case(name: str) -> str:
    """Return a column name trimmed, with its capitals as words: `AnnualIncome` is `annual_income`."""
    spaced = _RUN_BEFORE_WORD.sub(r"\1_\2", name.strip())
    return _WORD_BOUNDARY.sub(r"\1_\2", spaced).lower()


def cleanse(name: str) -> str:
    """Return a column name trimmed, in snake_case, with `_` for everything but letters, digits and `_`.

    `AnnualIncome` is `annual_income`, `customerID` is `customer_id`, `MEMBERID` is `memberid`.
    """
    return _NOT_A_NAME.sub("_", snake_case(name))


class _Renaming(Function):
    """A function that only gives columns other names."""

    @abstractmethod
    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:  # noqa: ARG002 - the same on every engine
        """Return the frame with these columns."""
        columns = frame.columns
        new = self.new_names(columns)
        return frame if new == tuple(columns) else rename_columns(frame, new, self.name)

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:  # noqa: ARG002 - names say it all here
        """Return the columns' sources under their new names."""
        names = tuple(columns)
        return dict(zip(self.new_names(names), columns.values(), strict=True))


class CleanseColumnNames(_Renaming):
    """Clean all column names: trim, split camelCase, lower-case, `_` for other characters."""

    name: ClassVar[str] = "cleanse_column_names"

    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""
        return tuple(cleanse(column) for column in columns)


class SnakeCase(_Renaming):
    """Write all column names in snake_case; other characters than letters stay."""

    name: ClassVar[str] = "snake_case"

    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""
        return tuple(snake_case(column) for column in columns)


class ColumnsReplace(_Renaming):
    """Substitute in all column names, as `sed` does: `s/^stay/stayed/g`."""

    name: ClassVar[str] = "columns_replace"

    sed_expression: Annotated[
        Substitution,
        BeforeValidator(lambda text: Substitution.parse(text) if isinstance(text, str) else text),
        Field(description="s/regex/replacement/ with the flags g (all matches) and i (ignore case)."),
    ]

    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""
        new = tuple(self.sed_expression.applied(column) for column in columns)
        if "" in new:
            raise FunctionError(
                f"{self.name}: nothing would be left of the name {columns[new.index('')]!r}",
                hint="match less of it",
            )
        return new


class ChangeColumnCase(_Renaming):
    """Write all column names in lower or upper case."""

    name: ClassVar[str] = "change_column_case"

    case: Annotated[
        Annotated[Literal["lower", "upper"], AnyCase({"lowercase": "lower", "uppercase": "upper"})],
        Field(description="lower or upper."),
    ]

    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""
        return tuple(column.lower() if self.case == "lower" else column.upper() for column in columns)


class Rename(_Renaming):
    """Give one column another name."""

    name: ClassVar[str] = "rename"

    column: Annotated[ScalarText, Field(description="The column as it is.")]
    as_column: Annotated[ScalarText, Field(min_length=1, description="Its new name.")]

    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""
        old = require_column(self.column, columns, self.name)
        return tuple(self.as_column if column == old else column for column in columns)


class RenameAll(_Renaming):
    """Give several columns other names, all at once: two columns can exchange names."""

    name: ClassVar[str] = "rename_all"

    columns: Annotated[TextMap, Field(min_length=1, description="Old name to new name.")]

    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""
        new = {require_column(old, columns, self.name): name for old, name in self.columns.items()}
        return tuple(new.get(column, column) for column in columns)


class Swap(_Renaming):
    """Exchange the names of two columns."""

    name: ClassVar[str] = "swap"

    column_a: Annotated[ScalarText, Field(min_length=1, description="One column.")]
    column_b: Annotated[ScalarText, Field(min_length=1, description="The other column.")]

    def new_names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the new name of each column, in the same order."""
        one, other = (require_column(name, columns, self.name) for name in (self.column_a, self.column_b))
        return tuple({one: other, other: one}.get(column, column) for column in columns)

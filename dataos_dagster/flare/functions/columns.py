"""Functions on columns as a whole: their names, and which there are."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from dataos_dagster.flare.functions.function import (
    ColumnNames,
    Function,
    find_column,
    rename_columns,
    require_column,
)
from dataos_dagster.manifests.model import ScalarText, TextMap, folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName

# `HTTPServer` is `http_server`: an upper-case run ends before a capitalised word.
_RUN_BEFORE_WORD = re.compile(r"([A-Z]+)([A-Z][a-z])")
_WORD_BOUNDARY = re.compile(r"([a-z0-9])([A-Z])")
_NOT_A_NAME = re.compile(r"[^a-z0-9_]")


def cleanse(name: str) -> str:
    """Return a column name trimmed, in snake_case, with `_` for everything but letters, digits and `_`.

    `AnnualIncome` is `annual_income`, `customerID` is `customer_id`, `MEMBERID` is `memberid`.
    """
    spaced = _RUN_BEFORE_WORD.sub(r"\1_\2", name.strip())
    return _NOT_A_NAME.sub("_", _WORD_BOUNDARY.sub(r"\1_\2", spaced).lower())


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


class ChangeColumnCase(_Renaming):
    """Write all column names in lower or upper case."""

    name: ClassVar[str] = "change_column_case"

    case: Annotated[
        Literal["lower", "upper"],
        BeforeValidator(folded),
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

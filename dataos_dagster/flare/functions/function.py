"""What every function is: typed parameters, one change to a frame, and the lineage of that change.

Column names are looked up here, and not by the engine, for two reasons: engines differ in whether they ignore case
(Spark renames `id` when asked for `ID`, Sail does nothing), and an error can then name the columns that there are.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dataos_dagster.errors import JobError
from dataos_dagster.manifests.model import ManifestModel, TextList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyspark.sql import DataFrame

    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName


class FunctionError(JobError):
    """A function does not fit the rows it is given; the step that holds it is named by who catches this.

    Attributes:
        word: The column that is at fault, as the manifest names it; empty where it is no single one.
    """

    def __init__(self, message: str, *, hint: str | None = None, word: str = "") -> None:
        self.word = word
        super().__init__(message, hint=hint)


class EngineUnsuited(JobError):
    """A function met types with which an engine is not known to give Spark's result; nothing was written."""


# A single name is accepted where a list is documented: there is one thing it can mean.
ColumnNames = Annotated[TextList, Field(min_length=1)]


class Function(ManifestModel, ABC):
    """One function with its parameters.

    Parameters are those of the Flare reference; an unknown one is an error.

    Attributes:
        name: The word that manifests use.
        synonyms: Other spellings of parameters that examples of the reference use, to the documented ones.
    """

    name: ClassVar[str]
    synonyms: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:
        """Return the changed frame; nothing is evaluated but its schema.

        Raises:
            FunctionError: The parameters do not fit the frame's columns.
            EngineUnsuited: This engine would give another result than Spark.
        """

    @abstractmethod
    def trace(self, columns: Trace, frame: DataFrame) -> Trace:
        """Return where the columns of the result come from.

        Args:
            columns: Those of the frame that the function was applied to.
            frame: The result of `apply`.
        """

    @property
    def statements(self) -> tuple[str, ...]:
        """Return SQL that stands for what this function makes the engine do, for the choice of the engine."""
        return ()


def find_column(name: str, columns: Sequence[str]) -> str | None:
    """Return the column of that name as the frame spells it, whatever the case; the exact spelling comes first."""
    if name in columns:
        return name
    folded = name.lower()
    return next((column for column in columns if column.lower() == folded), None)


def require_column(name: str, columns: Sequence[str], function: str) -> str:
    """Return the column of that name as the frame spells it.

    Raises:
        FunctionError: There is none; names those that there are.
    """
    found = find_column(name, columns)
    if found is None:
        close = difflib.get_close_matches(name.lower(), [column.lower() for column in columns], n=1)
        near = find_column(close[0], columns) if close else None
        known = ", ".join(columns)
        raise FunctionError(
            f"{function}: there is no column {name!r}",
            hint=f"did you mean {near!r}? columns: {known}" if near else f"columns: {known}",
            word=name,
        )
    return found


def rename_columns(frame: DataFrame, new_names: Sequence[str], function: str) -> DataFrame:
    """Return the frame with its columns named anew, by position.

    Raises:
        FunctionError: Two columns that had different names would have the same, ignoring case.
    """
    reject_collisions(zip(frame.columns, new_names, strict=True), function)
    return frame.toDF(*new_names)


def reject_collisions(names: Iterable[tuple[str, str]], function: str) -> None:
    """Check pairs of (old, new) names.

    Raises:
        FunctionError: Two old names lead to one new name, ignoring case.
    """
    taken: dict[str, str] = {}
    for old, new in names:
        other = taken.setdefault(new.lower(), old)
        if other != old:
            raise FunctionError(
                f"{function}: columns {other!r} and {old!r} would both be named {new!r}",
                hint="rename or drop one of them first",
            )

"""Functions on the text of a column; other types than text are written out first, as a cast to string does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from dataos_dagster.flare.functions.computing import ColumnName, Computing, ComputingInPlace, ComputingOne
from dataos_dagster.flare.functions.function import ColumnNames
from dataos_dagster.flare.functions.rows import text_literal
from dataos_dagster.flare.functions.sed import Substitution
from dataos_dagster.flare.functions.vectorised import vectorised
from dataos_dagster.manifests.model import AnyCase, ScalarText, folded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from dataos_dagster.flare.functions.rows import Rows

# What Java calls whitespace among the ASCII characters.
_WHITESPACE = " \t\n\x0b\f\r"


class ChangeCase(ComputingInPlace):
    """Write the values of a column in lower case, upper case, or with a capital behind each blank."""

    name: ClassVar[str] = "change_case"

    case: Annotated[
        Annotated[
            Literal["lower", "upper", "title"],
            AnyCase({"lowercase": "lower", "uppercase": "upper", "titlecase": "title"}),
        ],
        Field(description="lower, upper or title."),
    ]

    def value(self, rows: Rows) -> Column:
        """Return the values in that case."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        text = rows.text(self.column)
        if self.case != "title":
            return F.lower(text) if self.case == "lower" else F.upper(text)
        if rows.engine != "sail":
            return F.initcap(text)
        from dataos_dagster.flare.functions.kernels.texts import title_case

        # Sail begins a word behind every character that is no letter.
        return vectorised(title_case, "string", text)


class CutCharacter(ComputingOne):
    """Keep the characters between two positions, counted from 1, both included."""

    name: ClassVar[str] = "cut_character"

    start_index: Annotated[int, Field(ge=1, description="Position of the first character, from 1.")]
    end_index: Annotated[int, Field(ge=1, description="Position of the last character.")]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end_index < self.start_index:
            raise ValueError(f"endIndex {self.end_index} is before startIndex {self.start_index}")
        return self

    def value(self, rows: Rows) -> Column:
        """Return the part of each text."""
        return rows.text(self.column).substr(self.start_index, self.end_index - self.start_index + 1)


class FindAndReplace(ComputingInPlace):
    """Substitute in the values of a column, as `sed` does: `s/[$]//g`."""

    name: ClassVar[str] = "find_and_replace"

    sed_expression: Annotated[
        Substitution,
        BeforeValidator(lambda text: Substitution.parse(text) if isinstance(text, str) else text),
        Field(description="s/regex/replacement/ with the flags g (all matches) and i (ignore case)."),
    ]

    def value(self, rows: Rows) -> Column:
        """Return the values after the substitution."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        sed, text = self.sed_expression, rows.text(self.column)
        if sed.is_portable:
            return F.regexp_replace(text, sed.portable_regex, sed.replacement)
        from dataos_dagster.flare.functions.kernels.texts import substitute

        count = 0 if sed.everywhere else 1
        return vectorised(substitute, "string", text, sed.pattern, sed.python_replacement, count)


class MaskNumber(ComputingInPlace):
    """Mask a value by position: `#` keeps the character there, anything else of the pattern is written instead.

    The result is as long as the shorter of value and pattern, so that a pattern shows nothing that it does not name.
    """

    name: ClassVar[str] = "mask_number"

    pattern: Annotated[ScalarText, Field(min_length=1, description="Such as XXX-XX-####.")]

    def value(self, rows: Rows) -> Column:
        """Return the masked values."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        text = rows.text(self.column)
        kept = [
            text.substr(position, len(run)) if run[0] == "#" else F.lit(run) for position, run in _runs(self.pattern)
        ]
        # Behind the end of a value kept characters are missing, so what is too long is cut where the value ends.
        return F.concat(*kept).substr(F.lit(1), F.length(text))


def _runs(pattern: str) -> list[tuple[int, str]]:
    """Return runs of kept and of written characters with their 1-based positions."""
    runs: list[tuple[int, str]] = []
    for position, character in enumerate(pattern, start=1):
        if runs and (runs[-1][1][0] == "#") == (character == "#"):
            runs[-1] = (runs[-1][0], runs[-1][1] + character)
        else:
            runs.append((position, character))
    return runs


class Merge(Computing):
    """Join the values of columns with a separator into another column; nulls are left out."""

    name: ClassVar[str] = "merge"

    columns: Annotated[ColumnNames, Field(description="Columns to join, in order.")]
    separator: Annotated[ScalarText, Field(description="What stands between two values.")]
    as_column: Annotated[ColumnName, Field(description="The column that gets the result.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.as_column: self.columns}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the joined values."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        return {self.as_column: F.concat_ws(self.separator, *(rows.text(name) for name in self.columns))}


class Trim(ComputingInPlace):
    """Take whitespace away from the values of a column: at both ends, on the left, or on the right."""

    name: ClassVar[str] = "trim"

    method: Annotated[
        Literal["trim", "ltrim", "rtrim"],
        BeforeValidator(folded),
        Field(description="trim, ltrim or rtrim."),
    ]

    def value(self, rows: Rows) -> Column:
        """Return the trimmed values."""
        side = {"trim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[self.method]
        text = rows.text_sql(self.column)
        return rows.expression(f"TRIM({side} {text_literal(_WHITESPACE)} FROM {text})")

"""Functions on dates and times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from dataos_dagster.flare.functions.computing import ColumnName, Computing, ComputingInPlace, ComputingOne
from dataos_dagster.flare.functions.date_rules import check_zone, compiled_rule
from dataos_dagster.flare.functions.function import EngineUnsuited, require_column
from dataos_dagster.flare.functions.rows import text_literal
from dataos_dagster.flare.functions.vectorised import vectorised
from dataos_dagster.manifests.model import ScalarText, TextList

if TYPE_CHECKING:
    from pyspark.sql import Column

    from dataos_dagster.flare.functions.rows import Rows

# Letters of Java's date patterns that Sail was shown to write as Spark does.
_SAIL_LETTERS = re.compile(
    r"(?:yyyy|yy|y|MMMM|MMM|MM|M|dd|d|EEEE|EEE|E|HH|H|hh|h|mm|m|ss|s|SSSSSS|SSS|S|a|D|Q|XXX|'(?:[^']|'')*'|[^A-Za-z'\[\]{}#])*"
)


def _rules(rules: tuple[str, ...]) -> tuple[str, ...]:
    for rule in rules:
        compiled_rule(rule)
    return rules


class _AnyMoment(ComputingOne):
    """What both functions that read dates of any layout take."""

    synonyms: ClassVar[Mapping[str, str]] = {"rule": "rules"}

    rules: Annotated[
        TextList,
        AfterValidator(_rules),
        Field(description="Java regular expressions with groups such as (?<year>…), tried before the known layouts."),
    ] = ()

    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(compiled_rule(rule) for rule in self.rules)


class AnyDate(_AnyMoment):
    """Read a date whatever its layout: `2021.3.4`, `04.03.2021`, `4/3/21`, `4 Mar 2021`; null where there is none."""

    name: ClassVar[str] = "any_date"

    def value(self, rows: Rows) -> Column:
        """Return the dates."""
        from dataos_dagster.flare.functions.kernels.dates import to_dates

        return vectorised(to_dates, "date", rows.text(self.column), self._patterns())


class AnyTimestamp(_AnyMoment):
    """Read a time whatever its layout, and give it as the wall time of a zone; null where there is none."""

    name: ClassVar[str] = "any_timestamp"

    timezone: Annotated[
        str, AfterValidator(check_zone), Field(description="IANA name such as Asia/Kolkata; default UTC.")
    ] = "UTC"

    def value(self, rows: Rows) -> Column:
        """Return the wall times."""
        from dataos_dagster.flare.functions.kernels.dates import to_timestamps

        return vectorised(to_timestamps, "timestamp", rows.text(self.column), self._patterns(), self.timezone)


class DiffDate(Computing):
    """Count the days from date B to date A."""

    name: ClassVar[str] = "diff_date"

    column_a: Annotated[ColumnName, Field(description="The later date.")]
    column_b: Annotated[ColumnName, Field(description="The earlier date, which is subtracted.")]
    as_column: Annotated[ColumnName, Field(description="The column that gets the number of days.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {self.as_column: (self.column_a, self.column_b)}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the days; Sail counts them as bigint."""
        later, earlier = (rows.sql(name, "date") for name in (self.column_a, self.column_b))
        return {self.as_column: rows.expression(f"CAST(DATEDIFF({later}, {earlier}) AS int)")}


class EpochToTimestamp(ComputingOne):
    """Read seconds since 1970, as a number or a text, fractions included."""

    name: ClassVar[str] = "epoch_to_timestamp"

    def value(self, rows: Rows) -> Column:
        """Return the timestamps."""
        return rows.expression(_from_epoch(self.column, rows))


class _Formatting(ComputingInPlace):
    """What functions take that write times in a pattern."""

    synonyms: ClassVar[Mapping[str, str]] = {"refformat": "format"}

    format: Annotated[ScalarText, Field(min_length=1, description="Pattern of Java's DateTimeFormatter.")]

    def _formatted(self, moment: str, rows: Rows) -> Column:
        if rows.engine == "sail" and not _SAIL_LETTERS.fullmatch(self.format):
            raise EngineUnsuited(
                f"{self.name}: Sail is not known to write {self.format!r} as Spark does",
                hint="run the job on Spark: `--engine spark`, or `engines.jobs` in dataos.yaml",
            )
        return rows.expression(f"DATE_FORMAT({moment}, {text_literal(self.format)})")


class FormatDate(_Formatting):
    """Write dates, times or ISO texts in a pattern, in place; null where there is no date."""

    name: ClassVar[str] = "format_date"

    def value(self, rows: Rows) -> Column:
        """Return the texts."""
        return self._formatted(rows.sql(self.column, "timestamp"), rows)


class FormatUnixDate(_Formatting):
    """Write seconds since 1970 in a pattern, in place, in UTC."""

    name: ClassVar[str] = "format_unix_date"

    def value(self, rows: Rows) -> Column:
        """Return the texts."""
        return self._formatted(_from_epoch(self.column, rows), rows)


_WHOLE = frozenset({"tinyint", "smallint", "int", "bigint"})
# The last second whose microseconds fit into 64 bits.
_LAST_SECOND = 9_223_372_036_854


def _from_epoch(name: str, rows: Rows) -> str:
    """Return the timestamp of seconds in a column, as SQL; null where there is none."""
    column = require_column(name, rows.columns, rows.function)
    if rows.types[column] in _WHOLE:
        seconds = rows.sql(column, "bigint")
        micros = f"{seconds} * CAST(1000000 AS bigint)"
        bounded = f"{seconds} BETWEEN -{_LAST_SECOND} AND {_LAST_SECOND}"
    else:
        # Sail's own function cuts fractions off.
        seconds = rows.sql(column, "double")
        micros = f"CAST({seconds} * CAST(1000000 AS double) AS bigint)"
        bounded = f"ABS({seconds}) <= CAST({_LAST_SECOND} AS double)"
    return f"CASE WHEN {bounded} THEN TIMESTAMP_MICROS({micros}) END"

"""Functions that take values apart: addresses, HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dataos_dagster.flare.functions.computing import ColumnName, Computing, ComputingOne
from dataos_dagster.flare.functions.function import find_column
from dataos_dagster.flare.functions.rows import text_literal
from dataos_dagster.flare.functions.vectorised import vectorised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructType

    from dataos_dagster.flare.functions.rows import Rows
    from dataos_dagster.flare.trace import Trace
    from dataos_dagster.settings import EngineName

_EMAIL = r"^([^@ \t\r\n]+)@([^@ \t\r\n]+)\z"
_EMAIL_PARTS = ("account", "domain")
_WHOLE_URL = "__url"
_URL_PARTS = ("protocol", "authority", "host", "port", "path", "filename", "query")


class ParseHtml(ComputingOne):
    """Turn HTML into the text that a browser shows of it."""

    name: ClassVar[str] = "parse_html"

    def value(self, rows: Rows) -> Column:
        """Return the texts."""
        from dataos_dagster.flare.functions.kernels.texts import html_text

        return vectorised(html_text, "string", rows.text(self.column))


class SplitEmail(Computing):
    """Add `<column>_account` and `<column>_domain`; both are null where the value is no address."""

    name: ClassVar[str] = "split_email"

    column: Annotated[ColumnName, Field(description="The column of addresses.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {f"{self.column}_{part}": (self.column,) for part in _EMAIL_PARTS}

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the two parts."""
        text, pattern = rows.text_sql(self.column), text_literal(_EMAIL)
        return {
            f"{self.column}_{part}": rows.expression(f"NULLIF(REGEXP_EXTRACT({text}, {pattern}, {group}), '')")
            for group, part in enumerate(_EMAIL_PARTS, start=1)
        }


class SplitUrl(Computing):
    """Add the parts of an address: `<column>_protocol`, `_authority`, `_host`, `_port`, `_path`, `_filename`, `_query`.

    All are null where the value is no address, or where there is no such column.
    """

    name: ClassVar[str] = "split_url"

    column: Annotated[ColumnName, Field(description="The column of addresses; it may be absent.")]

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each column that is set, the columns it is computed from; names in any case."""
        return {f"{self.column}_{part}": (self.column,) for part in _URL_PARTS}

    def apply(self, frame: DataFrame, engine: EngineName) -> DataFrame:
        """Return the frame with the parts."""
        if find_column(self.column, frame.columns) is None:
            from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

            nulls = {field.name: F.lit(None).cast(field.dataType) for field in _url_type()}
            return frame.withColumns({f"{self.column}_{part}": null for part, null in nulls.items()})
        whole = super().apply(frame, engine)
        parts = {f"{self.column}_{part}": whole[_WHOLE_URL][part] for part in _URL_PARTS}
        return whole.withColumns(parts).drop(_WHOLE_URL)

    def trace(self, columns: Trace, frame: DataFrame) -> Trace:
        """Return the columns' sources with those of the parts."""
        if find_column(self.column, tuple(columns)) is None:
            return {**columns, **dict.fromkeys(self.reads(), ())}
        return super().trace(columns, frame)

    def compute(self, rows: Rows) -> Mapping[str, Column]:
        """Return the parts together, as a column of their own: each address is then read once."""
        from dataos_dagster.flare.functions.kernels.urls import split_urls

        return {_WHOLE_URL: vectorised(split_urls, _url_type(), rows.text(self.column))}


def _url_type() -> StructType:
    from pyspark.sql.types import IntegerType, StringType, StructField, StructType

    return StructType([StructField(part, IntegerType() if part == "port" else StringType()) for part in _URL_PARTS])

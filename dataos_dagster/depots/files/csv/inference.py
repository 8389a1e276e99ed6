"""Find the types of CSV columns as Spark's `inferSchema` does (`CSVInferSchema`, Spark 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.files.csv.values import convert, read_float
from dataos_dagster.depots.files.patterns import compile_pattern, read_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql.types import DataType

    from dataos_dagster.depots.files.csv.options import CsvOptions

# Kinds of values, each with those that it gives way to.
_NUMBERS = ("int", "bigint", "decimal", "double")
_INTEGER = r"^[+-]?\d+$"
# Without a pattern Spark looks for dates in this form only.
_DEFAULT_DATE = "yyyy-MM-dd"
_MOST_DIGITS = 38


class ColumnKinds:
    """What was seen in one column so far."""

    def __init__(self, options: CsvOptions) -> None:
        self._options = options
        self._kinds: set[str] = set()
        self._digits = 0

    def see(self, texts: Any) -> None:
        """Look at some texts of the column: an Arrow array of strings."""
        import pyarrow as pa
        from pyarrow import compute as pc

        if "string" in self._kinds:
            return
        texts = texts.filter(pc.fill_null(pc.not_equal(texts, self._options.null_value), False))
        whole = pc.match_substring_regex(texts, _INTEGER)
        self._see_integers(texts.filter(whole))
        rest = texts.filter(pc.invert(whole))
        if len(rest):
            self._kinds |= self._others(rest.unique().to_pylist())
        if len(texts) and pa.types.is_null(texts.type):
            self._kinds.add("string")

    def type(self) -> DataType:
        """Return the type that holds every value seen."""
        from pyspark.sql import types

        kinds = self._kinds
        if kinds and kinds <= set(_NUMBERS):
            widest = max(kinds, key=_NUMBERS.index)
            if widest == "decimal":
                # A long beside it needs room for its own digits as well.
                return types.DecimalType(max(self._digits, 20 if "bigint" in kinds else 10), 0)
            return {"int": types.IntegerType, "bigint": types.LongType, "double": types.DoubleType}[widest]()
        if kinds == {"boolean"}:
            return types.BooleanType()
        if kinds == {"date"}:
            return types.DateType()
        return types.TimestampType() if kinds and kinds <= {"date", "timestamp"} else types.StringType()

    def _see_integers(self, texts: Any) -> None:
        from pyspark.sql.types import IntegerType, LongType

        if not len(texts):
            return
        if not convert(texts, IntegerType(), self._options).bad.true_count:
            self._kinds.add("int")
        elif not convert(texts, LongType(), self._options).bad.true_count:
            self._kinds.add("bigint")
        else:
            self._digits = max(self._digits, *(len(text.lstrip("+-0")) for text in texts.to_pylist()))
            self._kinds.add("decimal" if self._digits <= _MOST_DIGITS else "double")

    def _others(self, texts: Iterable[str]) -> set[str]:
        return {self._kind(text) for text in texts}

    def _kind(self, text: str) -> str:
        if read_float(text, self._options) is not None:
            return "double"
        date_pattern = compile_pattern(self._options.date_format or _DEFAULT_DATE)
        if date_pattern and date_pattern.read(text):
            return "date"
        pattern = compile_pattern(self._options.timestamp_format) if self._options.timestamp_format else None
        if (pattern.read(text) if pattern else read_timestamp(text)) is not None:
            return "timestamp"
        return "boolean" if text.lower() in {"true", "false"} else "string"

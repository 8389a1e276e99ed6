"""Fit a frame to the dataset that is there: columns by name, casts that lose nothing, and errors that name the rest.

Engines accept an append that lacks a column (as nulls) and insert SQL results by position. Both are silent damage, so
the comparison is made here, before anything is written, and is the same for every store and engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import DataType, StructField, StructType

    from dataos_dagster.depots.requests import Target
    from dataos_dagster.errors import Location

# Every type may become one that stands behind it, and keeps its value.
_WIDENING = ("tinyint", "smallint", "int", "bigint")
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_ATOMIC_TO_TEXT = frozenset(
    {*_WIDENING, "boolean", "float", "double", "date", "timestamp", "timestamp_ntz", "void", "string"}
)


def fit(frame: DataFrame, table: StructType, target: Target, *, location: Location | None = None) -> DataFrame:
    """Return the frame with the table's columns, in the table's order, spelling and types.

    Args:
        frame: What is to be written.
        table: Columns of the dataset that is there.
        target: Its name, for messages.
        location: The place in a manifest that asks for the write.

    Raises:
        SchemaMismatch: Columns are missing, too many or ambiguous, or a cast could lose something; names all of them.
    """
    offered = _by_name(frame, target, location)
    wanted = {field.name.lower(): field for field in table.fields}
    problems = [
        *_problem("has no column", [field.name for key, field in wanted.items() if key not in offered]),
        *_problem(
            "has columns that the dataset lacks:", [field.name for key, field in offered.items() if key not in wanted]
        ),
        *(
            f"cannot safely cast {offered[key].name} from {offered[key].dataType.simpleString()} "
            f"to {field.dataType.simpleString()}"
            for key, field in wanted.items()
            if key in offered and not keeps_values(offered[key].dataType, field.dataType)
        ),
    ]
    if problems:
        raise SchemaMismatch(
            f"{target}: what is written does not fit the dataset that is there: it {'; it '.join(problems)}",
            hint="select and cast the dataset's columns in the last step, or write to a new dataset",
            location=location,
        )
    pairs = [(offered[key], field) for key, field in wanted.items()]
    if (
        all(_same(given.dataType, field.dataType) and given.name == field.name for given, field in pairs)
        and [given.name for given, _ in pairs] == frame.columns
    ):
        return frame
    return frame.select(*(_column(frame, given, field) for given, field in pairs))


def spelled(frame: DataFrame, table: StructType, target: Target, *, location: Location | None = None) -> DataFrame:
    """Return the frame with the table's spelling of those columns that the table has.

    Args:
        frame: What is to be written; it may have columns of its own.
        table: Columns of the dataset that is there.
        target: Its name, for messages.
        location: The place in a manifest that asks for the write.

    Raises:
        SchemaMismatch: A field inside a column is spelled in another way than in the table.
    """
    known = {field.name.lower(): field for field in table.fields}
    pairs = [(given, known.get(given.name.lower(), given)) for given in frame.schema.fields]
    inside = [given.name for given, there in pairs if not _spelled_alike(given.dataType, there.dataType)]
    if inside:
        raise SchemaMismatch(
            f"{target}: fields inside of {', '.join(inside)} differ from those of the dataset in case only",
            hint="write their names as the dataset has them",
            location=location,
        )
    if all(given.name == there.name for given, there in pairs):
        return frame
    return frame.select(*(frame[quoted(given.name)].alias(there.name) for given, there in pairs))


def _spelled_alike(given: DataType, there: DataType) -> bool:
    """Return whether no two fields of two types have names that differ in case only."""
    from pyspark.sql.types import ArrayType, MapType, StructType

    if isinstance(given, StructType) and isinstance(there, StructType):
        known = {field.name.lower(): field for field in there.fields}
        pairs = [(field, known[field.name.lower()]) for field in given.fields if field.name.lower() in known]
        return all(a.name == b.name and _spelled_alike(a.dataType, b.dataType) for a, b in pairs)
    if isinstance(given, ArrayType) and isinstance(there, ArrayType):
        return _spelled_alike(given.elementType, there.elementType)
    if isinstance(given, MapType) and isinstance(there, MapType):
        return _spelled_alike(given.keyType, there.keyType) and _spelled_alike(given.valueType, there.valueType)
    return True


def check_new(frame: DataFrame, target: Target, *, location: Location | None = None) -> None:
    """Check that a frame can become a dataset of its own.

    Raises:
        SchemaMismatch: It has no column, two of one name, or one without a type.
    """
    columns = _by_name(frame, target, location)
    untyped = [field.name for field in columns.values() if field.dataType.typeName() == "void"]
    if untyped or not columns:
        what = f"no type for {', '.join(untyped)} (only NULL)" if untyped else "no columns"
        raise SchemaMismatch(
            f"{target}: what is written has {what}",
            hint="give the column a type: CAST(NULL AS STRING)" if untyped else "select at least one column",
            location=location,
        )


def keeps_values(given: DataType, wanted: DataType) -> bool:
    """Return whether every value of a type has an equal one of the other type; stricter than Spark's up-casts."""
    from pyspark.sql.types import ArrayType, MapType, StructType

    if _same(given, wanted):
        return True
    if isinstance(given, ArrayType) and isinstance(wanted, ArrayType):
        return keeps_values(given.elementType, wanted.elementType)
    if isinstance(given, MapType) and isinstance(wanted, MapType):
        return keeps_values(given.keyType, wanted.keyType) and keeps_values(given.valueType, wanted.valueType)
    if isinstance(given, StructType) and isinstance(wanted, StructType):
        return _same_names(given.fields, wanted.fields) and all(
            keeps_values(a.dataType, b.dataType) for a, b in zip(given.fields, wanted.fields, strict=True)
        )
    return _scalar_keeps_values(given, wanted)


def _scalar_keeps_values(given: DataType, wanted: DataType) -> bool:
    from pyspark.sql.types import DecimalType

    source, goal = given.simpleString(), wanted.simpleString()
    if isinstance(wanted, DecimalType):
        room = wanted.precision - wanted.scale
        if isinstance(given, DecimalType):
            return bool(given.scale <= wanted.scale and given.precision - given.scale <= room)
        return source == "void" or (source in _DIGITS and _DIGITS[source] <= room)
    if goal == "string":
        return source in _ATOMIC_TO_TEXT or isinstance(given, DecimalType)
    return source == "void" or (source, goal) in _SAFE


_SAFE = frozenset(
    {
        *((a, b) for i, a in enumerate(_WIDENING) for b in _WIDENING[i + 1 :]),
        # Only where every integer has an equal number: a float has 24 bits of digits, a double 53.
        *((a, "double") for a in ("tinyint", "smallint", "int", "float")),
        *((a, "float") for a in ("tinyint", "smallint")),
        ("date", "timestamp"),
        ("date", "timestamp_ntz"),
        ("timestamp", "timestamp_ntz"),
        ("timestamp_ntz", "timestamp"),
    }
)


def _by_name(frame: DataFrame, target: Target, location: Location | None) -> dict[str, StructField]:
    found: dict[str, StructField] = {}
    for field in frame.schema.fields:
        if field.name.lower() in found:
            raise SchemaMismatch(
                f"{target}: two columns are named {found[field.name.lower()].name!r} and {field.name!r}, "
                "which is one name to the store",
                hint="rename one of them",
                location=location,
            )
        found[field.name.lower()] = field
    return found


def _problem(text: str, names: Sequence[str]) -> list[str]:
    return [f"{text} {', '.join(names)}"] if names else []


def _same(given: DataType, wanted: DataType) -> bool:
    """Return whether two types hold the same values; whether they admit nulls does not count."""
    return bool(given.simpleString().lower() == wanted.simpleString().lower())


def _same_names(given: Sequence[StructField], wanted: Sequence[StructField]) -> bool:
    return [field.name.lower() for field in given] == [field.name.lower() for field in wanted]


def _column(frame: DataFrame, given: StructField, wanted: StructField) -> object:
    column = frame[quoted(given.name)]
    if not _same(given.dataType, wanted.dataType):
        column = column.cast(wanted.dataType)
    return column.alias(wanted.name)


def quoted(name: str) -> str:
    """Return an identifier of Spark SQL in backticks."""
    return "`" + name.replace("`", "``") + "`"

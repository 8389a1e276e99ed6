"""Partition specs: as SQL, under Iceberg's names, and compared with the spec that a table has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.depots.requests import PartitionField
from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataos_dagster.depots.requests import WriteRequest

_SQL_FUNCTIONS: Mapping[str, str] = {"year": "years", "month": "months", "day": "days", "hour": "hours"}


def wanted_spec(request: WriteRequest) -> tuple[PartitionField, ...]:
    """Return the spec that a request asks for; Hive-style `partitionBy` columns are identity transforms of a table."""
    return request.partition_spec or tuple(PartitionField("identity", column) for column in request.partition_by)


def check_columns(spec: Sequence[PartitionField], columns: Sequence[str], request: WriteRequest) -> None:
    """Check that a spec can be applied to these columns.

    Raises:
        SchemaMismatch: It names a column that is not there, or lacks a width.
    """
    known = {column.lower() for column in columns}
    for field in spec:
        if field.column.lower() not in known:
            raise SchemaMismatch(
                f"{request.target}: the partition spec names {field.column!r}, which is no column of what is written",
                hint=f"columns: {', '.join(columns)}",
                location=request.location,
            )
        if field.transform in {"bucket", "truncate"} and not field.width:
            key = "numBuckets" if field.transform == "bucket" else "width"
            raise SchemaMismatch(
                f"{request.target}: the partition field {field.transform} of {field.column!r} has no {key}",
                hint=f"add {key}: to the field",
                location=request.location,
            )


def to_sql(field: PartitionField) -> str:
    """Return a field as it stands behind PARTITIONED BY."""
    column = quoted(field.column)
    if field.transform == "identity":
        return column
    if field.transform in {"bucket", "truncate"}:
        return f"{field.transform}({field.width}, {column})"
    return f"{_SQL_FUNCTIONS[field.transform]}({column})"


def iceberg_transform(field: PartitionField) -> str:
    """Return a field's transform as Iceberg's metadata writes it, such as `bucket[8]`."""
    return f"{field.transform}[{field.width}]" if field.transform in {"bucket", "truncate"} else field.transform


def default_name(field: PartitionField) -> str:
    """Return the name that Iceberg gives a field."""
    suffix = {"identity": "", "truncate": "_trunc"}.get(field.transform, f"_{field.transform}")
    return f"{field.column}{suffix}"


def differs(spec: Sequence[PartitionField], present: Sequence[tuple[str, str, str]]) -> bool:
    """Return whether a table's present spec is another one than the wanted; names of fields do not count.

    Args:
        spec: What a manifest asks for; empty asks for nothing.
        present: (transform, source column, name) of the table's fields.
    """
    if not spec:
        return False
    return [(iceberg_transform(field), field.column.lower()) for field in spec] != [
        (transform, column.lower()) for transform, column, _ in present
    ]


def evolution(
    spec: Sequence[PartitionField], present: Sequence[tuple[str, str, str]]
) -> tuple[tuple[str, ...], tuple[PartitionField, ...]]:
    """Return the names of the fields to drop and the fields to add, so that a table gets the wanted spec."""
    wanted = {(iceberg_transform(field), field.column.lower()) for field in spec}
    there = {(transform, column.lower()) for transform, column, _ in present}
    dropped = tuple(name for transform, column, name in present if (transform, column.lower()) not in wanted)
    added = tuple(field for field in spec if (iceberg_transform(field), field.column.lower()) not in there)
    return dropped, added


def named_fields(spec: Sequence[PartitionField]) -> tuple[PartitionField, ...]:
    """Return the fields that are to have another name than Iceberg's."""
    return tuple(field for field in spec if field.name and field.name != default_name(field))

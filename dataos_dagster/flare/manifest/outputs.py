"""Outputs of a Flare job."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from dataos_dagster.address import Address
from dataos_dagster.flare.manifest.assertions import Assertion
from dataos_dagster.flare.manifest.standalone import Connection, Sections
from dataos_dagster.manifests.locations import FileText, LocationText, is_address, parse_address
from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, TextList, TextMap, folded

SaveMode = Literal["append", "overwrite"]
Transform = Literal["identity", "year", "month", "day", "hour", "bucket", "truncate"]

# Other words for a transform: PyFlare's plurals, and `date` of older manifests.
_TRANSFORMS = {"years": "year", "months": "month", "days": "day", "date": "day", "hours": "hour"}


class PartitionField(ManifestModel):
    """One field of a partition spec; order counts, the outer one first."""

    type: Annotated[Annotated[Transform, AnyCase(_TRANSFORMS)], Field(description="Transform.")] = "identity"
    column: Annotated[ScalarText, Field(min_length=1, description="Source column.")]
    name: Annotated[
        ScalarText | None,
        Field(validation_alias=AliasChoices("name", "asColumn"), description="Name of the partition field."),
    ] = None
    num_buckets: Annotated[
        int | None,
        Field(gt=0, validation_alias=AliasChoices("numBuckets", "bucketCount", "bucket_count"), description="bucket"),
    ] = None
    width: Annotated[int | None, Field(gt=0, description="truncate: width")] = None


class Merge(ManifestModel):
    """Upsert into an existing table; `old` is the table, `new` the rows."""

    on_clause: Annotated[str, Field(description="Condition behind ON.")]
    when_clause: Annotated[str, Field(description="What follows WHEN.")]


class Iceberg(ManifestModel):
    """How an Iceberg table is written."""

    properties: Annotated[TextMap, Field(description="Table properties; overwrite-mode is a mode, not one.")] = Field(
        default_factory=dict
    )
    partition_spec: Annotated[tuple[PartitionField, ...], Field(description="Partition fields, outer first.")] = ()
    merge: Merge | None = None


class SortColumn(ManifestModel):
    """One column to sort by."""

    name: Annotated[ScalarText, Field(min_length=1)]
    order: Annotated[Literal["asc", "desc"], AnyCase()] = "asc"


class Sort(ManifestModel):
    """Order of the rows that are written."""

    mode: Annotated[
        Annotated[Literal["partition", "global"], AnyCase()],
        Field(description="Sort within each task's partition, or everything."),
    ] = "partition"
    columns: tuple[SortColumn, ...] = ()


class BigQueryOptions(ManifestModel):
    """Where BigQuery stages data."""

    temporary_bucket: str | None = None
    persistent_bucket: str | None = None


class OutputOptions(ManifestModel):
    """How an output is written."""

    save_mode: Annotated[Annotated[SaveMode, AnyCase()] | None, Field(description="Default: a project setting.")] = None
    extra_options: Annotated[TextMap, Field(description="Options of the Spark writer.")] = Field(default_factory=dict)
    compression_type: Annotated[str | None, Field(description="Codec of the data files.")] = None
    sort: Sort | None = None
    partition_by: Annotated[TextList, Field(description="Columns of Hive-style folders.")] = ()
    iceberg: Iceberg | None = None
    bigquery: BigQueryOptions | None = None
    connection_props: Annotated[TextMap, Field(description="Connection options of MongoDB.")] = Field(
        default_factory=dict
    )
    checkpoint_location: FileText | None = None
    ignored_partition_spec: Annotated[
        tuple[PartitionField, ...],
        Field(alias="partitionSpec", description="Not applied here: belongs under `iceberg`."),
    ] = ()
    query: Annotated[str | None, Field(description="Statement of `JDBCQuery`, with a `?` for each column.")] = None


class ColumnTags(ManifestModel):
    """Catalog tags of columns."""

    column_name: str | None = None
    column_names: TextList = ()
    column_regex: Annotated[str | None, Field(description="Matched from the beginning of the name.")] = None
    tags: TextList = ()


class FlareOutput(Sections):
    """One output: a view and where it is written."""

    name: Annotated[ScalarText, Field(min_length=1, description="The view to write: a sequence item, else an input.")]
    dataset: Annotated[LocationText | None, Field(description="Address of the dataset.")] = None
    format: Annotated[
        Annotated[str, BeforeValidator(folded)] | None, Field(description="Format; default by the depot's type.")
    ] = None
    driver: Annotated[str | None, Field(description="Class of the JDBC driver.")] = None
    title: ScalarText | None = None
    description: ScalarText | None = None
    tags: TextList = ()
    options: OutputOptions = OutputOptions()
    checkpoint_location: FileText | None = None
    column_tags: tuple[ColumnTags, ...] = ()
    assertions: Annotated[tuple[Assertion, ...], Field(description="Checks that must hold before the write.")] = ()
    output_type: Annotated[
        Annotated[str, BeforeValidator(folded)] | None, Field(description="Which connection is spelled out.")
    ] = None

    @property
    def address(self) -> Address | None:
        """Return the address that is written; the output's name is the dataset when the address has none."""
        if not self.dataset or not is_address(self.dataset):
            return None
        address = parse_address(self.dataset)
        return address if address.path else address.child(self.name)

    @property
    def connection(self) -> Connection | None:
        """Return the connection that is spelled out."""
        return self.section(self.output_type)

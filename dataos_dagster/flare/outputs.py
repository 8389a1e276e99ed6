"""What a job writes: from the outputs of its manifest to requests to the door."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.connectors.documents import CONNECTION_PREFIX
from dataos_dagster.depots.requests import PartitionField, Sort, SortColumn, WriteRequest
from dataos_dagster.errors import StepError
from dataos_dagster.flare.column_tags import column_tag_rules
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.manifest import JdbcConnection as JdbcSection
from dataos_dagster.flare.merging import check_merge, merge_constructs, merge_of
from dataos_dagster.flare.targets import implied_format, output_target, with_storage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataos_dagster.address import Address
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.column_tags import ColumnTagRule
    from dataos_dagster.flare.manifest import FlareOutput, OutputOptions
    from dataos_dagster.flare.manifest import PartitionField as PartitionSection
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

_OVERWRITE_MODE = "overwrite-mode"
_STATEMENT = "jdbcquery"


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """An output, resolved.

    Attributes:
        label: What it is called in messages: `outputs[0] "orders"`.
        name: The view that is written, as the manifest spells it.
        implied_mode: The manifest gives no `saveMode`.
        constructs: What the clauses of its merge use of SQL, at the lines of the manifest.
        column_tags: Tags that its columns get.
    """

    label: str
    name: str
    request: WriteRequest
    location: Location
    implied_mode: bool = False
    constructs: tuple[Construct, ...] = ()
    column_tags: tuple[ColumnTagRule, ...] = ()

    @property
    def address(self) -> Address | None:
        """Return the address; None for a standalone location."""
        return self.request.target.address

    @property
    def dataset(self) -> str:
        """Return the address, or the standalone location, as text."""
        return str(self.request.target)


def plan_output(job: Job, index: int, entry: FlareOutput, settings: Settings) -> PlannedOutput:
    """Return one output of a job, resolved.

    Raises:
        StepError: It names no place to write to, or its merge reads more than `old` and `new`.
    """
    label = f'outputs[{index}] "{entry.name}"'
    location = job_location(job, "outputs", index, "dataset" if entry.dataset else "name")
    section = entry.connection
    options = entry.options
    iceberg = options.iceberg
    extra = dict(options.extra_options) | _connector_options(options)
    branch = extra.pop("branch", None)
    if entry.driver or (isinstance(section, JdbcSection) and section.driver):
        extra.setdefault("driver", entry.driver or (section.driver if isinstance(section, JdbcSection) else "") or "")
    properties = dict(iceberg.properties) if iceberg else {}
    request = WriteRequest(
        target=with_storage(output_target(entry, settings, label, location), job),
        mode=options.save_mode or settings.flare.default_save_mode,
        format=entry.format or implied_format(entry.output_type),
        options=extra,
        compression=options.compression_type,
        partition_spec=_partition_spec(options, settings),
        partition_by=tuple(options.partition_by),
        sort=_sort(options),
        dynamic_overwrite=properties.pop(_OVERWRITE_MODE, "").lower() == "dynamic",
        properties=properties,
        merge=merge_of(iceberg.merge.on_clause, iceberg.merge.when_clause) if iceberg and iceberg.merge else None,
        branch=None if branch == "main" else branch,
        location=location,
        statement=_statement(job, index, entry, label),
    )
    merge_path = ("outputs", index, "options", "iceberg", "merge")
    if request.merge is not None:
        check_merge(job, merge_path, request.merge, label)
    constructs = tuple(merge_constructs(job, merge_path, request.merge)) if request.merge is not None else ()
    tags = column_tag_rules(job, index, entry, label)
    return PlannedOutput(label, entry.name, request, location, options.save_mode is None, constructs, tags)


def with_operation(output: PlannedOutput, run_id: str) -> WriteRequest:
    """Return the request under the name that a table's lock shows to whoever waits for it."""
    return replace(output.request, operation=run_id)


def _connector_options(options: OutputOptions) -> dict[str, str]:
    """Return the sections of single connectors as the options that these connectors know."""
    staging = options.bigquery
    buckets = {
        "temporaryGcsBucket": staging.temporary_bucket if staging else None,
        "persistentGcsBucket": staging.persistent_bucket if staging else None,
    }
    found = {f"{CONNECTION_PREFIX}{key}": value for key, value in options.connection_props.items()}
    return found | {key: value for key, value in buckets.items() if value}


def _statement(job: Job, index: int, entry: FlareOutput, label: str) -> str | None:
    """Return the statement that is run for each row (`format: jdbcquery`).

    Raises:
        StepError: There is none, or one that the format has no use for.
    """
    query, wanted = entry.options.query, (entry.format or "") == _STATEMENT
    if wanted == (query is not None):
        return query
    raise StepError(
        f"{label}: {'there is no statement to run' if wanted else f'`query` needs the format {_STATEMENT}'}",
        step=label,
        hint="write `format: jdbcquery` and `options.query`: a statement with a `?` for each column",
        location=job_location(job, "outputs", index, *(("format",) if wanted else ("options", "query"))),
    )


def _partition_spec(options: OutputOptions, settings: Settings) -> tuple[PartitionField, ...]:
    fields: Sequence[PartitionSection] = options.iceberg.partition_spec if options.iceberg else ()
    if not fields and settings.flare.honour_options_partition_spec:
        fields = options.ignored_partition_spec
    return tuple(
        PartitionField(
            field.type, field.column, field.name, field.num_buckets if field.type == "bucket" else field.width
        )
        for field in fields
    )


def _sort(options: OutputOptions) -> Sort | None:
    if options.sort is None or not options.sort.columns:
        return None
    columns = tuple(SortColumn(column.name, column.order == "desc") for column in options.sort.columns)
    return Sort(options.sort.mode, columns)

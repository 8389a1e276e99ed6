"""What a user writes in the `stackSpec` of a Flare job."""

from __future__ import annotations

from dataos_dagster.flare.manifest.actions import (
    Action,
    ActionOptions,
    ExpireSnapshots,
    RemoveOrphans,
    RewriteDataset,
    RewriteManifest,
)
from dataos_dagster.flare.manifest.assertions import Assertion, ValidFormat, parse_test
from dataos_dagster.flare.manifest.inputs import FlareInput, Incremental, IncrementalKey, IncrementalState
from dataos_dagster.flare.manifest.job import FlareJob, FlareSpec, Profile, ProfileFilter, Streaming, Variables
from dataos_dagster.flare.manifest.legacy import normalise
from dataos_dagster.flare.manifest.outputs import (
    ColumnTags,
    FlareOutput,
    Iceberg,
    Merge,
    OutputOptions,
    PartitionField,
    SaveMode,
    Sort,
    SortColumn,
)
from dataos_dagster.flare.manifest.references import check, references
from dataos_dagster.flare.manifest.sizing import DriverSize, ExecutorSize, spark_memory
from dataos_dagster.flare.manifest.standalone import Connection, FileConnection, JdbcConnection
from dataos_dagster.flare.manifest.steps import Command, FunctionCall, SequenceItem, Step
from dataos_dagster.manifests.kinds import KindRules

FLARE = KindRules(FlareSpec, normalise=normalise, check=check, references=references)

__all__ = [
    "FLARE",
    "Action",
    "ActionOptions",
    "Assertion",
    "ColumnTags",
    "Command",
    "Connection",
    "DriverSize",
    "ExecutorSize",
    "ExpireSnapshots",
    "FileConnection",
    "FlareInput",
    "FlareJob",
    "FlareOutput",
    "FlareSpec",
    "FunctionCall",
    "Iceberg",
    "Incremental",
    "IncrementalKey",
    "IncrementalState",
    "JdbcConnection",
    "Merge",
    "OutputOptions",
    "PartitionField",
    "Profile",
    "ProfileFilter",
    "RemoveOrphans",
    "RewriteDataset",
    "RewriteManifest",
    "SaveMode",
    "SequenceItem",
    "Sort",
    "SortColumn",
    "Step",
    "Streaming",
    "ValidFormat",
    "Variables",
    "parse_test",
    "spark_memory",
]

"""`stackSpec` of a Flare job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from dataos_dagster.flare.manifest.actions import Action
from dataos_dagster.flare.manifest.assertions import Assertion, merged_entries
from dataos_dagster.flare.manifest.inputs import FlareInput
from dataos_dagster.flare.manifest.outputs import FlareOutput
from dataos_dagster.flare.manifest.sizing import DriverSize, ExecutorSize
from dataos_dagster.flare.manifest.steps import Step
from dataos_dagster.manifests.locations import FileText
from dataos_dagster.manifests.model import AnyCase, ManifestModel, NoEffect, ScalarText, TextMap, folded, option_map

LogLevel = Annotated[Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"], AnyCase({"warning": "WARN"})]
TriggerMode = Literal["Once", "AvailableNow", "ProcessingTime", "Continuous"]

SparkConf = Annotated[
    Mapping[str, str],
    BeforeValidator(lambda value: option_map(merged_entries(value))),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]}),
]


class Streaming(ManifestModel):
    """How a stream is written."""

    trigger_mode: Annotated[
        Annotated[TriggerMode, AnyCase()] | None, Field(description="When a micro-batch starts.")
    ] = None
    trigger_duration: Annotated[ScalarText | None, Field(description="Interval, such as `10 seconds`.")] = None
    batch_mode: bool = False
    for_each_batch_mode: Annotated[bool, Field(description="Write each micro-batch as a batch job would.")] = False
    output_mode: Annotated[
        Annotated[Literal["append", "complete", "update"], AnyCase({"replace": "complete"})] | None,
        Field(description="Output mode of Spark."),
    ] = None
    checkpoint_location: Annotated[FileText | None, Field(description="Folder of offsets and state.")] = None
    extra_options: TextMap = Field(default_factory=dict)


class ProfileFilter(ManifestModel):
    """Restricts the rows that are profiled."""

    type: str = "expression"
    expression: str


class Profile(ManifestModel):
    """Statistics of the first input."""

    level: Annotated[str, BeforeValidator(folded)] = "basic"
    filters: tuple[ProfileFilter, ...] = ()


class Variables(ManifestModel):
    """Switches of a job."""

    keep_system_columns: Annotated[bool | None, Field(description="Whether __metadata is kept.")] = None


class FlareJob(ManifestModel):
    """What is read, done and written."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "log_level": NoEffect("logs are those of Dagster and of `dataos run`, whose own settings decide", told="info"),
    }

    explain: Annotated[bool, Field(description="Print the plans of steps and outputs.")] = False
    log_level: Annotated[LogLevel | None, Field(description="Of Spark.")] = None
    show_preview_lines: Annotated[int, Field(ge=0, description="Rows of each input and step to print.")] = 0
    inputs: Annotated[tuple[FlareInput, ...], Field(description="What is read, as views.")] = ()
    steps: Annotated[tuple[Step, ...], Field(description="Queries over the views.")] = ()
    outputs: Annotated[tuple[FlareOutput, ...], Field(description="Views that are written.")] = ()
    streaming: Streaming | None = None
    assertions: Annotated[tuple[Assertion, ...], Field(description="Checks on the first input or last view.")] = ()
    actions: Annotated[tuple[Action, ...], Field(description="Maintenance of Iceberg tables.")] = ()
    profile: Profile | None = None
    udfs: Annotated[Mapping[str, Any], Field(description="Functions by name.")] = Field(default_factory=dict)
    variables: Variables = Variables()


class FlareSpec(ManifestModel):
    """`stackSpec` of a job whose stack is `flare`."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "configs": NoEffect("nothing of Flare is configured there: Spark has `sparkConf`"),
    }

    driver: DriverSize = DriverSize()
    executor: ExecutorSize = ExecutorSize()
    # Not in the repr: standalone jobs keep storage keys here.
    spark_conf: Annotated[SparkConf, Field(repr=False, description="Spark properties; a later entry wins.")] = Field(
        default_factory=dict
    )
    configs: Annotated[Mapping[str, Any], Field(description="Accepted, without effect.")] = Field(default_factory=dict)
    job: FlareJob

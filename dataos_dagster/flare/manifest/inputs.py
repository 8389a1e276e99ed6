"""Inputs of a Flare job."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from dataos_dagster.address import Address
from dataos_dagster.flare.manifest.standalone import Connection, Sections
from dataos_dagster.manifests.locations import FileText, LocationText, is_address, parse_address
from dataos_dagster.manifests.model import JsonText, ManifestModel, ScalarText, TextMap, folded


class IncrementalKey(ManifestModel):
    """A value that bounds what an incremental input reads."""

    name: Annotated[ScalarText, Field(min_length=1, description="Name that `$|name|` stands for.")]
    sql: Annotated[str | None, Field(description="Query that returns one value; it may use keys before it.")] = None
    default: Annotated[ScalarText | None, Field(description="Value of the first run.")] = None
    update_from_key: Annotated[str | None, Field(description="Key whose value is this key's next one.")] = None


class IncrementalState(ManifestModel):
    """Which key's value becomes which key's next one when a run has succeeded."""

    key: ScalarText
    value: Annotated[ScalarText, Field(description="Key whose value is stored.")]


class Incremental(ManifestModel):
    """Reading what is new since the last run."""

    context: Annotated[ScalarText, Field(min_length=1, description="View name of the whole dataset.")]
    sql: Annotated[str, Field(description="Query over the context, with placeholders `$|key|`.")]
    keys: Annotated[tuple[IncrementalKey, ...], Field(description="Values, evaluated in order.")] = ()
    state: Annotated[tuple[IncrementalState, ...], Field(description="What is remembered for the next run.")] = ()


class FlareInput(Sections):
    """One input: an address, a query, or a connection that is spelled out."""

    name: Annotated[ScalarText, Field(min_length=1, description="View name of the rows.")]
    dataset: Annotated[LocationText | None, Field(description="Address of the dataset.")] = None
    query: Annotated[str | None, Field(description="SQL for the query engine; its result is the view.")] = None
    format: Annotated[
        Annotated[str, BeforeValidator(folded)] | None, Field(description="Format; default by the depot's type.")
    ] = None
    is_stream: Annotated[bool | None, Field(description="Read as a stream; default by the depot's type.")] = None
    schema_type: Annotated[
        Annotated[str, BeforeValidator(folded)] | None, Field(description="avro, spark (StructType JSON), or DDL.")
    ] = None
    schema_path: Annotated[FileText | None, Field(description="Address or path of a file with the schema.")] = None
    schema_string: Annotated[JsonText | None, Field(description="The schema itself.")] = None
    schema_subject: Annotated[
        ScalarText | None, Field(description="Subject in the schema registry; default the topic with -value.")
    ] = None
    schema_id: Annotated[int | None, Field(description="Schema id in the registry; default the latest.")] = None
    schema_registry_url: Annotated[
        str | None, Field(description="Address of the schema registry; default that of the depot.")
    ] = None
    options: Annotated[TextMap, Field(description="Options of the Spark reader.")] = Field(default_factory=dict)
    connection_props: Annotated[TextMap, Field(description="Connection options of MongoDB.")] = Field(
        default_factory=dict
    )
    incremental: Incremental | None = None
    input_type: Annotated[
        Annotated[str, BeforeValidator(folded)] | None, Field(description="Which connection is spelled out.")
    ] = None

    @property
    def address(self) -> Address | None:
        """Return the dataset's address; None for paths, queries and connections that are spelled out."""
        return parse_address(self.dataset) if self.dataset and is_address(self.dataset) else None

    @property
    def connection(self) -> Connection | None:
        """Return the connection that is spelled out."""
        return self.section(self.input_type)

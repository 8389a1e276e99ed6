"""What a job reads: from the inputs of its manifest to requests to the door."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.connectors.documents import CONNECTION_PREFIX
from dataos_dagster.depots.requests import GivenSchema, ReadRequest, StoreQuery, Target
from dataos_dagster.errors import StepError
from dataos_dagster.flare.incremental.plan import plan_increment
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.manifest import JdbcConnection
from dataos_dagster.flare.targets import implied_format, input_target, standalone_path, with_storage
from dataos_dagster.manifests.locations import is_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.address import Address
    from dataos_dagster.depots.requests import SchemaLanguage
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.incremental.plan import Increment
    from dataos_dagster.flare.manifest import FlareInput
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

_LANGUAGES: Mapping[str, SchemaLanguage] = {
    "avro": "avro",
    "spark": "spark",
    "sparkjson": "spark",
    "sparkddl": "ddl",
    "ddl": "ddl",
}


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """An input, resolved.

    Attributes:
        label: What it is called in messages: `inputs[0] "orders"`.
        name: View that its rows become.
        request: What the door is asked for.
        schema: The file that holds the schema, which is read before the input itself.
        implicit: It stands in the SQL of a step and not in `inputs`.
        increment: How it reads what is new; None reads everything.
        location: Where the manifest asks for it.
    """

    label: str
    name: str
    request: ReadRequest
    location: Location
    schema: ReadRequest | None = None
    schema_type: str | None = None
    implicit: bool = False
    increment: Increment | None = None

    @property
    def view(self) -> str:
        """Return the name of the view that the whole dataset becomes."""
        return self.increment.view if self.increment else self.name

    @property
    def address(self) -> Address | None:
        """Return the dataset's address; None for a standalone location, and for what a query returns."""
        return self.request.target.address if self.request.query is None else None

    @property
    def dataset(self) -> str:
        """Return the address, or the standalone location, as text; of a query's result the depot's."""
        return str(self.request.target)

    @property
    def requests(self) -> tuple[ReadRequest, ...]:
        """Return everything that is asked of the door."""
        return (self.request, *((self.schema,) if self.schema else ()))

    def with_schema(self, text: str) -> ReadRequest:
        """Return the request with the schema that the schema's file holds."""
        return replace(self.request, schema=given_schema(text, self.schema_type))


def plan_input(
    job: Job, index: int, entry: FlareInput, *, keep_system_columns: bool, settings: Settings
) -> PlannedInput:
    """Return one input of a job, resolved.

    Raises:
        StepError: It names nothing to read, or its schema is no schema.
    """
    label = f'inputs[{index}] "{entry.name}"'
    location = job_location(job, "inputs", index, "dataset" if entry.dataset else "name")
    text, kind = entry.schema_string, entry.schema_type
    section = entry.connection
    query = section.query if isinstance(section, JdbcConnection) and section.table is None else None
    request = ReadRequest(
        target=with_storage(input_target(entry, settings, label, location), job),
        format=entry.format or implied_format(entry.input_type),
        options={**entry.options, **_connection_options(entry), **_registry_options(entry)},
        schema=_checked_schema(text, kind, label, job_location(job, "inputs", index, "schemaString")) if text else None,
        keep_system_columns=keep_system_columns,
        location=location,
        query=StoreQuery(query.rstrip().rstrip(";")) if query else None,
    )
    schema = None
    if entry.schema_path and not text:
        schema = _schema_file(entry.schema_path, settings, job_location(job, "inputs", index, "schemaPath"))
    increment = plan_increment(job, index, entry, label)
    return PlannedInput(label, entry.name, request, location, schema=schema, schema_type=kind, increment=increment)


def implicit_input(address: Address, name: str, location: Location) -> PlannedInput:
    """Return the input that a dataset named in a step's SQL stands for."""
    request = ReadRequest(Target(address=address), location=location)
    return PlannedInput(f'relation "{name}"', name, request, location, implicit=True)


def given_schema(text: str, kind: str | None) -> GivenSchema:
    """Return a schema with its language.

    The text decides where it can: manifests label DDL as `sparkJson`, and Spark's JSON not at all.

    Raises:
        ValueError: The label is unknown, or the text is JSON and no schema.
    """
    label = (kind or "avro").lower()
    if label not in _LANGUAGES:
        raise ValueError(f"schemaType {kind!r} is none of avro, spark, sparkJson, sparkDDL")
    if not text.lstrip().startswith("{"):
        return GivenSchema("ddl", text.strip())
    try:
        written = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the schema is no JSON: {error}") from None
    shape = written.get("type")
    if shape not in {"record", "struct"}:
        raise ValueError(
            f'the schema is a {shape!r}; a record ("type": "record") or struct ("type": "struct") is needed'
        )
    return GivenSchema("avro" if shape == "record" else "spark", text)


def _connection_options(entry: FlareInput) -> dict[str, str]:
    """Return `connectionProps`, which belong into the address of a MongoDB server, as options that say so."""
    return {f"{CONNECTION_PREFIX}{key}": value for key, value in entry.connection_props.items()}


def _registry_options(entry: FlareInput) -> dict[str, str]:
    """Return what an input says of the schema registry as the options that say the same."""
    said = {
        "schemaRegistryUrl": entry.schema_registry_url,
        "schemaSubject": entry.schema_subject,
        "schemaId": entry.schema_id,
    }
    return {key: str(value) for key, value in said.items() if value is not None}


def _checked_schema(text: str, kind: str | None, label: str, location: Location) -> GivenSchema:
    try:
        return given_schema(text, kind)
    except ValueError as error:
        raise StepError(
            f"{label}: {error}", step=label, location=location, hint="write an Avro record, Spark JSON, or DDL"
        ) from None


def _schema_file(path: str, settings: Settings, location: Location) -> ReadRequest:
    from dataos_dagster.address import Address

    target = Target(address=Address.parse(path)) if is_address(path) else Target(path=standalone_path(path, settings))
    return ReadRequest(target, format="text", options={"wholetext": "true"}, location=location)

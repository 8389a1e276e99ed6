"""`lakehouse` and `database`: stores that the platform creates, each with a depot of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SecretStr

from dataos_dagster.depots.manifest.connections import AzureConnection, Connection, GcsConnection, S3Connection
from dataos_dagster.manifests.model import (
    AnyCase,
    ManifestModel,
    NoEffect,
    OneOrMany,
    ScalarText,
    TextList,
    scalar_text,
)
from dataos_dagster.secrets.manifest import SecretReference


class LakehouseStorage(ManifestModel):
    """Where a lakehouse keeps its tables."""

    depot_name: Annotated[
        ScalarText | None, Field(description="Depot that is made; default <name>0<workspace>0storage.")
    ] = None
    type: Annotated[
        Annotated[Literal["s3", "gcs", "abfss", "wasbs"], AnyCase()], Field(description="Which object store.")
    ]
    s3: S3Connection | None = None
    gcs: GcsConnection | None = None
    abfss: AzureConnection | None = None
    wasbs: AzureConnection | None = None
    secrets: Annotated[tuple[SecretReference, ...], OneOrMany()] = ()

    @property
    def connection(self) -> Connection | None:
        """Return the section of the store's type."""
        found: Connection | None = getattr(self, self.type)
        return found


class Iceberg(ManifestModel):
    """Storage, catalog and engine of an Iceberg lakehouse."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "metastore": NoEffect("a catalog is named in `dataos.yaml`: `catalogs`"),
        "query_engine": NoEffect("jobs and `dataos show` query it", told=None),
    }

    storage: LakehouseStorage
    metastore: Annotated[Mapping[str, Any], Field(description="Catalog; carried, not used.")] = Field(
        default_factory=dict
    )
    query_engine: Annotated[Mapping[str, Any], Field(description="Engine; carried, not used.")] = Field(
        default_factory=dict
    )


class LakehouseSection(ManifestModel):
    """`lakehouse`."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "compute": NoEffect("a lakehouse runs nothing of its own", told=None),
        "run_as_api_key": NoEffect("a lakehouse runs nothing of its own", told="info"),
        "run_as_user": NoEffect("a lakehouse runs nothing of its own", told=None),
    }

    type: Annotated[Literal["iceberg"], AnyCase()] = "iceberg"
    compute: ScalarText | None = None
    run_as_api_key: Annotated[SecretStr | None, BeforeValidator(scalar_text)] = None
    run_as_user: ScalarText | None = None
    iceberg: Iceberg

    def depot_name(self, name: str, workspace: str) -> str:
        """Return the name of the depot that the lakehouse makes."""
        return self.iceberg.storage.depot_name or f"{name}0{workspace}0storage"


class Migration(ManifestModel):
    """Scripts that make a database's tables."""

    includes: Annotated[TextList, Field(description="Files NNN_name.up.sql and .down.sql.")] = ()
    includes_inline: Annotated[Mapping[str, str], Field(description="Name to script.")] = Field(default_factory=dict)
    command: Annotated[Annotated[Literal["up", "down"], AnyCase()] | None, Field(description="Direction.")] = None
    parameter: ScalarText | None = None


class DatabaseSection(ManifestModel):
    """`database`: a managed PostgreSQL database."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "migrate": NoEffect("tables are made by the jobs that write them; run the scripts yourself"),
        "compute": NoEffect("a database is a server of yours", told=None),
        "manage_as_user": NoEffect("a database is a server of yours", told=None),
    }

    migrate: Migration | None = None
    compute: ScalarText | None = None
    manage_as_user: ScalarText | None = None

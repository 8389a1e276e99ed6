"""Open what a target names: the store behind it, with the credentials of one access level."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dataos_dagster.depots import object_stores
from dataos_dagster.depots.access import AzureAccess, GcsAccess, S3Access, azure_suffix
from dataos_dagster.depots.depot import ICEBERG, Depot
from dataos_dagster.depots.files.formats import FILE_FORMATS
from dataos_dagster.depots.folders import open_folder
from dataos_dagster.depots.hadoop_keys import with_keys
from dataos_dagster.depots.storage import Place
from dataos_dagster.errors import DepotError, DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.address import Acl
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.maintenance import MaintenanceRequest
    from dataos_dagster.depots.manifest import AzureConnection, S3Connection
    from dataos_dagster.depots.requests import (
        JdbcConnection,
        ReadRequest,
        Requirements,
        SpelledSource,
        Target,
        WriteRequest,
    )
    from dataos_dagster.depots.stores import Store
    from dataos_dagster.errors import Location
    from dataos_dagster.settings import Settings

# Keys of the credentials that published manifests use, the documented one first.
_ACCESS_KEYS = ("accesskeyid", "awsaccesskeyid")
_SECRET_KEYS = ("secretkey", "awssecretaccesskey")
_GCS_KEYS = ("gcskey_json", "json_keyfile")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder for an engine's own files, and what a session needs to use it."""

    place: Place
    requirements: Requirements


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens stores for one project."""

    catalog: DepotCatalog

    def store_of(self, request: ReadRequest | WriteRequest | MaintenanceRequest, acl: Acl) -> Store:
        """Return the store that serves a request.

        Raises:
            DepotNotFound: Nobody declares the depot.
            DepotUnsupported: Its source type, or the scheme of the path, is not read yet.
            SecretError: Its credentials cannot be had.
        """
        target, format_ = request.target, (request.format or "").lower() or None
        if target.address is None:
            return self._standalone(target, format_)
        depot = self.catalog.find(target.address.depot, location=request.location)
        if depot.family == "postgresql":
            from dataos_dagster.depots.postgresql.store import open_depot

            return open_depot(depot, self.catalog.credentials(depot, acl), self.catalog.settings)
        if depot.family == "kafka":
            return _kafka(depot, self.catalog.credentials(depot, acl))
        if depot.family == "connector":
            return self._connector(depot, self.catalog.credentials(depot, acl))
        if _as_table(depot, format_, target.address.path):
            return self._lakehouse(depot, acl)
        path = (target.address.collection or "", *target.address.path)
        return open_folder(self._root(depot, acl), self.catalog, depot, format_, path)

    def store_of_depot(self, depot: Depot, acl: Acl) -> Store:
        """Return the store of a whole depot.

        Raises:
            DepotUnsupported: Its source type is not read yet.
            SecretError: Its credentials cannot be had.
        """
        if depot.family == "postgresql":
            from dataos_dagster.depots.postgresql.store import open_depot

            return open_depot(depot, self.catalog.credentials(depot, acl), self.catalog.settings)
        if depot.family == "kafka":
            return _kafka(depot, self.catalog.credentials(depot, acl))
        if depot.family == "connector":
            return self._connector(depot, self.catalog.credentials(depot, acl))
        if depot.is_lakehouse:
            return self._lakehouse(depot, acl)
        return open_folder(self._root(depot, acl), self.catalog, depot, depot.format, None)

    def folder(self, target: Target, *, location: Location | None = None) -> Folder:
        """Return the folder that an address or path names, whether it is there or not.

        Raises:
            DepotNotFound: Nobody declares the depot.
            DepotUnsupported: The depot has no folder: it is a database, or a catalog without a bucket of its own.
        """
        if target.address is None:
            place = self._parsed(target, target.path or "")
            return Folder(place, object_stores.requirements(place))
        depot = self.catalog.find(target.address.depot, location=location)
        if depot.connection is None or depot.family != "folders":
            raise DepotUnsupported(
                f"{target} is in depot {depot.name!r}, which has no folder for files",
                hint="name a folder: a path, or an address in a depot of the type file, s3, gcs, abfss or wasbs",
                location=location,
            )
        place = self._root(depot, "rw").join(target.address.collection or "", *target.address.path)
        return Folder(place, object_stores.requirements(place))

    def _lakehouse(self, depot: Depot, acl: Acl) -> Store:
        from dataos_dagster.depots.lakehouse.store import LakehouseStore
        from dataos_dagster.depots.lakehouse.tables import Warehouse

        root = self._root(depot, acl) if depot.connection is not None else None
        warehouse = Warehouse(depot.name, root, depot.catalog, root.s3 if root else self._catalog_s3(depot, acl))
        return LakehouseStore(warehouse, self.catalog.settings, self.catalog.offline)

    def _connector(self, depot: Depot, credentials: Mapping[str, SecretStr]) -> Store:
        from dataos_dagster.depots.connectors.opening import connector_of
        from dataos_dagster.depots.connectors.store import ConnectorStore

        # However a depot says that it is MySQL, its writers take the same locks.
        if (depot.subprotocol or "").lower() in {"mysql", "mariadb"}:
            from dataos_dagster.depots.mysql.store import open_depot

            return open_depot(depot, credentials, self.catalog.settings)
        return ConnectorStore(connector_of(depot, credentials), f"depot {depot.name!r}", depot.type)

    def _standalone(self, target: Target, format_: str | None) -> Store:
        from dataos_dagster.depots.lakehouse.store import LakehouseStore
        from dataos_dagster.depots.lakehouse.tables import Warehouse

        settings = self.catalog.settings
        if target.jdbc is not None:
            return _database(target.jdbc, settings)
        if target.source is not None:
            return self._spelled_out(target.source)
        if target.warehouse is not None:
            warehouse = Warehouse.standalone(self._parsed(target, target.warehouse))
            return LakehouseStore(warehouse, settings, self.catalog.offline)
        if target.path is None:
            raise DepotError("a request names neither an address nor a location")
        place = self._parsed(target, target.path)
        if format_ == ICEBERG:
            return LakehouseStore(Warehouse.standalone(place.parent), settings, self.catalog.offline)
        return open_folder(place, self.catalog, None, format_)

    def _spelled_out(self, source: SpelledSource) -> Store:
        """Return the store of a source that a job spells out, opened as a depot of that type would be."""
        from dataos_dagster.depots.connectors.opening import connector_of
        from dataos_dagster.depots.connectors.store import ConnectorStore

        source = self.catalog.spelled_out(source)
        depot = Depot(source.kind, source.kind, source.connection, self.catalog.settings.project)
        if depot.family == "kafka":
            return _kafka(depot, source.credentials, spelled_out=True)
        return ConnectorStore(connector_of(depot, source.credentials), source.kind, source.kind)

    def _parsed(self, target: Target, text: str) -> Place:
        """Return the place that a path of a standalone job names, opened with the keys that the job gives."""
        base = self.catalog.settings.project
        place = Place.parse(text, base=base)
        # Spark is given the job's properties themselves: where nothing is looked at, nobody needs the keys.
        return place if self.catalog.offline else with_keys(place, target.storage, base)

    def _root(self, depot: Depot, acl: Acl) -> Place:
        from dataos_dagster.depots.manifest import AzureConnection, FileConnection, GcsConnection, S3Connection

        connection = depot.connection
        if isinstance(connection, FileConnection):
            return Place.parse(connection.path, base=depot.folder)
        if isinstance(connection, S3Connection):
            s3 = s3_access(connection, self.catalog.credentials(depot, acl))
            return Place(connection.bucket, s3).join(connection.relative_path)
        if isinstance(connection, AzureConnection):
            azure = azure_access(depot.type, connection, self.catalog.credentials(depot, acl))
            return Place(connection.container, azure).join(connection.relative_path)
        if isinstance(connection, GcsConnection):
            gcs = gcs_access(self.catalog.credentials(depot, acl))
            return Place(connection.bucket, gcs).join(connection.relative_path)
        raise DepotError(f"depot {depot.name!r} has no folder", location=depot.location)

    def _catalog_s3(self, depot: Depot, acl: Acl) -> S3Access | None:
        """Return the identity for the buckets of a catalog without a depot of its own: `s3.*` properties name it."""
        assert depot.catalog is not None  # noqa: S101 - a depot without connection comes from `catalogs`
        found, keys = depot.catalog.plain_properties, depot.catalog.secret_properties
        credentials = self.catalog.credentials(depot, acl)
        if not any(key.startswith("s3.") for key in depot.catalog.properties) and not credentials:
            return None
        return S3Access(
            keys.get("s3.access-key-id"),
            keys.get("s3.secret-access-key"),
            found.get("s3.endpoint"),
            found.get("s3.region") or found.get("client.region"),
        )


def _database(jdbc: JdbcConnection, settings: Settings) -> Store:
    """Return the store of a connection that a job spells out, which is that of a depot of the same server."""
    if jdbc.url.startswith("jdbc:postgresql:"):
        from dataos_dagster.depots.postgresql.store import open_standalone

        return open_standalone(jdbc, settings)
    from dataos_dagster.depots.connectors.jdbc import standalone_connector
    from dataos_dagster.depots.connectors.store import ConnectorStore
    from dataos_dagster.depots.mysql.store import is_one_server
    from dataos_dagster.depots.mysql.store import open_standalone as open_mysql

    if is_one_server(jdbc.url):
        return open_mysql(jdbc, settings)
    kind = jdbc.url.split(":")[1] if jdbc.url.startswith("jdbc:") else "jdbc"
    return ConnectorStore(standalone_connector(jdbc), jdbc.url, kind)


def s3_access(connection: S3Connection, credentials: Mapping[str, SecretStr]) -> S3Access:
    """Return how a depot's bucket is opened; without credentials the machine's own AWS configuration counts."""
    endpoint = connection.endpoint or _text(credentials, "awsendpoint")
    if endpoint and "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    return S3Access(
        _first(credentials, _ACCESS_KEYS),
        _first(credentials, _SECRET_KEYS),
        endpoint,
        connection.region or _text(credentials, "awsregion"),
    )


def azure_access(kind: str, connection: AzureConnection, credentials: Mapping[str, SecretStr]) -> AzureAccess:
    """Return how a depot's container is opened; without credentials the machine's own identity counts.

    Args:
        kind: Source type of the depot, `abfss` or `wasbs`.
        connection: The depot's.
        credentials: Of its secret.
    """
    suffix = connection.endpoint_suffix or _text(credentials, "azureendpointsuffix")
    return AzureAccess(
        connection.account,
        "abfss" if kind == "abfss" else "wasbs",
        credentials.get("azurestorageaccountkey"),
        azure_suffix(suffix),
    )


def gcs_access(credentials: Mapping[str, SecretStr]) -> GcsAccess:
    """Return how a depot's bucket is opened; without a key the machine's own identity counts."""
    return GcsAccess(_first(credentials, _GCS_KEYS), _text(credentials, "projectid"))


def _as_table(depot: Depot, format_: str | None, path: tuple[str, ...]) -> bool:
    """Return whether a dataset of a folder is an Iceberg table.

    Any format can lie in a folder, so what is asked for decides. In a lakehouse only a name with the extension of a
    file is taken for one: manifests put `format: parquet` there for the format of the table's data files.
    """
    if depot.is_lakehouse:
        extension = PurePosixPath(path[-1]).suffix.lstrip(".").lower() if path else ""
        return extension not in FILE_FORMATS
    return format_ == ICEBERG


def _first(credentials: Mapping[str, SecretStr], keys: tuple[str, ...]) -> SecretStr | None:
    return next((credentials[key] for key in keys if key in credentials), None)


def _text(credentials: Mapping[str, SecretStr], key: str) -> str | None:
    return credentials[key].get_secret_value() if key in credentials else None


def _kafka(depot: Depot, credentials: Mapping[str, SecretStr], *, spelled_out: bool = False) -> Store:
    """Return the store of the topics of a depot, or of a cluster that a job spells out."""
    from dataos_dagster.depots.kafka.access import access_of
    from dataos_dagster.depots.kafka.event_hubs import event_hubs_access
    from dataos_dagster.depots.kafka.registry import SchemaRegistry
    from dataos_dagster.depots.kafka.store import KafkaStore
    from dataos_dagster.depots.manifest import EventHubConnection, KafkaConnection

    if isinstance(depot.connection, EventHubConnection):
        return KafkaStore(event_hubs_access(depot, credentials), depot.name, asks_registry=spelled_out)
    url = depot.connection.schema_registry_url if isinstance(depot.connection, KafkaConnection) else None
    login = _text(credentials, "schema_registry_username"), credentials.get("schema_registry_password")
    registry = SchemaRegistry(url, *login) if url else None
    return KafkaStore(access_of(depot, credentials), depot.name, registry, asks_registry=spelled_out)

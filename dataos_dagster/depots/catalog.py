"""All depots of a project, by name, and their credentials."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

from dataos_dagster.address import DEPOT_ALIASES
from dataos_dagster.depots.depot import ICEBERG, Depot
from dataos_dagster.errors import DepotNotFound, SecretNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import SecretStr

    from dataos_dagster.address import Acl
    from dataos_dagster.depots.manifest import Connection, ConnectionSecret, DepotSection, LakehouseSection
    from dataos_dagster.depots.requests import SpelledSource
    from dataos_dagster.errors import Location
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.manifests.resource import Resource
    from dataos_dagster.secrets.store import SecretStore
    from dataos_dagster.settings import CatalogSettings, Settings

DEFAULT_LAKEHOUSE = "lakehouse"


class DepotCatalog:
    """The depots of a project.

    Args:
        depots: In the order in which they are listed.
        secrets: Where their credentials are looked up, when they are needed and not before.
        settings: The project's settings.

    Attributes:
        offline: Depots tell what a session needs for them without a look at what is there, and are asked nothing else.
    """

    offline: ClassVar[bool] = False

    def __init__(self, depots: Iterable[Depot], secrets: SecretStore, settings: Settings) -> None:
        self._depots = {depot.name: depot for depot in depots}
        self.secrets = secrets
        self.settings = settings

    @classmethod
    def from_project(
        cls,
        project: Project | None,
        settings: Settings,
        *,
        secrets: SecretStore | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the depots that a project's manifests and settings declare, and the lakehouse that every project has.

        Args:
            project: None when there are no manifests.
            settings: `catalogs` puts an Iceberg REST catalog in front of a depot, or declares one.
            secrets: Default: the project's own store.
            environment: Variables for that store; those of the process by default.
        """
        from dataos_dagster.secrets.store import secret_store

        return cls(depots_of(project, settings), secrets or secret_store(project, settings, environment), settings)

    def __iter__(self) -> Iterator[Depot]:
        return iter(self._depots.values())

    def find(self, name: str, *, location: Location | None = None) -> Depot:
        """Return the depot of a name.

        Raises:
            DepotNotFound: Nobody declares it; suggests the nearest name.
        """
        depot = self._depots.get(canonical_name(name))
        if depot is None:
            near = difflib.get_close_matches(name.lower(), self._depots, n=1)
            raise DepotNotFound(
                f"no depot is named {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self._depots)}",
                location=location,
            )
        return depot

    def credentials(self, depot: Depot, acl: Acl) -> Mapping[str, SecretStr]:
        """Return the credentials for reading (`r`) or writing (`rw`); empty for a depot that refers to none.

        Raises:
            SecretNotFound: A secret is nowhere, or none grants what is needed.
            SecretBackendError: A back end could not answer.
        """
        owner = f"depot {depot.name!r}"
        if depot.inline_secrets:
            from dataos_dagster.secrets.access import Credential, choose

            inline = [
                Credential("inline credentials", secret.acl, _inline(depot, secret)) for secret in depot.inline_secrets
            ]
            return choose(acl, inline, owner=owner, location=depot.location)
        if depot.secrets:
            return self.secrets.credentials(depot.secrets, acl, owner=owner, location=depot.location)
        return {}

    def spelled_out(self, source: SpelledSource) -> SpelledSource:
        """Return a source that a job spells out, as it is to be opened."""
        return source


def depots_of(project: Project | None, settings: Settings) -> tuple[Depot, ...]:
    """Return the depots that manifests and settings declare, and the default lakehouse; looks up no credentials."""
    depots = {DEFAULT_LAKEHOUSE: _default_lakehouse(settings)}
    for declared in _declared(project, settings) if project else ():
        depots[declared.name] = declared
    for name, catalog in settings.catalogs.items():
        depot = depots.get(canonical_name(name))
        # A catalog without a depot of its name is a lakehouse of its own: files are where the catalog says.
        depots[canonical_name(name)] = (
            replace(depot, catalog=catalog)
            if depot and depot.location
            else Depot(canonical_name(name), "file", None, settings.project, format=ICEBERG, catalog=catalog)
        )
    return tuple(depots.values())


def canonical_name(name: str) -> str:
    """Return the name by which a depot is known: lower case, `icebase` as `lakehouse`."""
    return DEPOT_ALIASES.get(name.lower(), name.lower())


def _default_lakehouse(settings: Settings) -> Depot:
    from dataos_dagster.depots.manifest import FileConnection

    folder = settings.state_folder / DEFAULT_LAKEHOUSE
    return Depot(
        DEFAULT_LAKEHOUSE,
        "file",
        FileConnection(path=str(folder), format=ICEBERG),
        settings.project,
        format=ICEBERG,
        description="the lakehouse that every project has",
    )


def _declared(project: Project, settings: Settings) -> Iterator[Depot]:
    for resource in project.of_kind("depot"):
        yield _from_depot(resource)
    for resource in project.of_kind("lakehouse"):
        yield _from_lakehouse(resource, settings)
    for resource in project.of_kind("database"):
        folder = resource.document.file.parent
        yield Depot(canonical_name(f"{resource.name}database"), "database", None, folder, location=resource.location())


def _from_depot(resource: Resource[DepotSection]) -> Depot:
    section = resource.section
    return Depot(
        name=canonical_name(resource.name),
        type=section.type,
        connection=section.connection,
        folder=resource.document.file.parent,
        format=section.format,
        catalog=_metastore(section.connection),
        secrets=section.secrets,
        inline_secrets=section.connection_secrets,
        description=section.description or resource.envelope.description,
        location=resource.location(("depot",)),
    )


def _from_lakehouse(resource: Resource[LakehouseSection], settings: Settings) -> Depot:
    storage = resource.section.iceberg.storage
    return Depot(
        name=canonical_name(
            resource.section.depot_name(resource.name, resource.workspace or settings.default_workspace)
        ),
        type=storage.type,
        connection=storage.connection,
        folder=resource.document.file.parent,
        format=ICEBERG,
        catalog=_metastore(storage.connection),
        secrets=storage.secrets,
        description=resource.envelope.description,
        location=resource.location(("lakehouse",)),
    )


def _metastore(connection: Connection | None) -> CatalogSettings | None:
    """Return the REST catalog that an object store's section names, if it names one."""
    from dataos_dagster.depots.manifest import ObjectStoreConnection
    from dataos_dagster.settings import CatalogSettings

    if not isinstance(connection, ObjectStoreConnection) or not connection.metastore_url:
        return None
    return (
        CatalogSettings(uri=connection.metastore_url)
        if (connection.metastore_type or "rest").lower() == "rest"
        else None
    )


def _inline(depot: Depot, secret: ConnectionSecret) -> dict[str, SecretStr]:
    from pydantic import SecretStr

    values = dict(secret.data)
    for key, path in secret.files.items():
        file = depot.folder / path
        try:
            values[key] = SecretStr(file.read_text("utf-8"))
        except OSError as error:
            raise SecretNotFound(
                f"depot {depot.name!r} takes {key!r} from {path}, which cannot be read: {error.strerror}",
                hint="the path is relative to the manifest",
                location=depot.location,
            ) from None
    return values

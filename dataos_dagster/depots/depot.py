"""A depot: one source under a short name, from whatever declared it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.depots.support import family_of, planned
from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.depots.manifest import Connection, ConnectionSecret
    from dataos_dagster.depots.support import Family
    from dataos_dagster.errors import Location
    from dataos_dagster.secrets.manifest import SecretReference
    from dataos_dagster.settings import CatalogSettings

ICEBERG = "iceberg"


@dataclass(frozen=True, slots=True)
class Depot:
    """One source.

    Attributes:
        name: Lower case, by its present name (`icebase` is `lakehouse`).
        type: Source type in lower case; `database` for a managed database.
        connection: How it is reached.
        format: Format of its files in lower case; `iceberg` makes it a lakehouse; None when it holds any, or none.
        folder: What relative paths of the connection are relative to.
        catalog: Iceberg REST catalog that serves its tables.
        secrets: References to its credentials.
        inline_secrets: Credentials that stand in the manifest.
        location: Where it is declared; None for the default lakehouse.
    """

    name: str
    type: str
    connection: Connection | None
    folder: Path
    format: str | None = None
    catalog: CatalogSettings | None = None
    secrets: tuple[SecretReference, ...] = ()
    inline_secrets: tuple[ConnectionSecret, ...] = ()
    description: str | None = None
    location: Location | None = None

    @property
    def subprotocol(self) -> str | None:
        """Return the word behind `jdbc:`; None for what is no database with a JDBC driver."""
        found: str | None = getattr(self.connection, "subprotocol", None)
        return found

    @property
    def is_lakehouse(self) -> bool:
        """Return whether its datasets are Iceberg tables unless something else is asked for."""
        return self.format == ICEBERG or self.catalog is not None

    @property
    def family(self) -> Family:
        """Return the family of code that serves it.

        Raises:
            DepotUnsupported: None does yet; says what is planned.
        """
        found = family_of(self.type, self.subprotocol)
        if found is None:
            raise DepotUnsupported(
                f"depot {self.name!r} is of the type {self.type}"
                f"{f' ({self.subprotocol})' if self.type == 'jdbc' else ''}, which is not read or written yet",
                hint=f"planned: {planned(self.type)}",
                location=self.location,
            )
        return found

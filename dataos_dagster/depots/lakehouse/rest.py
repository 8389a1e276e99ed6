"""Tables behind an Iceberg REST catalog, seen through pyiceberg: what is there, and in which state."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.lakehouse.configuration import pyiceberg_properties
from dataos_dagster.depots.lakehouse.metadata import TableState
from dataos_dagster.depots.lakehouse.partitioning import default_name, iceberg_transform
from dataos_dagster.depots.lakehouse.types import all_optional
from dataos_dagster.errors import CredentialsRefused, DepotUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as PyIcebergTable
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.lakehouse.tables import Table, Warehouse
    from dataos_dagster.depots.requests import PartitionField

# A property of a table that has no rows yet.
CREATING = "dataos.creating"


def read_state(table: Table) -> TableState | None:
    """Return the state of a table, or None when the catalog knows none of that name.

    Raises:
        DepotUnreachable: The catalog does not answer.
        CredentialsRefused: It refuses the token.
    """
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    with failures(table.warehouse):
        try:
            found = open_catalog(table.warehouse).load_table((*table.namespace, table.name))
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
    state = TableState(json.loads(found.metadata.model_dump_json()))
    return None if CREATING in state.properties else state


def is_half_made(table: Table) -> bool:
    """Return whether a table is there whose creation was not confirmed."""
    with failures(table.warehouse):
        catalog, name = open_catalog(table.warehouse), (*table.namespace, table.name)
        return catalog.table_exists(name) and CREATING in catalog.load_table(name).properties


def create_namespace(table: Table) -> None:
    """Make the table's namespace when it is missing."""
    with failures(table.warehouse):
        open_catalog(table.warehouse).create_namespace_if_not_exists(table.namespace)


def create_table(
    table: Table, schema: StructType, spec: Sequence[PartitionField], properties: Mapping[str, str]
) -> None:
    """Create a table without rows, its columns all optional; it counts as missing until `confirm_creation`.

    Sail's own CREATE TABLE … AS SELECT of a partitioned table leaves an empty one behind in a catalog.
    """
    from pyiceberg.transforms import parse_transform
    from pyspark.sql.pandas.types import to_arrow_schema

    columns = to_arrow_schema(all_optional(schema))
    marked = {**properties, CREATING: "true"}
    with failures(table.warehouse):
        catalog = open_catalog(table.warehouse)
        catalog.create_namespace_if_not_exists(table.namespace)
        transaction = catalog.create_table_transaction((*table.namespace, table.name), columns, properties=marked)
        with transaction, transaction.update_spec() as update:
            for field in spec:
                name = field.name or default_name(field)
                update.add_field(field.column, parse_transform(iceberg_transform(field)), name)


def confirm_creation(table: Table) -> None:
    """Say that a new table has its rows."""
    with failures(table.warehouse), _load(table).transaction() as transaction:
        transaction.remove_properties(CREATING)


def drop_table(table: Table) -> None:
    """Drop a table whose creation was not confirmed."""
    with failures(table.warehouse):
        open_catalog(table.warehouse).drop_table((*table.namespace, table.name))


def set_properties(table: Table, properties: Mapping[str, str]) -> None:
    """Set properties of a table."""
    with failures(table.warehouse), _load(table).transaction() as transaction:
        transaction.set_properties(dict(properties))


def _load(table: Table) -> PyIcebergTable:
    return open_catalog(table.warehouse).load_table((*table.namespace, table.name))


def list_tables(warehouse: Warehouse) -> list[tuple[str, ...]]:
    """Return the names of all tables, namespaces included, in order."""
    found: list[tuple[str, ...]] = []
    with failures(warehouse):
        catalog = open_catalog(warehouse)
        spaces = list(catalog.list_namespaces())
        while spaces:
            space = spaces.pop()
            found += catalog.list_tables(space)
            spaces += [inner for inner in catalog.list_namespaces(space) if len(inner) > len(space)]
    return sorted(found)


def open_catalog(warehouse: Warehouse) -> Catalog:
    """Return pyiceberg's client of the catalog."""
    from pyiceberg.catalog import load_catalog

    return load_catalog(warehouse.catalog, **pyiceberg_properties(warehouse))


@contextmanager
def failures(warehouse: Warehouse) -> Iterator[None]:
    """Translate what pyiceberg raises inside the block."""
    import requests
    from pyiceberg.exceptions import ForbiddenError, OAuthError, RESTError, UnauthorizedError

    uri = warehouse.rest.uri if warehouse.rest else ""
    try:
        yield
    except (UnauthorizedError, ForbiddenError, OAuthError) as error:
        raise CredentialsRefused(
            f"the Iceberg REST catalog at {uri} refuses the token: {str(error)[:200]}",
            hint=f"check catalogs.{warehouse.name}.token in dataos.yaml",
        ) from None
    except (requests.RequestException, RESTError) as error:
        raise DepotUnreachable(
            f"the Iceberg REST catalog at {uri} does not answer: {_reason(error)}",
            hint=f"check catalogs.{warehouse.name}.uri in dataos.yaml, and that the server runs",
        ) from None


def _reason(error: Exception) -> str:
    return str(getattr(error.args[0], "reason", error) if error.args else error)[:300]

"""Tables behind an Iceberg REST catalog, seen through pyiceberg: what is there, and in which state."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.lakehouse.configuration import pyiceberg_properties
from dataos_dagster.depots.lakehouse.metadata import STRICT_COLUMNS, TableState
from dataos_dagster.errors import CredentialsRefused, DepotUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.catalog import Catalog

    from dataos_dagster.depots.lakehouse.tables import Table, Warehouse


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
    return TableState(json.loads(found.metadata.model_dump_json()))


def create_namespace(table: Table) -> None:
    """Make the table's namespace when it is missing."""
    with failures(table.warehouse):
        open_catalog(table.warehouse).create_namespace_if_not_exists(table.namespace)


def make_columns_optional(table: Table, state: TableState) -> TableState:
    """Commit a schema whose columns are all optional; see `metadata.make_columns_optional`."""
    if STRICT_COLUMNS not in state.properties:
        return state
    with failures(table.warehouse):
        found = open_catalog(table.warehouse).load_table((*table.namespace, table.name))
        with found.transaction() as transaction:
            with transaction.update_schema(allow_incompatible_changes=True) as update:
                for path in required_columns(found.schema().as_struct()):
                    update.update_column(path, required=False)
            transaction.remove_properties(STRICT_COLUMNS)
    return TableState(json.loads(found.metadata.model_dump_json()))


def required_columns(struct: object, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every required column, field, element and value of an Iceberg type."""
    from pyiceberg.types import ListType, MapType, StructType

    if isinstance(struct, StructType):
        for field in struct.fields:
            path = (*prefix, field.name)
            if field.required:
                yield path
            yield from required_columns(field.field_type, path)
    elif isinstance(struct, ListType):
        if struct.element_required:
            yield (*prefix, "element")
        yield from required_columns(struct.element_type, (*prefix, "element"))
    elif isinstance(struct, MapType):
        if struct.value_required:
            yield (*prefix, "value")
        yield from required_columns(struct.value_type, (*prefix, "value"))


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

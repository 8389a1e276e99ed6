"""Tables behind an Iceberg REST catalog, seen through pyiceberg: what is there, and in which state."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.claims import Claim
from dataos_dagster.depots.lakehouse.configuration import pyiceberg_properties
from dataos_dagster.depots.lakehouse.metadata import TableState
from dataos_dagster.depots.lakehouse.partitioning import default_name, iceberg_transform
from dataos_dagster.depots.lakehouse.types import all_optional
from dataos_dagster.depots.locks import Holder
from dataos_dagster.errors import CredentialsRefused, DatasetLocked, DepotUnreachable, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as PyIcebergTable
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.lakehouse.tables import Table, Warehouse
    from dataos_dagster.depots.requests import PartitionField

# A property of a table that has no rows yet: the claim of whoever is creating it.
CREATING = "dataos.creating"
_TAKEN = "another writer has just created it"
# Whose claim cannot be read.
_NOBODY = Claim("", "", Holder("an unknown host", 0, "", "somebody", "an unknown time"))


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
    state = _state(found)
    return None if CREATING in state.properties else state


def creation_of(table: Table) -> Claim | None:
    """Return the claim of whoever is creating a table; None when nobody is."""
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    with failures(table.warehouse):
        try:
            found = _load(table).properties.get(CREATING)
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
    return None if found is None else Claim.parse(found) or _NOBODY


def create_namespace(table: Table) -> None:
    """Make the table's namespace when it is missing."""
    with failures(table.warehouse):
        open_catalog(table.warehouse).create_namespace_if_not_exists(table.namespace)


def create_table(
    table: Table, schema: StructType, spec: Sequence[PartitionField], properties: Mapping[str, str], claim: Claim
) -> None:
    """Create a table without rows, its columns all optional; it counts as missing until `confirm_creation`.

    Sail's own CREATE TABLE … AS SELECT of a partitioned table leaves an empty one behind in a catalog.

    Raises:
        DatasetLocked: Another writer has created it in the meantime.
    """
    from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
    from pyiceberg.transforms import parse_transform
    from pyspark.sql.pandas.types import to_arrow_schema

    columns = to_arrow_schema(all_optional(schema))
    marked = {**properties, CREATING: claim.as_text()}
    with failures(table.warehouse):
        catalog = open_catalog(table.warehouse)
        catalog.create_namespace_if_not_exists(table.namespace)
        try:
            transaction = catalog.create_table_transaction((*table.namespace, table.name), columns, properties=marked)
            with transaction, transaction.update_spec() as update:
                for field in spec:
                    name = field.name or default_name(field)
                    update.add_field(field.column, parse_transform(iceberg_transform(field)), name)
        except (CommitFailedException, TableAlreadyExistsError):
            raise DatasetLocked(
                f"{table.target} was not written: {_TAKEN}", hint="run the job again: it will add to that table"
            ) from None


def confirm_creation(table: Table, claim: Claim) -> None:
    """Say that a new table has its rows.

    Raises:
        WriteFailed: The table is not the one that was created under this claim.
    """
    from pyiceberg.exceptions import CommitFailedException, NoSuchTableError

    with failures(table.warehouse):
        try:
            found = _load(table)
            if found.properties.get(CREATING) != claim.as_text():
                raise WriteFailed(f"{table.target} was not written: somebody dropped its new table meanwhile")
            # The commit names the table's UUID: one that was made anew since is refused.
            with found.transaction() as transaction:
                transaction.remove_properties(CREATING)
        except (CommitFailedException, NoSuchTableError) as error:
            raise WriteFailed(f"{table.target} was not written: its new table is gone: {error}") from None


def drop_creation(table: Table, claim: Claim) -> None:
    """Drop a table that was created under a claim and not confirmed; any other table stays."""
    from pyiceberg.exceptions import NoSuchTableError

    with failures(table.warehouse):
        catalog = open_catalog(table.warehouse)
        try:
            found = catalog.load_table((*table.namespace, table.name))
            if found.properties.get(CREATING) == claim.as_text():
                catalog.drop_table((*table.namespace, table.name))
        except NoSuchTableError:
            return


def restore(table: Table, before: TableState) -> None:
    """Commit properties, partition spec and branches as they were, unless rows have been committed since."""
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table import update as updates

    with failures(table.warehouse):
        found = _load(table)
        now = _state(found)
        kept = dict(before.properties)
        gone = [key for key in now.properties if key not in kept]
        changes: list[updates.TableUpdate] = [updates.RemovePropertiesUpdate(removals=gone)] if gone else []
        if any(now.properties.get(key) != value for key, value in kept.items()):
            changes.append(updates.SetPropertiesUpdate(updates=kept))
        if now.raw["default-spec-id"] != before.raw["default-spec-id"]:
            changes.append(updates.SetDefaultSpecUpdate(spec_id=before.raw["default-spec-id"]))
        changes += [
            updates.RemoveSnapshotRefUpdate(ref_name=name) for name in now.branches if name not in before.branches
        ]
        if not changes:
            return
        main = before.snapshot()
        unchanged = updates.AssertRefSnapshotId(ref="main", snapshot_id=main.id if main else None)
        try:
            open_catalog(table.warehouse).commit_table(
                found, (updates.AssertTableUUID(uuid=found.metadata.table_uuid), unchanged), tuple(changes)
            )
        except CommitFailedException:
            return  # somebody's rows are in: what was changed for them stays


def set_properties(table: Table, properties: Mapping[str, str]) -> None:
    """Set properties of a table."""
    with failures(table.warehouse), _load(table).transaction() as transaction:
        transaction.set_properties(dict(properties))


def _state(found: PyIcebergTable) -> TableState:
    return TableState(json.loads(found.metadata.model_dump_json()))


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

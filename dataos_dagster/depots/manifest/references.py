"""What depots and managed stores refer to, and what they get wrong in themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.manifest.connections import MongodbConnection, SnowflakeConnection
from dataos_dagster.depots.manifest.credentials import CREDENTIAL_KEYS
from dataos_dagster.manifests.kinds import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.depots.manifest.managed import LakehouseSection
    from dataos_dagster.depots.manifest.section import DepotSection
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft


def depot_references(section: DepotSection) -> Iterator[Reference]:
    """Yield the secrets that open a depot, and its compute."""
    for index, secret in enumerate(section.secrets):
        yield Reference("secret", secret.name, ("secrets", index, "name"), secret.workspace)
    if section.compute:
        yield Reference("compute", section.compute, ("compute",))


def lakehouse_references(section: LakehouseSection) -> Iterator[Reference]:
    """Yield the secrets that open a lakehouse's storage."""
    for index, secret in enumerate(section.iceberg.storage.secrets):
        yield Reference("secret", secret.name, ("iceberg", "storage", "secrets", index, "name"), secret.workspace)


def check_depot(draft: Draft, section: DepotSection, path: DocumentPath) -> None:
    """Report inline credentials, credentials that lack a key, and connections that cannot work, or not yet."""
    keys = CREDENTIAL_KEYS[section.type]
    for index, secret in enumerate(section.connection_secret):
        place = (*path, "connectionSecret", index)
        message = "credentials stand in the depot itself"
        draft.warn("inline-credentials", place, message, "put them into an Instance Secret and name it in `secrets`")
        missing = keys.missing({*secret.data, *secret.files})
        if missing is not None:
            draft.warn(
                "missing-credential",
                place,
                f"credentials of a {section.type} depot need `{missing}`",
                f"write `{missing}` below `data`, or below `files` with the path of a file",
            )
    connection = section.connection
    if isinstance(connection, MongodbConnection):
        _check_mongodb(draft, connection, (*path, "mongodb", "nodes"))
    if isinstance(connection, SnowflakeConnection):
        _check_snowflake(draft, connection, (*path, "snowflake"))


def _check_snowflake(draft: Draft, connection: SnowflakeConnection, path: DocumentPath) -> None:
    if connection.url is None and connection.account is None:
        draft.error("missing-key", path, "`url` is missing", "write the host name, or `account`", key=True)
    if connection.role is None:
        message = "no `role`: the user's default role is used"
        draft.info("default-role", path, message, "write `role` when another one is meant", key=True)


def _check_mongodb(draft: Draft, connection: MongodbConnection, path: DocumentPath) -> None:
    if not connection.subprotocol.endswith("+srv"):
        return
    if len(connection.nodes) != 1 or ":" in connection.nodes[0]:
        message = "mongodb+srv takes exactly one host, without a port"
        draft.warn("wrong-value", path, message, "the server list comes from DNS")


def check_lakehouse(draft: Draft, section: LakehouseSection, path: DocumentPath) -> None:
    """Report a storage without the section of its type."""
    storage = section.iceberg.storage
    if storage.connection is None:
        place = (*path, "iceberg", "storage", "type")
        message = f"the section `{storage.type}` is missing"
        draft.unresolved("missing-section", place, message, f"write `{storage.type}:` with the bucket or container")

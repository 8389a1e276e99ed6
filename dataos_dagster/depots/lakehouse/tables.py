"""Where the tables of a lakehouse are, and what each engine calls them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from dataos_dagster.depots.access import S3Access
    from dataos_dagster.depots.requests import Target
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.settings import CatalogSettings


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A lakehouse: a folder with the layout of Iceberg's Hadoop catalog, or a REST catalog.

    Attributes:
        name: Name of the catalog in Spark: the depot's.
        root: The folder; None when a REST catalog knows where tables are.
        rest: The REST catalog; wins over the folder.
        s3: How buckets are opened.
    """

    name: str
    root: Place | None
    rest: CatalogSettings | None = None
    s3: S3Access | None = None

    @classmethod
    def standalone(cls, root: Place) -> Warehouse:
        """Return the warehouse of a standalone job, under a name of its own."""
        return cls(f"standalone_{hashlib.sha256(str(root).encode()).hexdigest()[:12]}", root, s3=root.s3)

    @property
    def catalog(self) -> str:
        """Return the catalog's name as Spark's properties admit it."""
        return re.sub(r"[^a-z0-9_]", "_", self.name)

    def table(self, target: Target) -> Table:
        """Return the table that a target names.

        Raises:
            DepotError: It names a whole lakehouse or collection.
        """
        if target.address is not None:
            segments = (*((target.address.collection,) if target.address.collection else ()), *target.address.path)
            complete = bool(target.address.path)
        elif target.table is not None:
            segments = (*(target.namespace or "").split("."), target.table)
            complete = bool(target.table)
        else:
            # A table that is named by its folder: the folder above is its warehouse.
            segments = (PurePosixPath(target.path or "").name,)
            complete = bool(segments[0])
        if not complete:
            raise DepotError(
                f"{target} names no table", hint="write depot, collection and table: dataos://lakehouse:sales/orders"
            )
        return Table(self, tuple(part for part in segments[:-1] if part), segments[-1], target)


@dataclass(frozen=True, slots=True)
class Table:
    """One table, whether it is there or not."""

    warehouse: Warehouse
    namespace: tuple[str, ...]
    name: str
    target: Target

    @property
    def place(self) -> Place:
        """Return its folder; only in the folder layout."""
        assert self.warehouse.root is not None  # noqa: S101 - callers ask for `warehouse.rest` first
        return self.warehouse.root.join(*self.namespace, self.name)

    @property
    def identifier(self) -> str:
        """Return its name in SQL, catalog included."""
        return ".".join(quoted(part) for part in (self.warehouse.catalog, *self.namespace, self.name))

    @property
    def dotted(self) -> str:
        """Return namespace and name, for messages and lock files."""
        return ".".join((*self.namespace, self.name))

    def branch_identifier(self, branch: str) -> str:
        """Return the name of one of its branches in SQL: writes with an option `branch` go to the main one."""
        return f"{self.identifier}.{quoted(f'branch_{branch}')}"

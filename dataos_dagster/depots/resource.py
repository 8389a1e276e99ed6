"""A depot as a Dagster resource, for Python assets beside the manifests.

Dagster shows the configuration of a resource to everybody who can open its page. So a depot carries names only: its own
and the project's folder; connection and credentials are looked up in the process that uses them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field, PrivateAttr

from dataos_dagster.address import Address

if TYPE_CHECKING:
    from dataos_dagster.depots.door import DepotStatus, Door

PREFIX = "depot__"


class DepotResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # nothing is gained by naming the value's type
    """One depot of a project: check it, and read and write its datasets through the project's door.

    Example:
        .. code-block:: python

            @dg.asset
            def orders_report(depot__lakehouse: DepotResource) -> None:
                address = depot__lakehouse.address("sales", "orders")
    """

    depot: str = Field(description="Name of the depot.")
    project: str = Field(description="Folder of the project that declares it.")

    _door: Door | None = PrivateAttr(default=None)

    @property
    def door(self) -> Door:
        """Return the door of the project, which reads and writes all its depots."""
        if self._door is None:
            from dataos_dagster.depots.catalog import DepotCatalog
            from dataos_dagster.depots.door import Door
            from dataos_dagster.manifests.project import load_project
            from dataos_dagster.settings import load_settings

            settings = load_settings(Path(self.project))
            project = load_project(settings.project, settings=settings)
            self._door = Door(DepotCatalog.from_project(project, settings))
        return self._door

    def address(self, collection: str | None = None, *path: str) -> Address:
        """Return the address of a dataset of this depot."""
        return Address(self.depot, collection, path)

    def check(self) -> DepotStatus:
        """Return whether the depot is reachable, its credentials are accepted, and what is in it.

        Raises:
            DepotNotFound: The project no longer declares it.
        """
        return self.door.check(self.depot)


@cache
def depot_resource(project: Path, depot: str) -> DepotResource:
    """Return the resource of a depot: the same object each time, because Dagster merges equal keys by identity only."""
    return DepotResource(depot=depot, project=str(project))

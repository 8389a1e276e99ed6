"""A depot as a Dagster resource, for Python assets beside the manifests.

Dagster shows the configuration of a resource to everybody who can open its page. So a depot carries names only: its own
and the project's folder; connection and credentials are looked up in the process that uses them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from dagster import ConfigurableResource
from pydantic import Field, PrivateAttr

from dataos_dagster.address import Address

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.door import DepotStatus, Door
    from dataos_dagster.engines.session import Sessions
    from dataos_dagster.settings import EngineName, Settings

PREFIX = "depot__"


class DepotResource(ConfigurableResource):  # type: ignore[type-arg]  # nothing is gained by naming the value's type
    """One depot of a project: check it, and read its datasets through the project's door.

    Example:
        .. code-block:: python

            @dg.asset(deps=[dg.AssetKey(["lakehouse", "sales", "orders"])])
            def orders_report(depot__lakehouse: DepotResource) -> None:
                orders = depot__lakehouse.read("sales", "orders").toPandas()
    """

    depot: str = Field(description="Name of the depot.")
    project: str = Field(description="Folder of the project that declares it.")

    _settings: Settings | None = PrivateAttr(default=None)
    _door: Door | None = PrivateAttr(default=None)
    _sessions: Sessions | None = PrivateAttr(default=None)

    @property
    def settings(self) -> Settings:
        """Return the project's settings."""
        if self._settings is None:
            from dataos_dagster.settings import load_settings

            self._settings = load_settings(Path(self.project))
        return self._settings

    @property
    def door(self) -> Door:
        """Return the door of the project, which reads and writes all its depots."""
        if self._door is None:
            from dataos_dagster.depots.catalog import DepotCatalog
            from dataos_dagster.depots.door import Door
            from dataos_dagster.manifests.project import load_project

            project = load_project(self.settings.project, settings=self.settings)
            self._door = Door(DepotCatalog.from_project(project, self.settings))
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

    def read(self, collection: str | None, *path: str, engine: EngineName | None = None) -> DataFrame:
        """Return a lazy frame of a dataset; its engine lives until the run ends.

        Args:
            collection: Schema, namespace or folder; None when the depot has no such level.
            path: Name of the dataset, or its segments.
            engine: Engine to read on; default Sail, or Spark where Sail cannot read the depot.

        Raises:
            DatasetNotFound: The depot has no such dataset.
            DepotUnsupported: No engine can read it.
            EngineUnavailable: The engine is not installed, or did not start.
        """
        from dataos_dagster.depots.door import ReadRequest, Target
        from dataos_dagster.depots.requirements import session_configuration
        from dataos_dagster.engines.session import Sessions
        from dataos_dagster.identity import principal_of

        request = ReadRequest(Target(self.address(collection, *path)))
        needed = self.door.requirements([request])
        chosen: EngineName = engine or ("spark" if "sail" in needed.vetoes else "sail")
        if self._sessions is None:
            self._sessions = Sessions(self.settings)
        session = self._sessions.get(session_configuration(chosen, needed))
        return self.door.read(request, session, principal_of(None, None, self.settings.identity))

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """End the engine that `read` has started."""
        del context
        if self._sessions is not None:
            self._sessions.close()
            self._sessions = None


@cache
def depot_resource(project: Path, depot: str) -> DepotResource:
    """Return the resource of a depot: the same object each time, because Dagster merges equal keys by identity only."""
    return DepotResource(depot=depot, project=str(project))

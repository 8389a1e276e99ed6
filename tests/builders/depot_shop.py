"""A project with depots, and a short way to read and write through its door on either engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sessions import SPARK

from dataos_dagster.address import Address
from dataos_dagster.depots.catalog import DepotCatalog
from dataos_dagster.depots.door import Door, ReadRequest, Target, WriteRequest
from dataos_dagster.depots.requirements import session_configuration
from dataos_dagster.identity import Principal
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.door import WriteResult
    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.settings import EngineName

ANN = Principal("ann", "settings")
SHOP_FILES = """
name: shopfiles
version: v2alpha
type: depot
depot:
  type: file
  file: {path: ./data}
"""


@dataclass
class Shop:
    """A project, and an engine to work with."""

    root: Path
    engine: EngineName
    sessions: Sessions

    @property
    def door(self) -> Door:
        """Return the door of the project as its manifests are now."""
        settings = load_settings(self.root)
        return Door(DepotCatalog.from_project(load_project(self.root, settings=settings, use_cache=False), settings))

    @property
    def data(self) -> Path:
        """Return the folder of the depot `shopfiles`."""
        return self.root / "data"

    def declare(self, text: str, name: str) -> None:
        """Write a manifest."""
        (self.root / name).write_text(text)

    def put(self, path: str, text: str) -> None:
        """Write a file of the depot `shopfiles`."""
        file = self.data / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    def session(self, *requests: ReadRequest | WriteRequest) -> EngineSession:
        """Return a session that meets what requests need; the warm one of the tests where that does."""
        needed = session_configuration(self.engine, self.door.requirements(requests))
        if self.engine == "spark":
            packages = tuple(sorted({*needed.packages, *SPARK.packages}))
            conf = tuple(sorted((dict(needed.conf) | dict(SPARK.conf)).items()))
            needed = replace(needed, conf=conf, packages=packages, driver_memory=SPARK.driver_memory)
        return self.sessions.get(needed)

    def sql(self, query: str, *requests: ReadRequest | WriteRequest) -> DataFrame:
        """Return a frame to write."""
        return self.session(*requests).spark.sql(query)

    def write(self, query: str, address: str, mode: str = "overwrite", **options: Any) -> WriteResult:
        """Write the rows of a query to an address."""
        request = WriteRequest(target(address), mode, **options)
        session = self.session(request)
        return self.door.write(session.spark.sql(query), request, session, ANN)

    def frame(self, address: str, **options: Any) -> DataFrame:
        """Return a dataset."""
        request = ReadRequest(target(address), **options)
        return self.door.read(request, self.session(request), ANN)

    def rows(self, address: str, **options: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a dataset, ordered."""
        return sorted((tuple(row) for row in self.frame(address, **options).collect()), key=repr)

    def types(self, address: str, **options: Any) -> Mapping[str, str]:
        """Return the columns of a dataset and their types."""
        return dict(self.frame(address, **options).dtypes)


def target(address: str) -> Target:
    """Return the target that an address names."""
    return Target(Address.parse(address))

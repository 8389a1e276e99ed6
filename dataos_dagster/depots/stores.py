"""What each family of depots offers to the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.address import Address
    from dataos_dagster.depots.requests import ReadRequest, Requirements, WriteRequest, WriteResult
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal


class Store(Protocol):
    """One depot, or one standalone location, opened with the credentials of one access level."""

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs to serve a request."""

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a dataset."""

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame, completely or not at all."""

    def check(self) -> str:
        """Return what was found, such as `3 tables in 2 namespaces`; raise a DepotError when it cannot be used."""

    def datasets(self) -> tuple[Address, ...]:
        """Return the addresses of its datasets, in order."""

"""The one door to the data: every read and every write of every stack goes through here.

Whoever reads or writes names a target and a principal and gets a frame, or has one committed. Nothing else in this
package opens a path, a table or a connection, so that access policies need to be applied in one place only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.requests import (
    Column,
    DepotStatus,
    GivenSchema,
    JdbcConnection,
    Merge,
    PartitionField,
    ReadRequest,
    Requirements,
    Sort,
    SortColumn,
    Target,
    WriteRequest,
    WriteResult,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.address import Address
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal

__all__ = [
    "Column",
    "DepotStatus",
    "Door",
    "GivenSchema",
    "JdbcConnection",
    "Merge",
    "PartitionField",
    "ReadRequest",
    "Requirements",
    "Sort",
    "SortColumn",
    "Target",
    "WriteRequest",
    "WriteResult",
]


class Door:
    """Reads and writes datasets of the depots of one project.

    Args:
        catalog: The project's depots.
    """

    def __init__(self, catalog: DepotCatalog) -> None:
        self.catalog = catalog

    def requirements(self, requests: Iterable[ReadRequest | WriteRequest]) -> Requirements:
        """Return what a session needs to serve all of these requests, and which engines cannot.

        Raises:
            DepotNotFound: A request names a depot that nobody declares.
            DepotUnsupported: No engine can serve a request.
            SecretError: The credentials of a depot cannot be had.
        """
        raise DepotUnsupportedYet(requests)

    def read(self, request: ReadRequest, session: EngineSession, principal: Principal) -> DataFrame:
        """Return a lazy frame of a dataset.

        Raises:
            DatasetNotFound: The depot has no such dataset.
            DepotUnsupported: The engine of this session cannot read it.
        """
        raise DepotUnsupportedYet(request, session, principal)

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame to a dataset, completely or not at all.

        Raises:
            SchemaMismatch: Columns are missing, too many, or would be cast unsafely.
            DatasetLocked: Another writer holds the dataset for longer than the settings wait.
            WriteFailed: The engine or the store failed; the dataset is as before.
        """
        raise DepotUnsupportedYet(frame, request, session, principal)

    def check(self, depot: str) -> DepotStatus:
        """Return whether a depot is reachable, its credentials are accepted, and what is in it.

        Raises:
            DepotNotFound: Nobody declares the depot.
        """
        raise DepotUnsupportedYet(depot)

    def datasets(self, depot: str) -> tuple[Address, ...]:
        """Return the datasets of a depot, in the order of their addresses."""
        raise DepotUnsupportedYet(depot)

    def schema(self, address: Address, session: EngineSession, principal: Principal) -> tuple[Column, ...]:
        """Return the columns of a dataset."""
        raise DepotUnsupportedYet(address, session, principal)

    def count(self, address: Address, session: EngineSession, principal: Principal) -> int:
        """Return the number of rows of a dataset."""
        raise DepotUnsupportedYet(address, session, principal)


class DepotUnsupportedYet(Exception):  # noqa: N818
    """Interim."""

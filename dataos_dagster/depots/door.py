"""The one door to the data: every read and every write of every stack goes through here.

Whoever reads or writes names a target and a principal and gets a frame, or has one committed. Nothing else in this
package opens a path, a table or a connection, so that access policies need to be applied in one place only.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.lakehouse.configuration import every_session
from dataos_dagster.depots.maintenance import MaintainedStore, MaintenanceRequest
from dataos_dagster.depots.opening import Opener
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
from dataos_dagster.depots.requirements import join, veto
from dataos_dagster.depots.settlement import SettlingStore, settled
from dataos_dagster.depots.statements import refuse_statement
from dataos_dagster.depots.streams import StreamStore
from dataos_dagster.errors import DepotError, DepotUnsupported, SecretError
from dataos_dagster.state.presence import has_state

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.streaming.query import StreamingQuery

    from dataos_dagster.address import Address
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.maintenance import MaintenanceResult
    from dataos_dagster.depots.opening import Folder
    from dataos_dagster.depots.settlement import Evidence, R
    from dataos_dagster.depots.streams import StreamQuery
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.identity import Principal
    from dataos_dagster.state.intents import Intents

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
    "beside",
    "columns_of",
]

# Flare adds this column of run and row ids to what it writes, and drops it from what it reads.
SYSTEM_COLUMN = "__metadata"


class Door:
    """Reads and writes datasets of the depots of one project.

    Args:
        catalog: The project's depots.
    """

    def __init__(self, catalog: DepotCatalog) -> None:
        self.catalog = catalog
        self._opener = Opener(catalog)
        self._intents: Intents | None = None

    def requirements(self, requests: Iterable[ReadRequest | WriteRequest | MaintenanceRequest]) -> Requirements:
        """Return what a session needs to serve all of these requests, and which engines cannot.

        Looks at datasets where that decides about the engine, such as the partition spec of a table that is there.

        Raises:
            DepotNotFound: A request names a depot that nobody declares.
            DepotUnsupported: No engine can serve a request.
            SecretError: The credentials of a depot cannot be had.
        """
        requests = tuple(requests)
        writes = [request for request in requests if not isinstance(request, ReadRequest)]
        parts = [every_session()]
        for request in requests:
            if isinstance(request, MaintenanceRequest):
                parts.append(self._maintained(request).maintenance_requirements(request))
                continue
            acl = beside(request, writes).acl if isinstance(request, ReadRequest) else "rw"
            store = self._opener.store_of(request, acl)
            if isinstance(request, WriteRequest):
                refuse_statement(request, store)
            parts.append(store.requirements(request))
            if isinstance(request, ReadRequest) and request.stream:
                parts.append(veto("sail", f"Sail has no streams ({request.target})"))
        return join(parts)

    def read(self, request: ReadRequest, session: EngineSession, principal: Principal) -> DataFrame:  # noqa: ARG002 - the principal is what access policies decide by
        """Return a lazy frame of a dataset.

        Raises:
            DatasetNotFound: The depot has no such dataset.
            DepotUnsupported: The engine of this session cannot read it.
        """
        frame = self._opener.store_of(request, request.acl).read(request, session)
        if request.keep_system_columns or SYSTEM_COLUMN not in frame.columns:
            return frame
        return frame.drop(SYSTEM_COLUMN)

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame to a dataset, completely or not at all.

        Raises:
            SchemaMismatch: Columns are missing, too many, or would be cast unsafely.
            DatasetLocked: Another writer holds the dataset for longer than the settings wait.
            WriteFailed: The engine or the store failed; the dataset is as before.
        """
        store, request = self._opener.store_of(request, "rw"), self._accounted(request)
        if request.settlement is None or isinstance(store, SettlingStore):
            return store.write(frame, request, session, principal)
        with request.settlement.unseen():
            return store.write(frame, request, session, principal)

    def evidence(self, request: WriteRequest) -> Evidence | None:
        """Return what a dataset shows of the writes to it, such as their marks; None where it shows nothing."""
        store = self._opener.store_of(request, "rw")
        return store.evidence(request) if isinstance(store, SettlingStore) else None

    def settle(self, request: WriteRequest, principal: Principal) -> bool:
        """Settle what writers of a dataset that died had begun, after waiting for their engines.

        Returns:
            Whether the dataset shows such a thing at all. Where it does not, nobody knows.

        Raises:
            DatasetLocked: Another writer holds the dataset for longer than the settings wait.
            WriteFailed: Nobody can say whether the request's own write has happened.
        """
        store = self._opener.store_of(request, "rw")
        if not isinstance(store, SettlingStore):
            return False
        store.settle(self._accounted(request), principal)
        return True

    def maintain(self, request: MaintenanceRequest, session: EngineSession, principal: Principal) -> MaintenanceResult:
        """Maintain a dataset, alone on it, after what writers that died had begun is settled.

        Raises:
            DatasetNotFound: There is no such dataset.
            DatasetLocked: Another writer holds the dataset for longer than the settings wait.
            DepotUnsupported: The depot has nothing to maintain, or this engine cannot.
            WriteFailed: It failed; the rows of the dataset are as before.
        """
        return self._maintained(request).maintain(self._accounted(request), session, principal)

    def prospect(self, request: MaintenanceRequest) -> tuple[str, ...]:
        """Return what maintenance would do to a dataset as it is now, as far as that is known without an engine."""
        return () if self.catalog.offline else self._maintained(request).prospect(request)

    def _maintained(self, request: MaintenanceRequest) -> MaintainedStore:
        store = self._opener.store_of(request, "rw")
        if isinstance(store, MaintainedStore):
            return store
        raise DepotUnsupported(
            f"{request.target} is no Iceberg table, and only these are maintained", location=request.location
        )

    def folder(self, target: Target, *, location: Location | None = None) -> Folder:
        """Return a folder in which an engine keeps files of its own, such as the checkpoint of a stream.

        Raises:
            DepotNotFound: Nobody declares the depot.
            DepotUnsupported: The depot has no folder.
            SecretError: The credentials of the depot cannot be had.
        """
        return self._opener.folder(target, location=location)

    def stream_obstacles(self, request: WriteRequest, query: StreamQuery) -> tuple[str, ...]:
        """Return why an engine cannot write this stream by itself; nothing: it can."""
        store = self._opener.store_of(request, "rw")
        if isinstance(store, StreamStore):
            return store.stream_obstacles(request, query)
        return ("the store takes whole batches",)

    def write_stream(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal, query: StreamQuery
    ) -> AbstractContextManager[StreamingQuery]:
        """Let the engine write a stream to a dataset for the block's time; the query has ended when the block ends.

        Raises:
            DepotUnsupported: It cannot; `stream_obstacles` says why.
            SchemaMismatch: The stream does not fit the dataset.
        """
        store = self._opener.store_of(request, "rw")
        if not isinstance(store, StreamStore) or store.stream_obstacles(request, query):
            why = "; ".join(self.stream_obstacles(request, query))
            raise DepotUnsupported(
                f"{request.target}: Spark cannot write this stream: {why}", location=request.location
            )
        return store.write_stream(frame, self._accounted(request), session, principal, query)

    def _accounted(self, request: R) -> R:
        """Return a request whose work settles, under the lock, what writers of the dataset that died had begun.

        The next holder of a lock replaces what the dead one left in it, so every writer has to look, not only jobs.
        """
        if request.settlement is not None:
            return request
        if self._intents is None and not has_state(self.catalog.settings):
            return request  # nobody has begun anything
        if self._intents is None:
            # SQLAlchemy is half a second of a command that only reads.
            from dataos_dagster.state.database import State

            self._intents = State.open(self.catalog.settings).intents
        return settled(request, self._intents)

    def writes_once(self, request: WriteRequest, *, by_engine: bool) -> bool:
        """Return whether a micro-batch that comes again after a crash is left out of a dataset.

        Args:
            request: What is written.
            by_engine: The engine writes the stream by itself; else its batches are written one by one.
        """
        store = self._opener.store_of(request, "rw")
        if by_engine:
            return isinstance(store, StreamStore) and store.streams_once
        return isinstance(store, SettlingStore)

    def check(self, depot: str) -> DepotStatus:
        """Return whether a depot is reachable, its credentials are accepted, and what is in it.

        Raises:
            DepotNotFound: Nobody declares the depot.
        """
        found = self.catalog.find(depot)
        started = time.monotonic()
        status = DepotStatus(found.name, found.type, "active", "", "", 0.0)
        try:
            status = replace(status, found=self._opener.store_of_depot(found, "r").check())
        except DepotUnsupported as error:
            detail = error.message if error.hint is None else f"{error.message} ({error.hint})"
            status = replace(status, status="unsupported", detail=detail)
        except (DepotError, SecretError) as error:
            detail = error.message if error.hint is None else f"{error.message} ({error.hint})"
            status = replace(status, status="error", detail=detail)
        return replace(status, seconds=round(time.monotonic() - started, 3))

    def datasets(self, depot: str) -> tuple[Address, ...]:
        """Return the datasets of a depot, in the order of their addresses.

        Raises:
            DepotNotFound: Nobody declares the depot.
            DepotError: It cannot be opened.
        """
        return self._opener.store_of_depot(self.catalog.find(depot), "r").datasets()

    def schema(self, address: Address, session: EngineSession, principal: Principal) -> tuple[Column, ...]:
        """Return the columns of a dataset."""
        frame = self.read(ReadRequest(Target(address)), session, principal)
        with session.failures():
            return columns_of(frame)

    def count(self, address: Address, session: EngineSession, principal: Principal) -> int:
        """Return the number of rows of a dataset."""
        frame = self.read(ReadRequest(Target(address)), session, principal)
        with session.failures():
            return int(frame.count())


def columns_of(frame: DataFrame) -> tuple[Column, ...]:
    """Return the columns of a frame."""
    return tuple(
        Column(field.name, field.dataType.simpleString(), field.nullable, (field.metadata or {}).get("comment"))
        for field in frame.schema.fields
    )


def beside(request: ReadRequest, writes: Iterable[WriteRequest | MaintenanceRequest]) -> ReadRequest:
    """Return a read as a session serves it that also does these writes, or this maintenance.

    An engine has one identity a depot: what is written to is read with the credentials for writing.
    """
    written = {_depot_of(write) for write in writes}
    return replace(request, acl="rw") if _depot_of(request) in written else request


def _depot_of(request: ReadRequest | WriteRequest | MaintenanceRequest) -> str:
    address = request.target.address
    return address.depot if address else str(request.target)

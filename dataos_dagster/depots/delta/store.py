"""Delta tables in a folder as the door sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dataos_dagster.address import Address
from dataos_dagster.depots.contents import nearest, tables_in
from dataos_dagster.depots.copied_options import COPIED_TO_TABLES
from dataos_dagster.depots.delta import requirements
from dataos_dagster.depots.delta.log import LOG, is_present, latest_version, moment
from dataos_dagster.depots.delta.marks import evidence_of
from dataos_dagster.depots.delta.write import TableWriter
from dataos_dagster.depots.files.read import readable
from dataos_dagster.depots.folder_datasets import folder_lock, place_of
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.object_stores import require_connector
from dataos_dagster.depots.requests import WriteRequest
from dataos_dagster.depots.streams import refuse_streams
from dataos_dagster.errors import DatasetNotFound, DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.requests import ReadRequest, Requirements, WriteResult
    from dataos_dagster.depots.settlement import Evidence
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings


_AS_OF = "timestampasof"


@dataclass(frozen=True, slots=True)
class DeltaStore:
    """The Delta tables below a root.

    Attributes:
        root: Folder of the depot, or the table itself of a standalone job.
        depot: Name of the depot; None for a standalone job.
    """

    root: Place
    settings: Settings
    depot: str | None = None

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs to serve a request."""
        if isinstance(request, WriteRequest):
            _refuse_iceberg(request)
        return requirements.requirements(self.place(request), request)

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a table, or of one of its versions.

        Raises:
            DatasetNotFound: There is no such table; suggests the nearest name.
        """
        place = self.place(request)
        if latest_version(place) is None:
            known = (str(address) for address in self.datasets())
            raise DatasetNotFound(
                f"{request.target}: {place} is no Delta table",
                hint=nearest(str(request.target), known, "write it first, or give the format of the files there"),
                location=request.location,
            )
        if request.stream and session.engine == "sail":
            refuse_streams(request, "Sail")
        given = _given(request, place, session)
        with session.failures(request.location):
            reader = session.spark.readStream if request.stream else session.spark.read
            frame: DataFrame = reader.format("delta").options(**given).load(readable(place, session.engine))
            # Asked for here, so that a version that is not there is this input's error and not a later step's.
            frame.schema  # noqa: B018
        return frame

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame to a table, creating it when it is missing."""
        _refuse_iceberg(request)
        return TableWriter(self, self.place(request), request, session, principal).write(frame)

    def evidence(self, request: WriteRequest) -> Evidence:
        """Return the version of a table, and the marks of its commits."""
        return evidence_of(self.place(request))

    def settle(self, request: WriteRequest, principal: Principal) -> None:
        """Take a table's lock and settle what writers that died had begun."""
        with self.lock(request, Holder.this_process(principal.name, None, request.operation)):
            return

    def lock(
        self, request: WriteRequest, holder: Holder, stop: Callable[[], None] | None = None
    ) -> AbstractContextManager[Holder]:
        """Hold a table's lock for the block's time; what others had begun when they died is settled by then.

        Raises:
            DatasetLocked: Another writer holds it for longer than the settings wait.
        """
        place = self.place(request)
        return folder_lock(place, self.settings, request, holder, partial(evidence_of, place), stop=stop)

    def place(self, request: ReadRequest | WriteRequest) -> Place:
        """Return the folder that a request names."""
        return place_of(self.root, request, "a table")

    def check(self) -> str:
        """Return how many tables there are.

        Raises:
            DepotError: The folder or bucket does not exist, cannot be reached, or refuses the keys.
            DepotUnsupported: Spark's connector for the store is missing; says how to get it.
        """
        require_connector(self.root)
        self.root.require()
        return tables_in([self._segments(place) for place in self._tables()], "folder")

    def datasets(self) -> tuple[Address, ...]:
        """Return the addresses of all tables."""
        names = (self._segments(place) for place in self._tables())
        return tuple(
            Address(self.depot or "", name[0] if len(name) > 1 else None, name[1:] or name) for name in names if name
        )

    def _segments(self, place: Place) -> tuple[str, ...]:
        return tuple(filter(None, place.path.removeprefix(self.root.path).split("/")))

    def _tables(self) -> tuple[Place, ...]:
        from pyarrow.fs import FileType

        found: list[Place] = []
        folders = [self.root]
        while folders:
            folder = folders.pop()
            inside = [entry.base_name for entry in folder.entries() if entry.type == FileType.Directory]
            if LOG in inside:
                found.append(folder)
                continue
            folders += [folder.join(name) for name in inside if not name.startswith((".", "_"))]
        return tuple(sorted(found, key=lambda place: place.path))


def _given(request: ReadRequest, place: Place, session: EngineSession) -> dict[str, str]:
    """Return the options of a read as the engine understands them."""
    given = {
        key: value
        for key, value in request.options.items()
        if key.lower() not in COPIED_TO_TABLES and not (key.lower() == _AS_OF and is_present(place, value))
    }
    if session.engine == "sail":
        # Spark takes whatever it can cast, a date too; Sail 0.7.2 wants a time to the second.
        moments = {key: moment(value) for key, value in given.items() if key.lower() == _AS_OF}
        given |= {key: found.isoformat() for key, found in moments.items() if found is not None}
    return given


def _refuse_iceberg(request: WriteRequest) -> None:
    if request.merge is not None or request.branch is not None:
        raise DepotUnsupported(
            f"{request.target}: merge clauses and branches are written to Iceberg tables only",
            hint="write an Iceberg table: format: iceberg; Delta knows the option replaceWhere",
            location=request.location,
        )
    transformed = [field.column for field in request.partition_spec if field.transform != "identity"]
    if transformed:
        raise DepotUnsupported(
            f"{request.target}: Delta partitions by columns as they are, and {transformed[0]} is to be transformed",
            hint="compute the value as a column in a step, and name that",
            location=request.location,
        )

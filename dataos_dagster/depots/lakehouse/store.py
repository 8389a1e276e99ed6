"""A lakehouse as the door sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from dataos_dagster.address import Address
from dataos_dagster.depots.contents import nearest, tables_in
from dataos_dagster.depots.copied_options import COPIED_TO_TABLES
from dataos_dagster.depots.depot import ICEBERG
from dataos_dagster.depots.lakehouse import configuration, rest
from dataos_dagster.depots.lakehouse.locking import table_lock
from dataos_dagster.depots.lakehouse.marks import evidence_of
from dataos_dagster.depots.lakehouse.metadata import read_state
from dataos_dagster.depots.lakehouse.partitioning import differs, named_fields, wanted_spec
from dataos_dagster.depots.lakehouse.properties import notes_on_properties
from dataos_dagster.depots.lakehouse.stream import read_table_stream, write_obstacles, write_table_stream
from dataos_dagster.depots.lakehouse.upkeep import TableUpkeep, prospect, upkeep_requirements
from dataos_dagster.depots.lakehouse.write import TableWriter
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.object_stores import require_connector
from dataos_dagster.depots.requests import ReadRequest, Requirements, WriteRequest
from dataos_dagster.depots.requirements import join, veto
from dataos_dagster.errors import DatasetNotFound, DepotUnsupported

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.streaming.query import StreamingQuery

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.lakehouse.tables import Table, Warehouse
    from dataos_dagster.depots.maintenance import MaintenanceRequest, MaintenanceResult
    from dataos_dagster.depots.requests import WriteResult
    from dataos_dagster.depots.settlement import Evidence
    from dataos_dagster.depots.streams import StreamQuery
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

_STATE_OPTIONS = ("branch", "tag", "snapshot-id", "as-of-timestamp")
# Options that change how many files a task keeps open, and nothing about the table.
_TUNING = frozenset({"fanout-enabled"})


@dataclass(frozen=True, slots=True)
class LakehouseStore:
    """The tables of one warehouse.

    Attributes:
        offline: Requirements are told without a look at what is there, as if no table were.
    """

    warehouse: Warehouse
    settings: Settings
    offline: bool = False

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs; looks at the table where that decides about the engine."""
        table = self.warehouse.table(request.target)
        reasons = (*_sail_obstacles(self.warehouse), *_options_not_followed(request))
        parts = [configuration.requirements(self.warehouse), veto("sail", *reasons)]
        if isinstance(request, WriteRequest):
            self._refuse_object_store(table, request)
            parts.append(self._write_requirements(table, request))
        if request.format and request.format.lower() != ICEBERG:
            # Manifests name the format of a table's data files here; one that means files elsewhere is a mistake.
            note = f"{request.target}: the depot holds Iceberg tables, so `format: {request.format}` has no effect"
            parts.append(Requirements(notes=(note,)))
        return join(parts)

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a table, or of one of its states.

        Raises:
            DatasetNotFound: There is no such table; suggests the nearest name.
        """
        table = self.warehouse.table(request.target)
        state = self.state(table)
        if state is None:
            raise self._not_found(table, request)
        if request.stream:
            return read_table_stream(table, request, session)
        reader = session.spark.read
        for key, value in request.options.items():
            if key in _STATE_OPTIONS or session.engine != "sail":
                reader = reader.option(*_state_option(key, value, state, request))
        with session.failures(request.location):
            if session.engine == "sail" and self.warehouse.rest is None:
                frame = reader.format("iceberg").load(table.place.url("sail"))
            else:
                frame = reader.table(table.identifier)
            # Asked for here, so that a state that is not there is this input's error and not a later step's.
            columns = frame.columns
        # Sail puts the columns of identity partitions last; everybody else keeps the table's order.
        ordered = [field["name"] for field in state.schema["fields"]]
        if columns != ordered and set(columns) == set(ordered):
            frame = frame.select(*(f"`{name.replace('`', '``')}`" for name in ordered))
        return frame

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame to a table, creating it when it is missing."""
        table = self.warehouse.table(request.target)
        self._refuse_object_store(table, request)
        return TableWriter(self, table, request, session, principal).write(frame)

    @property
    def streams_once(self) -> bool:
        """Return True: the snapshot of a micro-batch says which one it is, and Iceberg looks for it."""
        return True

    def stream_obstacles(self, request: WriteRequest, query: StreamQuery) -> tuple[str, ...]:
        """Return why Spark cannot write a stream to the table by itself."""
        return write_obstacles(self.warehouse.table(request.target), request, query)

    def write_stream(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal, query: StreamQuery
    ) -> AbstractContextManager[StreamingQuery]:
        """Start a query that writes to a table; it has ended when the block ends."""
        self._refuse_object_store(self.warehouse.table(request.target), request)
        return write_table_stream(self, frame, request, session, principal, query)

    def evidence(self, request: WriteRequest) -> Evidence:
        """Return what a table shows of its writes."""
        return evidence_of(self.state(self.warehouse.table(request.target)), request.branch)

    def maintenance_requirements(self, request: MaintenanceRequest) -> Requirements:
        """Return what a session needs to maintain a table, and why Sail cannot, where it cannot."""
        table = self.warehouse.table(request.target)
        self._refuse_object_store(table, request)
        obstacles = veto("sail", *_sail_obstacles(self.warehouse))
        return join([obstacles, upkeep_requirements(self, table, request)])

    def maintain(self, request: MaintenanceRequest, session: EngineSession, principal: Principal) -> MaintenanceResult:
        """Maintain a table, alone on it."""
        table = self.warehouse.table(request.target)
        self._refuse_object_store(table, request)
        return TableUpkeep(self, table, request, session, principal).result()

    def prospect(self, request: MaintenanceRequest) -> tuple[str, ...]:
        """Return what maintenance would do to a table as it is now, as far as its metadata tells."""
        return prospect(self.state(self.warehouse.table(request.target)), request)

    def settle(self, request: WriteRequest, principal: Principal) -> None:
        """Take a table's lock and settle what writers that died had begun."""
        holder = Holder.this_process(principal.name, None, request.operation)
        with table_lock(self, self.warehouse.table(request.target), request, holder):
            return

    def state(self, table: Table) -> TableState | None:
        """Return the state of a table, or None when there is none."""
        return rest.read_state(table) if self.warehouse.rest is not None else read_state(table.place)

    def check(self) -> str:
        """Return how many tables and namespaces there are; the folder of a lakehouse is made by its first table."""
        root = self.warehouse.root
        if root is not None:
            require_connector(root)
        if self.warehouse.rest is None and root is not None and not root.is_local:
            root.require()
        return tables_in(self._tables(), "namespace")

    def datasets(self) -> tuple[Address, ...]:
        """Return the addresses of all tables."""
        return tuple(
            Address(self.warehouse.name, name[0] if len(name) > 1 else None, name[1:] or name)
            for name in self._tables()
        )

    def _tables(self) -> list[tuple[str, ...]]:
        if self.warehouse.rest is not None:
            return rest.list_tables(self.warehouse)
        from pyarrow.fs import FileType

        root = self.warehouse.root
        assert root is not None  # noqa: S101 - a warehouse has one of the two
        found: list[tuple[str, ...]] = []
        folders = [root]
        while folders:
            folder = folders.pop()
            inside = [entry for entry in folder.entries() if entry.type == FileType.Directory]
            if folder.path != root.path and any(entry.base_name == "metadata" for entry in inside):
                found.append(tuple(folder.path.removeprefix(root.path).strip("/").split("/")))
                continue
            folders += [folder.join(entry.base_name) for entry in inside if not entry.base_name.startswith((".", "_"))]
        return sorted(found)

    def _write_requirements(self, table: Table, request: WriteRequest) -> Requirements:
        spec, state = wanted_spec(request), None if self.offline else self.state(table)
        reasons = []
        if request.exactly_once and self.warehouse.rest is not None:
            reasons.append(
                f"Sail leaves no mark of its commits, and others may write to the catalog of {request.target}"
            )
        if request.branch:
            reasons.append(f"Sail cannot write to a branch ({request.branch} of {request.target})")
        if state is not None and differs(spec, state.partition_spec):
            reasons.append(
                f"Sail cannot change the partition spec of {request.target}, which is there with another one"
            )
        notes = [
            f"{request.target}: on Sail the partition field {field.name!r} keeps Iceberg's own name"
            for field in named_fields(spec)
            if state is None
        ]
        if request.sort is not None:
            notes.append(f"{request.target}: Sail does not keep the order of rows inside the data files")
        notes += notes_on_properties(request)
        return join([veto("sail", *reasons), Requirements(notes=tuple(notes))])

    def _refuse_object_store(self, table: Table, request: WriteRequest | MaintenanceRequest) -> None:
        """Refuse to write where a commit is not atomic: an object store has no rename."""
        if self.warehouse.rest is None and not table.place.is_local:
            raise DepotUnsupported(
                f"{request.target} is an Iceberg table in a bucket without a catalog, which is read only here: "
                "an object store cannot commit it atomically",
                hint=f"name an Iceberg REST catalog in dataos.yaml: catalogs.{self.warehouse.name}.uri",
                location=request.location,
            )

    def _not_found(self, table: Table, request: ReadRequest) -> DatasetNotFound:
        known = map(".".join, self._tables())
        listed = f"write it first; `dataos show dataos://{self.warehouse.name}` lists what is there"
        return DatasetNotFound(
            f"there is no table {table.dotted} in depot {self.warehouse.name!r}",
            hint=nearest(table.dotted, known, listed),
            location=request.location,
        )


def _state_option(key: str, value: str, state: TableState, request: ReadRequest) -> tuple[str, str]:
    """Return an option under a name that the engine knows: Spark refuses Iceberg's older ones, Sail ignores one.

    Raises:
        DatasetNotFound: The table has no such tag.
    """
    if key == "snapshot-id":
        return "versionAsOf", value
    if key == "tag":
        # By its snapshot: Spark takes a tag that is a number, such as a date, for one.
        if (snapshot := state.tags.get(value)) is None:
            others = f"its tags: {', '.join(sorted(state.tags))}" if state.tags else "the table has no tags"
            hint = f"{value} is a branch: write `branch: {value}`" if value in state.branches else others
            raise DatasetNotFound(f"{request.target} has no tag {value!r}", hint=hint, location=request.location)
        return "versionAsOf", str(snapshot)
    if key == "as-of-timestamp" and value.isdigit():
        return "timestampAsOf", datetime.fromtimestamp(int(value) / 1000, UTC).isoformat(
            sep=" ", timespec="milliseconds"
        )
    return key, value


def _sail_obstacles(warehouse: Warehouse) -> tuple[str, ...]:
    root = warehouse.root
    if warehouse.rest is not None or root is None or quote(root.path) == root.path:
        return ()
    # Sail 0.7.2 takes the percent-encoded form of an Iceberg table's path for its name on the disk.
    return (f"Sail cannot open Iceberg tables below {root}: only letters, digits and -._~/ in the path are safe",)


def _options_not_followed(request: ReadRequest | WriteRequest) -> list[str]:
    """Return why Sail would do something else than the options ask for: it reads states, and no writer's option."""
    followed = _STATE_OPTIONS if isinstance(request, ReadRequest) else ()
    kind = "read" if isinstance(request, ReadRequest) else "write"
    return [
        f"Sail does not follow the Iceberg {kind} option {key} ({request.target})"
        for key in sorted(request.options)
        if key not in followed and key.lower() not in COPIED_TO_TABLES | _TUNING
    ]

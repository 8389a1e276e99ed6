"""A folder of files as the door sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.address import Address
from dataos_dagster.depots.contents import counted
from dataos_dagster.depots.files.formats import by_extension, format_of, format_of_name
from dataos_dagster.depots.files.locking import files_lock
from dataos_dagster.depots.files.marks import evidence_in
from dataos_dagster.depots.files.read import FileReader
from dataos_dagster.depots.files.requirements import TEXT_FORMATS, read_requirements, write_requirements
from dataos_dagster.depots.files.stream import read_file_stream
from dataos_dagster.depots.files.write import FileWriter
from dataos_dagster.depots.folder_datasets import place_of
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.object_stores import require_connector
from dataos_dagster.depots.requests import ReadRequest, Requirements, WriteRequest
from dataos_dagster.depots.storage import is_hidden
from dataos_dagster.errors import DatasetNotFound

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.requests import WriteResult
    from dataos_dagster.depots.settlement import Evidence
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

# What Spark writes where nothing says a format.
_SPARK_DEFAULT = "parquet"


@dataclass(frozen=True, slots=True)
class FileStore:
    """Files and folders below a root.

    Attributes:
        root: Folder of the depot, or the file or folder itself of a standalone job.
        depot: Name of the depot; None for a standalone job.
        format: Format of the depot, in lower case.
        offline: Requirements are told without a look at what is there.
    """

    root: Place
    settings: Settings
    depot: str | None = None
    format: str | None = None
    offline: bool = False

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs to serve a request."""
        place = self.place(request)
        if isinstance(request, ReadRequest) and self.offline:
            format_ = format_of_name(request.format, self.format, place, location=request.location) or _SPARK_DEFAULT
            return read_requirements(place, format_, request, ())
        if isinstance(request, ReadRequest):
            format_ = format_of(request.format, self.format, place, location=request.location)
            return read_requirements(place, format_, request, place.data_files() if format_ in TEXT_FORMATS else ())
        return write_requirements(place, self._format_to_write(request), request)

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a file or folder.

        Raises:
            DatasetNotFound: It does not exist; on Sail a missing folder would be an empty frame.
        """
        place = self.place(request)
        format_ = format_of(request.format, self.format, place, location=request.location)
        if request.stream:
            return read_file_stream(place, format_, request, session)
        return FileReader(place, format_, request, session).read()

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame to a folder."""
        place = self.place(request)
        return FileWriter(place, self._format_to_write(request), request, session, principal, self.settings).write(
            frame
        )

    def evidence(self, request: WriteRequest) -> Evidence:
        """Return the marks of the writes of a folder."""
        return evidence_in(self.place(request))

    def settle(self, request: WriteRequest, principal: Principal) -> None:
        """Take a folder's lock and settle what writers that died had begun."""
        holder = Holder.this_process(principal.name, None, request.operation)
        with files_lock(self.place(request), self.settings, request, holder):
            return

    def place(self, request: ReadRequest | WriteRequest) -> Place:
        """Return the file or folder that a request names."""
        return place_of(self.root, request, "a folder")

    def check(self) -> str:
        """Return how many files there are.

        Raises:
            DepotError: The folder or bucket does not exist, cannot be reached, or refuses the keys.
            DepotUnsupported: Spark's connector for the store is missing; says how to get it.
        """
        require_connector(self.root)
        self.root.require()
        files = self.root.all_files()
        size = sum(info.size for info in files)
        return f"{counted(len(files), 'file')}, {size:,} bytes"

    def datasets(self) -> tuple[Address, ...]:
        """Return the files at the top, and the folders that hold files, as addresses."""
        found: dict[tuple[str, ...], None] = {}
        for info in self.root.all_files():
            segments = tuple(info.path.removeprefix(self.root.path).strip("/").split("/"))
            if by_extension(segments[-1]) is None or is_hidden("/".join(segments)):
                continue
            # Files that an engine has written are parts of the folder; others are datasets of their own.
            partitioned = [i for i, segment in enumerate(segments) if "=" in segment]
            is_part = segments[-1].startswith("part-")
            found[segments[: partitioned[0]] if partitioned else segments[:-1] if is_part else segments] = None
        return tuple(
            Address(self.depot or "", path[0] if len(path) > 1 else None, path[1:] or path) for path in found if path
        )

    def _format_to_write(self, request: WriteRequest) -> str:
        place = self.place(request)
        if self.offline:
            found = format_of_name(request.format, self.format, place, location=request.location)
            return found or _SPARK_DEFAULT
        try:
            return format_of(request.format, self.format, place, location=request.location)
        except DatasetNotFound:
            return _SPARK_DEFAULT

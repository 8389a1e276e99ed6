"""Places in file systems: a local folder or one in a bucket, under the names that each engine has for it."""

from __future__ import annotations

import posixpath
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from dataos_dagster.depots.access import AzureAccess, GcsAccess, S3Access, azure_suffix
from dataos_dagster.errors import CredentialsRefused, DatasetNotFound, DepotError, DepotUnreachable, DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow.fs import FileInfo, FileSystem

    from dataos_dagster.depots.access import BucketAccess
    from dataos_dagster.settings import EngineName

# The names of one protocol; engines differ in which one they know.
S3_SCHEMES = ("s3", "s3a", "s3n")
GCS_SCHEMES = ("gs", "gcs")
AZURE_SCHEMES = ("abfss", "abfs", "wasbs", "wasb")
SCHEMES = (*S3_SCHEMES, *GCS_SCHEMES, *AZURE_SCHEMES)


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder.

    Attributes:
        path: Absolute local path, or `bucket/key`; no slash at the end.
        access: How its bucket is opened; None for a local path.
    """

    path: str
    access: BucketAccess | None = None

    @classmethod
    def parse(cls, text: str, *, base: Path) -> Place:
        """Return the place that a path or URL names; buckets are opened with the machine's own identity.

        Args:
            text: A local path, or a URL: `file:`, `s3:`, `s3a:`, `s3n:`, `gs:`, `abfss:`, `wasbs:`.
            base: What a relative path is relative to.

        Raises:
            DepotUnsupported: The URL's scheme is another one.
        """
        url = urlsplit(text)
        if url.scheme in S3_SCHEMES:
            return cls(posixpath.normpath(f"{url.netloc}{url.path}"), S3Access())
        if url.scheme in GCS_SCHEMES:
            return cls(posixpath.normpath(f"{url.netloc}{url.path}"), GcsAccess())
        if url.scheme in AZURE_SCHEMES:
            return _azure(text)
        if url.scheme == "file":
            return cls(posixpath.normpath(url.path))
        if "://" in text:
            raise DepotUnsupported(
                f"{text!r} cannot be opened: {url.scheme} is not read or written yet",
                hint="use a local path, s3a://, gs://, abfss:// or wasbs://",
            )
        return cls(str((base / text).resolve()))

    @property
    def is_local(self) -> bool:
        """Return whether it is on this machine's own file systems."""
        return self.access is None

    @property
    def s3(self) -> S3Access | None:
        """Return how its bucket is opened; None for what is not in S3."""
        return self.access if isinstance(self.access, S3Access) else None

    @property
    def local(self) -> Path:
        """Return the local path; only of a local place."""
        return Path(self.path)

    @property
    def name(self) -> str:
        """Return the last segment."""
        return posixpath.basename(self.path)

    @property
    def parent(self) -> Place:
        """Return the folder that it is in."""
        return replace(self, path=posixpath.dirname(self.path))

    @property
    def bucket(self) -> str:
        """Return the bucket; only of a place that is in one."""
        return self.path.partition("/")[0]

    def join(self, *segments: str) -> Place:
        """Return a place below this one; empty segments are left out.

        Raises:
            DepotError: It would be outside of this one.
        """
        path = posixpath.normpath(posixpath.join(self.path, *(part.strip("/") for part in segments if part.strip("/"))))
        if path != self.path and not path.startswith(f"{self.path.rstrip('/')}/"):
            raise DepotError(f"{'/'.join(segments)!r} is outside of {self}", hint="leave out `..`")
        return replace(self, path=path)

    def url(self, engine: EngineName) -> str:
        """Return the name that an engine has for it."""
        if self.access is None:
            return Path(self.path).as_uri()
        return self.access.url(self.path, sail=engine == "sail")

    def __str__(self) -> str:
        return self.path if self.access is None else self.access.url(self.path, sail=True)

    @property
    def filesystem(self) -> FileSystem:
        """Return Arrow's file system of the place."""
        from pyarrow import fs

        return fs.LocalFileSystem() if self.access is None else self.access.filesystem()

    def kind(self) -> Literal["file", "folder", "missing"]:
        """Return what is there."""
        from pyarrow import fs

        with self.failures():
            found = self.filesystem.get_file_info(self.path).type
        return "file" if found == fs.FileType.File else "folder" if found == fs.FileType.Directory else "missing"

    def require(self) -> None:
        """Check that the folder, or the bucket that it is in, exists: a folder in a bucket comes with its first file.

        Raises:
            DepotUnreachable: The folder does not exist, or the store does not answer.
            CredentialsRefused: The store refuses the keys.
            DatasetNotFound: There is no such bucket.
        """
        if self.is_local:
            if self.kind() == "missing":
                raise DepotUnreachable(f"the folder {self} does not exist", hint="make it, or correct the depot's path")
        elif replace(self, path=self.bucket).kind() == "missing":
            raise DatasetNotFound(f"there is no bucket {self.bucket!r}", hint="check `bucket` of the depot")

    def entries(self, *, recursive: bool = False) -> tuple[FileInfo, ...]:
        """Return what is in a folder, by path; nothing when it is missing."""
        from pyarrow import fs

        selector = fs.FileSelector(self.path, allow_not_found=True, recursive=recursive)
        with self.failures():
            found = self.filesystem.get_file_info(selector)
        return tuple(sorted(found, key=lambda info: info.path))

    def data_files(self) -> tuple[FileInfo, ...]:
        """Return the files of a dataset: the file itself, or those in the folder and its partitions' folders.

        Files that engines skip are left out, and so are folders that are no partitions, as in Spark.
        """
        from pyarrow import fs

        with self.failures():
            found = self.filesystem.get_file_info(self.path)
        if found.type == fs.FileType.File:
            return (found,)
        inside = ((info, info.path.removeprefix(self.path).strip("/")) for info in self.entries(recursive=True))
        return tuple(
            info
            for info, path in inside
            if info.type == fs.FileType.File
            and not is_hidden(path)
            and all("=" in segment for segment in path.split("/")[:-1])
        )

    def all_files(self) -> tuple[FileInfo, ...]:
        """Return every file below a folder that engines do not skip."""
        from pyarrow import fs

        return tuple(
            info
            for info in self.entries(recursive=True)
            if info.type == fs.FileType.File and not is_hidden(info.path.removeprefix(self.path))
        )

    def read(self) -> bytes:
        """Return the content of a file.

        Raises:
            DatasetNotFound: There is no such file.
        """
        with self.failures(), self.filesystem.open_input_stream(self.path, compression=None) as stream:
            content: bytes = stream.read()
            return content

    def write(self, content: bytes) -> None:
        """Write a small file, whole or not at all, and the folder that it is in."""
        with self.failures():
            if not self.is_local:
                with self.filesystem.open_output_stream(self.path) as stream:
                    stream.write(content)
                return
            self.local.parent.mkdir(parents=True, exist_ok=True)
            partial = self.local.with_name(f".{self.name}.{uuid.uuid4().hex}")
            partial.write_bytes(content)
            partial.replace(self.local)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Translate what Arrow's file systems raise inside the block."""
        from pyarrow import ArrowException

        try:
            yield
        except FileNotFoundError:
            raise DatasetNotFound(f"{self} does not exist") from None
        except PermissionError as error:
            raise CredentialsRefused(f"{self} may not be opened: {error.strerror or error}") from None
        except (OSError, ArrowException) as error:
            raise _failure(self, error) from None


def is_hidden(path: str) -> bool:
    """Return whether engines skip a file: a segment begins with `_` or `.` and is no partition's folder."""
    return any(part.startswith((".", "_")) and "=" not in part for part in path.split("/") if part)


def _azure(text: str) -> Place:
    """Return the place that a URL such as `abfss://container@account.dfs.core.windows.net/folder` names."""
    url = urlsplit(text)
    account, _, rest = (url.hostname or "").partition(".")
    _, core, suffix = rest.partition(".core.")
    if not url.username or not account or not core:
        raise DepotUnsupported(
            f"{text!r} names no container of an Azure account",
            hint="write abfss://container@account.dfs.core.windows.net/folder",
        )
    scheme: Literal["abfss", "wasbs"] = "abfss" if url.scheme.startswith("abfs") else "wasbs"
    access = AzureAccess(account, scheme, suffix=azure_suffix(suffix))
    return Place(posixpath.normpath(f"{url.username}{url.path}"), access)


def _failure(place: Place, error: Exception) -> DepotError:
    text = str(error).partition("\n")[0]
    if any(sign in text for sign in ("ACCESS_DENIED", "SignatureDoesNotMatch", "InvalidAccessKeyId", "Forbidden")):
        return CredentialsRefused(f"{place}: the store refuses the credentials", hint="check the depot's secret")
    if "NO_SUCH_BUCKET" in text or "Bucket does not exist" in text:
        return DatasetNotFound(f"there is no bucket {place.bucket!r}", hint="check `bucket` of the depot")
    if "NO_SUCH_KEY" in text or "RESOURCE_NOT_FOUND" in text:
        # It was there when it was opened, and somebody deleted it before it was read.
        return DatasetNotFound(f"{place} does not exist")
    if place.is_local:
        return DepotUnreachable(f"{place} cannot be opened: {getattr(error, 'strerror', None) or text}")
    return DepotUnreachable(f"{place} cannot be reached: {text[:300]}", hint="check `endpoint` and the network")

"""Places in file systems: a local folder or one in a bucket, under the names that each engine has for it."""

from __future__ import annotations

import posixpath
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from dataos_dagster.errors import CredentialsRefused, DatasetNotFound, DepotError, DepotUnreachable, DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow.fs import FileInfo, FileSystem
    from pydantic import SecretStr

    from dataos_dagster.settings import EngineName

# The names of one protocol; engines differ in which one they know.
S3_SCHEMES = ("s3", "s3a", "s3n")
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3Access:
    """How a bucket is opened.

    Attributes:
        access_key: None leaves it to the machine's own AWS configuration, as does `secret_key`.
        endpoint: URL of a store other than AWS, with its scheme.
    """

    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    endpoint: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder.

    Attributes:
        path: Absolute local path, or `bucket/key`; no slash at the end.
        s3: How its bucket is opened; None for a local path.
    """

    path: str
    s3: S3Access | None = None

    @classmethod
    def parse(cls, text: str, *, base: Path, s3: S3Access | None = None) -> Place:
        """Return the place that a path or URL names.

        Args:
            text: A local path, a `file:` URL, or an `s3:`, `s3a:` or `s3n:` URL.
            base: What a relative path is relative to.
            s3: How buckets are opened.

        Raises:
            DepotUnsupported: The URL's scheme is another one.
        """
        url = urlsplit(text)
        if url.scheme in S3_SCHEMES:
            return cls(posixpath.normpath(f"{url.netloc}{url.path}"), s3 or S3Access())
        if url.scheme == "file":
            return cls(posixpath.normpath(url.path))
        if "://" in text:
            raise DepotUnsupported(
                f"{text!r} cannot be opened: {url.scheme} is not read or written yet", hint="use a local path or s3a://"
            )
        return cls(str((base / text).resolve()))

    @property
    def is_local(self) -> bool:
        """Return whether it is on this machine's own file systems."""
        return self.s3 is None

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
        if self.is_local:
            return Path(self.path).as_uri()
        return f"{'s3' if engine == 'sail' else 's3a'}://{self.path}"

    def __str__(self) -> str:
        return self.path if self.is_local else f"s3://{self.path}"

    @property
    def filesystem(self) -> FileSystem:
        """Return Arrow's file system of the place."""
        from pyarrow import fs

        if self.s3 is None:
            return fs.LocalFileSystem()
        keys = (self.s3.access_key, self.s3.secret_key)
        endpoint = urlsplit(self.s3.endpoint) if self.s3.endpoint else None
        return fs.S3FileSystem(
            access_key=keys[0].get_secret_value() if keys[0] else None,
            secret_key=keys[1].get_secret_value() if keys[1] else None,
            region=self.s3.region or DEFAULT_REGION,
            endpoint_override=endpoint.netloc if endpoint else None,
            scheme=endpoint.scheme if endpoint else "https",
            connect_timeout=10,
            request_timeout=60,
        )

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
        try:
            yield
        except FileNotFoundError:
            raise DatasetNotFound(f"{self} does not exist") from None
        except PermissionError as error:
            raise CredentialsRefused(f"{self} may not be opened: {error.strerror or error}") from None
        except OSError as error:
            raise _failure(self, error) from None


def is_hidden(path: str) -> bool:
    """Return whether engines skip a file: a segment begins with `_` or `.` and is no partition's folder."""
    return any(part.startswith((".", "_")) and "=" not in part for part in path.split("/") if part)


def _failure(place: Place, error: OSError) -> DepotError:
    text = str(error).partition("\n")[0]
    if any(sign in text for sign in ("ACCESS_DENIED", "SignatureDoesNotMatch", "InvalidAccessKeyId", "Forbidden")):
        return CredentialsRefused(f"{place}: the store refuses the credentials", hint="check the depot's secret")
    if "NO_SUCH_BUCKET" in text or "Bucket does not exist" in text:
        return DatasetNotFound(f"there is no bucket {place.bucket!r}", hint="check `bucket` of the depot")
    if place.is_local:
        return DepotUnreachable(f"{place} cannot be opened: {error.strerror or text}")
    return DepotUnreachable(f"{place} cannot be reached: {text[:300]}", hint="check `endpoint` and the network")

"""Records of a CSV file: its lines, read in ranges of bytes so that a large file is read by several tasks.

Without `multiLine` a record ends at a line's end, also inside quotes, as in Spark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow.fs import FileInfo

    from dataos_dagster.depots.storage import Place

RANGE_BYTES = 32 << 20
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The lines of a file that begin inside a range of bytes; `end` is None for the whole of a compressed file."""

    path: str
    start: int
    end: int | None


def ranges(files: tuple[FileInfo, ...]) -> Iterator[ByteRange]:
    """Yield the ranges of all files, in order."""
    for info in files:
        if info.path.endswith(_COMPRESSED):
            yield ByteRange(info.path, 0, None)
            continue
        for start in range(0, info.size, RANGE_BYTES):
            yield ByteRange(info.path, start, min(start + RANGE_BYTES, info.size))


def read_lines(place: Place, wanted: ByteRange) -> list[str]:
    """Return the lines of a range, without line ends and without blank ones."""
    filesystem = place.filesystem
    if wanted.end is None:
        with filesystem.open_input_stream(wanted.path, compression="detect") as stream:
            content: bytes = stream.read()
    else:
        with filesystem.open_input_file(wanted.path) as file:
            content = _aligned(file, wanted.start, wanted.end)
    text = content.removeprefix(_BOM).decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if line.strip(_BLANK)]


# What Java's `trim` takes away: every character up to the space.
_BLANK = "".join(map(chr, range(33)))


def _aligned(file: object, start: int, end: int) -> bytes:
    """Return the bytes of the lines that begin in a range: from behind a line's end up to behind the last one's."""
    from typing import Any, cast

    source = cast("Any", file)
    if start:
        source.seek(start - 1)
        if not _skip_line(source):
            return b""
        start = source.tell()
    if start >= end:
        return b""
    source.seek(start)
    content: bytes = source.read(end - start)
    while not content.endswith((b"\n", b"\r")):
        more: bytes = source.read(1 << 16)
        if not more:
            break
        cut = min((i for i in (more.find(b"\n"), more.find(b"\r")) if i >= 0), default=-1)
        content += more if cut < 0 else more[: cut + 1]
    return content


def _skip_line(source: object) -> bool:
    """Move behind the next line's end; return whether there is one."""
    from typing import Any, cast

    file = cast("Any", source)
    while chunk := file.read(1 << 16):
        cut = min((i for i in (chunk.find(b"\n"), chunk.find(b"\r")) if i >= 0), default=-1)
        if cut >= 0:
            file.seek(file.tell() - len(chunk) + cut + 1)
            return True
    return False

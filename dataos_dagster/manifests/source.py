"""From a file to its text: everything that can be wrong with it before it is YAML."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.manifests.composing import LINE_BREAK

if TYPE_CHECKING:
    from pathlib import Path

_BOM = "\ufeff"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What YAML does not allow in a text; libyaml names only the offset.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_CONTROL_BYTES = re.compile(rb"[\x01-\x08\x0e-\x1f]")
# How much of a file is looked at to tell a binary file from a text with one stray character.
_SAMPLE = 4096
_BINARY_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file has no text: a diagnostic's code, place, message and hint."""

    code: str
    message: str
    hint: str
    line: int = 1
    column: int = 1


_BINARY = Unreadable("binary-file", "the file is binary, not text", "name a YAML file, or take this one away")


def read_bytes(file: Path, limit: int) -> bytes | Unreadable:
    """Return a file's content, or why it cannot be had.

    Args:
        file: The file; its size is asked for before it is read.
        limit: Largest size, in bytes.
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            return _no_file(file, status.st_mode)
        if status.st_size > limit:
            return _too_large(status.st_size, limit)
        with file.open("rb") as stream:
            # Not `limit + 1` in one go: that sets aside as much memory for each file of a few lines.
            content = stream.read(status.st_size + 1)
            if len(content) > status.st_size:  # it has grown since
                content += stream.read(limit)
    except (OSError, ValueError) as error:
        return _refused(error, file)
    return content if len(content) <= limit else _too_large(len(content), limit)


def _no_file(file: Path, mode: int) -> Unreadable:
    if stat.S_ISDIR(mode) and not os.access(
        file, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids
    ):
        # There may be nothing of ours in it: data of a server, such as PostgreSQL's, is closed to others.
        hint = "check its owner, or list the folders of manifests under `manifests` in dataos.yaml"
        return Unreadable("folder-unreadable", "this folder cannot be searched for manifests", hint)
    # A pipe is not opened: that would wait for somebody to write into it.
    what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
    return Unreadable("file-unreadable", f"this is {what}, not a file", "name a manifest")


def _too_large(size: int, limit: int) -> Unreadable:
    return Unreadable(
        "file-too-large",
        f"the file has {size:,} bytes; a manifest has at most {limit:,}",
        "move data out of the manifest, or raise limits.file_bytes in dataos.yaml",
    )


def _refused(error: OSError | ValueError, file: Path) -> Unreadable:
    if isinstance(error, ValueError):
        return Unreadable("file-missing", "no file can have this name", "check the path")
    if isinstance(error, FileNotFoundError) and file.is_symlink():
        return Unreadable("file-missing", "the link leads to no file", "mend the link, or delete it")
    if isinstance(error, FileNotFoundError):
        return Unreadable("file-missing", "there is no such file", "check the path; it is relative to this folder")
    if isinstance(error, PermissionError):
        return Unreadable("file-unreadable", "this user may not read the file", f"run: chmod u+r {file.name}")
    reason = (error.strerror or errno.errorcode.get(error.errno or 0, "input/output error")).lower()
    return Unreadable("file-unreadable", f"the file cannot be read: {reason}", "check the file and its disk")


def decode(content: bytes) -> str | Unreadable:
    """Return the text of a file's content, without a byte order mark, or why it is none.

    Characters that YAML does not allow are left for the composer to refuse, which looks at each one anyway; then
    `refused_character` says which.
    """
    if content.startswith(_UTF16_MARKS):
        return Unreadable("not-utf8", "the file is UTF-16", "save it as UTF-8")
    try:
        return content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        if _looks_binary(content):
            return _BINARY
        line, column = _place(content[: error.start].decode("utf-8"))
        return Unreadable(
            "not-utf8", f"the byte 0x{content[error.start]:02x} is not UTF-8", "save the file as UTF-8", line, column
        )


def refused_character(text: str) -> Unreadable | None:
    """Return where the first character stands that YAML does not allow, or None when there is none."""
    stray = _NOT_TEXT.search(text)
    if stray is None:
        return None
    if _looks_binary(text.encode("utf-8", "replace")):
        return _BINARY
    line, column = _place(text[: stray.start()])
    return Unreadable(
        "control-character",
        f"the invisible character U+{ord(stray.group()):04X} may not stand in YAML",
        "delete it; where it was pasted, write the line again by hand",
        line,
        column,
    )


def _looks_binary(content: bytes) -> bool:
    sample = content[:_SAMPLE]
    return b"\x00" in sample or len(_CONTROL_BYTES.findall(sample)) > _BINARY_SHARE * len(sample)


def _place(before: str) -> tuple[int, int]:
    """Return the 1-based line and column behind a text."""
    lines = LINE_BREAK.split(before.removeprefix(_BOM))
    return len(lines), len(lines[-1]) + 1

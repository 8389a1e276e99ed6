"""Documents of files that were read before, found by the content of the file.

The cache holds what the reader made of a file: values as they are written, before interpolation, and positions. It is
only a shortcut: a file whose content, reader or limits are not exactly those of the entry is read again, and so is
everything when the database is absent, corrupt, locked or from another version. Documents of secret kinds, or with a
diagnostic, are never kept.

Beside them it holds what was found in texts that are in a language of their own, such as SQL: only of those that are in
order, by a digest of the text, so that the parser of that language is not loaded for what it has read before.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import sys
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Self

from dataos_dagster.manifests.document import Document
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.masking import SENSITIVE_PARTS, sounds_secret
from dataos_dagster.manifests.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Sized
    from pathlib import Path
    from types import TracebackType

    from dataos_dagster.settings import LimitSettings

FILE_NAME = "manifests.db"
# Raise it when the reader makes something else of the same text.
_FORMAT = 3
_SECRET_KINDS = tuple(f'"{kind.name}"' for kind in KINDS.values() if kind.secret)
# A key whose value is a text or a number. Keys repeat from document to document, so what they sound like is kept.
_VALUED_KEY = re.compile(r'"([^"\\]+)":["0-9]')
_sounds_secret = lru_cache(4096)(sounds_secret)
# How long to wait for another process that writes, in seconds; then this load does without.
_PATIENCE = 2.0
# Entries that the last load did not use are dropped when they are more than those it used, and this many.
_SPARE = 1000

_DOCUMENTS = """
CREATE TABLE IF NOT EXISTS documents (
    content BLOB NOT NULL, item INTEGER NOT NULL, items INTEGER NOT NULL, encoded TEXT NOT NULL,
    positions BLOB NOT NULL, seal BLOB NOT NULL, PRIMARY KEY (content, item)
) WITHOUT ROWID
"""
_TEXTS = """
CREATE TABLE IF NOT EXISTS texts (
    digest BLOB NOT NULL PRIMARY KEY, reading TEXT NOT NULL, seal BLOB NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One document of a file of `items`."""

    index: int
    items: int
    encoded: str
    positions: bytes


@dataclass(slots=True)
class DocumentCache:
    """The documents that are kept in a folder; a context manager that writes new ones when it ends.

    Attributes:
        folder: Where the database file is; it is created when there is something to keep.
        limits: Bounds that the documents were read under: another depth may refuse what an entry allows.
    """

    folder: Path
    limits: LimitSettings
    _entries: dict[bytes, list[_Entry]] = field(default_factory=dict)
    _used: set[bytes] = field(default_factory=set)
    _new: dict[bytes, list[_Entry]] = field(default_factory=dict)
    _readings: dict[bytes, str] = field(default_factory=dict)
    _used_readings: set[bytes] = field(default_factory=set)
    _new_readings: dict[bytes, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        with contextlib.suppress(sqlite3.Error, OSError):
            self._load()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        stale = _is_stale(self._entries, self._used) or _is_stale(self._readings, self._used_readings)
        if self._new or self._new_readings or stale:
            try:
                self._store(drop_unused=stale)
            except sqlite3.DatabaseError as problem:
                self._start_again(problem)
            except OSError:
                pass  # a read-only folder: the next load reads the files again
        self._entries.clear()
        self._readings.clear()

    def find(self, digest: bytes, file: Path, name: str) -> list[Document] | None:
        """Return the documents of a file with this content, or None when they are not known.

        Args:
            digest: `digest_of` the file's bytes.
            file: The file that has the content now.
            name: Its path as displayed.
        """
        key = self._key(digest)
        entries = self._entries.get(key)
        if entries is None:
            return None
        self._used.add(key)
        return [Document(file, name, e.index, digest, Positions(e.positions), e.encoded) for e in entries]

    def keep(self, digest: bytes, documents: Sequence[Document]) -> None:
        """Remember the documents of a file, unless one of them may hold a secret."""
        if documents and not any(may_hold_secrets(document.encoded) for document in documents):
            key = self._key(digest)
            self._new[key] = [_Entry(d.index, len(documents), d.encoded, d.positions.records) for d in documents]
            self._used.add(key)

    def find_reading(self, text: str) -> str | None:
        """Return what `keep_reading` was told about a text, or None."""
        key = self._key(text.encode())
        reading = self._readings.get(key)
        if reading is not None:
            self._used_readings.add(key)
        return reading

    def keep_reading(self, text: str, reading: str) -> None:
        """Remember what a text says; it must be in order, and the reading must not quote its values."""
        key = self._key(text.encode())
        self._readings[key] = self._new_readings[key] = reading
        self._used_readings.add(key)

    def _key(self, digest: bytes) -> bytes:
        return hashlib.blake2b(digest, digest_size=16, person=_reader(self.limits.depth)).digest()

    def _load(self) -> None:
        path = self.folder / FILE_NAME
        if not path.exists():
            return
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE)) as database:
            rows = database.execute(
                "SELECT content, item, items, encoded, positions, seal FROM documents ORDER BY 1, 2"
            )
            for content, item, items, encoded, positions, seal in rows:
                if seal == _seal(content, item, items, encoded, positions):
                    self._entries.setdefault(content, []).append(_Entry(item, items, encoded, positions))
            for digest, reading, seal in database.execute("SELECT digest, reading, seal FROM texts"):
                if seal == _seal(digest, 0, 1, reading, b""):
                    self._readings[digest] = reading
        # A file of which a row is lost or damaged is not known: it must not shrink.
        for content in [content for content, found in self._entries.items() if len(found) != found[0].items]:
            del self._entries[content]

    def _store(self, *, drop_unused: bool) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.folder / FILE_NAME, timeout=_PATIENCE)) as database, database:
            # A lost write costs reading the files again; a torn one does not pass its seal.
            database.execute("PRAGMA synchronous = OFF")
            database.execute(_DOCUMENTS)
            database.execute(_TEXTS)
            if drop_unused:
                unused = ((key,) for key in self._entries.keys() - self._used)
                database.executemany("DELETE FROM documents WHERE content = ?", unused)
                unused = ((key,) for key in self._readings.keys() - self._used_readings)
                database.executemany("DELETE FROM texts WHERE digest = ?", unused)
            database.executemany(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
                ((*row, _seal(*row)) for content, entries in self._new.items() for row in _rows_of(content, entries)),
            )
            database.executemany(
                "INSERT OR REPLACE INTO texts VALUES (?, ?, ?)",
                ((key, reading, _seal(key, 0, 1, reading, b"")) for key, reading in self._new_readings.items()),
            )

    def _start_again(self, problem: sqlite3.DatabaseError) -> None:
        """Remove a database that is none, so that the next load can keep something; a locked one is left alone."""
        if isinstance(problem, sqlite3.OperationalError) and "locked" in str(problem):
            return
        with contextlib.suppress(OSError):
            (self.folder / FILE_NAME).unlink()


def may_hold_secrets(encoded: str) -> bool:
    """Tell whether a document may hold a secret, by its JSON text.

    That is so when it names a secret kind anywhere (also as the kind of a resource inside a bundle, or as the name of a
    section whose type is a placeholder), or has a text or number under a key that sounds like one.
    """
    lowered = encoded.lower()
    if any(kind in lowered for kind in _SECRET_KINDS):
        return True
    if encoded.isascii() and not any(part in lowered for part in SENSITIVE_PARTS):
        return False
    return any(_sounds_secret(key) for key in set(_VALUED_KEY.findall(encoded)))


def _is_stale(known: Sized, used: Sized) -> bool:
    return len(known) - len(used) > len(used) + _SPARE


def _rows_of(content: bytes, entries: Sequence[_Entry]) -> Iterator[tuple[bytes, int, int, str, bytes]]:
    for entry in entries:
        yield content, entry.index, entry.items, entry.encoded, entry.positions


@cache
def _reader(depth: int) -> bytes:
    """Return what identifies the reader that made an entry: this package, its format, its limits and the machine's."""
    try:
        package = version("dataos-dagster")
    except PackageNotFoundError:  # run from a source tree that is not installed
        package = ""
    return hashlib.blake2b(f"{_FORMAT}/{package}/{depth}/{sys.byteorder}".encode(), digest_size=16).digest()


def _seal(content: bytes, item: int, items: int, encoded: str, positions: bytes) -> bytes:
    """Return the checksum of a row: SQLite does not notice a flipped bit inside a value, nor a changed type."""
    seal = hashlib.blake2b(repr((content, item, items)).encode(), digest_size=8)
    seal.update(encoded.encode() if isinstance(encoded, str) else b"")
    seal.update(positions if isinstance(positions, bytes) else b"")
    return seal.digest()

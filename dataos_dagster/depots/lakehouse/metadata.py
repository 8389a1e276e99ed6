"""The state of an Iceberg table, out of its metadata file (Iceberg specification, version 1 to 3).

Read here and not through an engine, because rows, snapshots and the partition spec are wanted before an engine is
chosen and after it has written.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.depots.storage import Place

MAIN = "main"
# Iceberg names a compressed file v1.gz.metadata.json; older releases wrote v1.metadata.json.gz.
_VERSIONED = re.compile(r"v(\d+)(?:\.gz)?\.metadata\.json(?:\.gz)?")
_GZIP_MAGIC = b"\x1f\x8b"
# Marks a table whose columns are still to be made optional; see `make_columns_optional`.
STRICT_COLUMNS = "dataos.columns-as-written"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a table's rows; `summary` is what the engine that made it counted."""

    id: int
    summary: Mapping[str, str]

    def count(self, key: str) -> int | None:
        """Return a number of the summary."""
        text = self.summary.get(key)
        return int(text) if text is not None else None

    @property
    def merged_rows(self) -> int | None:
        """Return the rows that a merge has inserted or updated; None where the engine counted copied rows with them."""
        counts = [self.count(f"spark.merge-into.num-target-rows-{what}") for what in ("inserted", "updated")]
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    @property
    def total_rows(self) -> int | None:
        """Return the rows of the table in this state; None where deletes by value leave that open."""
        records = self.count("total-records")
        if records is None or self.count("total-equality-deletes"):
            return None
        return records - (self.count("total-position-deletes") or 0)


@dataclass(frozen=True, slots=True)
class TableState:
    """What a metadata file says.

    Attributes:
        raw: The file itself, parsed.
        version: Number of the file in the folder layout; 0 where a catalog keeps the pointer.
    """

    raw: Mapping[str, Any]
    version: int = 0

    @property
    def properties(self) -> Mapping[str, str]:
        """Return the table's properties."""
        found: Mapping[str, str] = self.raw.get("properties") or {}
        return found

    @property
    def partition_spec(self) -> tuple[tuple[str, str, str], ...]:
        """Return (transform, source column, field name) of the present spec, outermost first."""
        columns = {field["id"]: field["name"] for field in self.schema["fields"]}
        wanted = self.raw.get("default-spec-id", 0)
        specs = self.raw.get("partition-specs") or []
        fields: list[dict[str, Any]] = next((spec["fields"] for spec in specs if spec.get("spec-id", 0) == wanted), [])
        return tuple(
            (field["transform"], columns.get(field["source-id"], "?"), field["name"])
            for field in fields
            # Version 1 keeps a field that was dropped as `void`.
            if field["transform"] != "void"
        )

    @property
    def schema(self) -> Mapping[str, Any]:
        """Return the present schema as Iceberg writes it."""
        wanted = self.raw.get("current-schema-id", 0)
        schemas = self.raw.get("schemas") or [self.raw.get("schema")]
        found: Mapping[str, Any] = next((s for s in schemas if s.get("schema-id", 0) == wanted), schemas[-1])
        return found

    @property
    def has_deletes(self) -> bool:
        """Return whether rows of the present state are deleted by delete files, or are to be."""
        snapshot = self.snapshot()
        there = bool(snapshot and snapshot.count("total-delete-files"))
        return there or self.properties.get("write.delete.mode") == "merge-on-read"

    @property
    def is_sorted(self) -> bool:
        """Return whether the table has an order of its own."""
        wanted = self.raw.get("default-sort-order-id", 0)
        orders = self.raw.get("sort-orders") or []
        return any(order["order-id"] == wanted and order["fields"] for order in orders)

    def snapshot(self, branch: str | None = None) -> Snapshot | None:
        """Return the present snapshot of a branch (None: the main one), or None when it has none."""
        wanted = (self.raw.get("refs") or {}).get(branch or MAIN, {}).get("snapshot-id")
        if wanted is None and branch in {None, MAIN}:
            wanted = self.raw.get("current-snapshot-id")
        for found in self.raw.get("snapshots") or ():
            if found["snapshot-id"] == wanted:
                return Snapshot(found["snapshot-id"], found.get("summary") or {})
        return None

    def history(self, branch: str | None = None) -> Iterator[Snapshot]:
        """Yield the snapshots that led to the present one of a branch (None: the main one), newest first.

        Along the ancestors and not over all snapshots: after a roll-back the rows of what came later are gone.
        """
        present = self.snapshot(branch)
        known = {found["snapshot-id"]: found for found in self.raw.get("snapshots") or ()}
        found = known.get(present.id) if present else None
        while found is not None:
            yield Snapshot(found["snapshot-id"], found.get("summary") or {})
            found = known.get(found.get("parent-snapshot-id"))

    @property
    def tags(self) -> Mapping[str, int]:
        """Return the ids of the snapshots that have tags, by tag."""
        refs = (self.raw.get("refs") or {}).items()
        return {name: ref["snapshot-id"] for name, ref in refs if ref.get("type") == "tag"}

    @property
    def branches(self) -> tuple[str, ...]:
        """Return the names of all branches."""
        return tuple(name for name, ref in (self.raw.get("refs") or {}).items() if ref.get("type") == "branch")


def read_state(table: Place) -> TableState | None:
    """Return the state of a table in a folder, or None when there is no table.

    The newest file counts, as it does for both engines: the hint beside it may be stale after a crash.

    Raises:
        DepotError: The newest file is not readable metadata.
    """
    newest = _newest(table)
    if newest is None:
        return None
    version, name = newest
    content = table.join("metadata", name).read()
    try:
        raw = json.loads(gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content)
    except (ValueError, OSError, EOFError) as error:
        raise DepotError(
            f"{table}/metadata/{name} is no Iceberg metadata: {error}", hint="restore the file from a copy"
        ) from None
    return TableState(raw, version)


def make_columns_optional(table: Place, state: TableState) -> TableState:
    """Commit a schema whose columns are all optional, for a table whose creation took nullability from the frame.

    Sail creates a table together with its rows, in one commit, but marks columns as required where its planner
    proved that this one frame holds no null. Making a column optional is a change of metadata only. Were the process
    to end in between, the table is complete, and the mark in its properties makes the next writer do this.
    """
    if STRICT_COLUMNS not in state.properties:
        return state
    raw = json.loads(json.dumps(state.raw))
    schema = _optional({**state.schema, "schema-id": max(s.get("schema-id", 0) for s in raw["schemas"]) + 1})
    raw["schemas"].append(schema)
    raw["current-schema-id"] = schema["schema-id"]
    del raw["properties"][STRICT_COLUMNS]
    return _commit_after(table, state, raw)


def restore(table: Place, before: TableState) -> None:
    """Commit properties, partition spec and branches as they were, unless rows have been committed since.

    Raises:
        OSError: The file cannot be written, or somebody else has committed in the same instant.
    """
    now = read_state(table)
    if now is None or now.version == before.version or now.raw.get("snapshots") != before.raw.get("snapshots"):
        return
    raw = json.loads(json.dumps(now.raw))
    for key in ("properties", "default-spec-id", "partition-spec", "refs"):
        if key in before.raw:
            raw[key] = before.raw[key]
        else:
            raw.pop(key, None)
    _commit_after(table, now, raw)


def _commit_after(table: Place, state: TableState, raw: dict[str, Any]) -> TableState:
    """Commit metadata that follows a state, which goes into its log; return the new state."""
    [name] = [name for version, name in _versions(table) if version == state.version]
    log = {
        "metadata-file": f"{raw['location'].rstrip('/')}/metadata/{name}",
        "timestamp-ms": state.raw["last-updated-ms"],
    }
    raw["metadata-log"] = [*(raw.get("metadata-log") or ()), log]
    raw["last-updated-ms"] = max(int(time.time() * 1000), raw["last-updated-ms"] + 1)
    _commit(table, state.version + 1, raw)
    return TableState(raw, state.version + 1)


def _commit(table: Place, version: int, raw: Mapping[str, Any]) -> None:
    """Write the next metadata file of a local table, whole or not at all."""
    folder = table.local / "metadata"
    packed = (raw.get("properties") or {}).get("write.metadata.compression-codec", "none").lower() == "gzip"
    text = json.dumps(raw).encode()
    temporary = folder / f"{uuid.uuid4()}.tmp"
    temporary.write_bytes(gzip.compress(text) if packed else text)
    try:
        # A link fails where the name exists: whoever came first has committed, as Iceberg's rename demands.
        os.link(temporary, folder / f"v{version}{'.gz' if packed else ''}.metadata.json")
    finally:
        temporary.unlink()
    hint = folder / f"{uuid.uuid4()}-version-hint.tmp"
    hint.write_text(str(version), "ascii")
    hint.replace(folder / "version-hint.text")


def _optional(schema: Any) -> Any:
    """Return a schema, or the type of a column, with every column, field, element and value optional."""
    if isinstance(schema, dict):
        changed = {key: _optional(value) for key, value in schema.items()}
        return changed | {key: False for key in ("required", "element-required", "value-required") if key in changed}
    return [_optional(item) for item in schema] if isinstance(schema, list) else schema


def _newest(table: Place) -> tuple[int, str] | None:
    return max(_versions(table), default=None)


def _versions(table: Place) -> list[tuple[int, str]]:
    names = (info.base_name for info in table.join("metadata").entries())
    return [(int(found[1]), name) for name in names if (found := _VERSIONED.fullmatch(name))]

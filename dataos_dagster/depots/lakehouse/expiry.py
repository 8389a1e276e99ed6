"""Which snapshots of a table go, and which stay (Iceberg specification, snapshot retention policy).

Decided here from the table's metadata and given to Iceberg as a list: so it is known before anything is done, and a
list of snapshots means these and no others, where Iceberg would add all that are older than the table's own limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.lakehouse.marks import MARK
from dataos_dagster.depots.lakehouse.metadata import MAIN
from dataos_dagster.depots.streams import stream_of_mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.maintenance import ExpireSnapshots

# Spark's own writer of streams marks its snapshots by the query.
_STREAM = "spark.sql.streaming.queryId"
# A stream that was killed looks for its last batch when it is started again, by then at the latest.
_STREAM_MILLIS = 24 * 3600 * 1000
_DEFAULT_AGE = 5 * 24 * 3600 * 1000
_MOST_MILLIS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Expiry:
    """What becomes of the snapshots of a table.

    Attributes:
        ids: Those that go, oldest first.
        total: How many there are.
        refs: Branches and tags that are older than they may become, and go with their snapshots.
        in_use: Asked for by id, and the present state of a branch or tag: id to its names.
        unknown: Asked for by id, and not there.
        for_streams: Stay because a stream may still look for its last batch in them.
    """

    ids: tuple[int, ...]
    total: int
    refs: tuple[str, ...] = ()
    in_use: tuple[tuple[int, str], ...] = ()
    unknown: tuple[int, ...] = ()
    for_streams: tuple[int, ...] = ()


def expiry_of(state: TableState, work: ExpireSnapshots, now: datetime) -> Expiry:
    """Return which snapshots of a table go.

    Args:
        state: Of the table.
        work: What is asked for.
        now: What ages are counted from, in UTC.
    """
    return _Expiry(state, work, _millis(now)).result()


class _Expiry:
    def __init__(self, state: TableState, work: ExpireSnapshots, now: int) -> None:
        self.snapshots: Mapping[int, Mapping[str, Any]] = {
            found["snapshot-id"]: found for found in state.raw.get("snapshots") or ()
        }
        self.refs: Mapping[str, Mapping[str, Any]] = _refs(state)
        self.properties = state.properties
        self.work, self.now = work, now

    def result(self) -> Expiry:
        heads: dict[int, list[str]] = {}
        kept_refs = {name: ref for name, ref in self.refs.items() if self._stays(name, ref)}
        for name, ref in kept_refs.items():
            heads.setdefault(ref["snapshot-id"], []).append(name)
        asked = set(self.work.snapshot_ids)
        goes = (set(self.snapshots) - self._retained(kept_refs)) | (asked & set(self.snapshots))
        streams = self._looked_for(kept_refs)
        for_streams = {found for found in goes & streams if found not in asked}
        goes -= heads.keys() | for_streams
        return Expiry(
            ids=self._in_order(goes),
            total=len(self.snapshots),
            refs=tuple(name for name in self.refs if name not in kept_refs),
            in_use=tuple((each, ", ".join(heads[each])) for each in self.work.snapshot_ids if each in heads),
            unknown=tuple(each for each in self.work.snapshot_ids if each not in self.snapshots),
            for_streams=self._in_order(for_streams),
        )

    def _retained(self, refs: Mapping[str, Mapping[str, Any]]) -> set[int]:
        """Return what stays by age and number: of each branch its newest, all that no branch leads to by age alone."""
        limit = self._limit()
        retained, led_to = set[int](), set[int]()
        for ref in refs.values():
            if ref.get("type") == "tag":
                retained.add(ref["snapshot-id"])
                led_to.add(ref["snapshot-id"])
                continue
            age = ref.get("max-snapshot-age-ms")
            oldest = limit if age is None else self.now - age
            least = ref.get("min-snapshots-to-keep") or self._least()
            line = list(self._ancestors(ref["snapshot-id"]))
            led_to.update(line)
            for position, found in enumerate(line):
                if position >= least and self.snapshots[found]["timestamp-ms"] < oldest:
                    break
                retained.add(found)
        loose = (found for found in self.snapshots if found not in led_to)
        retained.update(found for found in loose if self.snapshots[found]["timestamp-ms"] >= limit)
        return retained

    def _looked_for(self, refs: Mapping[str, Mapping[str, Any]]) -> set[int]:
        """Return the snapshots in which a stream may look for its last batch: from the present one down to it."""
        found: set[int] = set()
        for ref in refs.values():
            line, seen, last = list(self._ancestors(ref["snapshot-id"])), set[str](), 0
            for position, each in enumerate(line):
                snapshot = self.snapshots[each]
                summary = snapshot.get("summary") or {}
                stream = summary.get(_STREAM) or stream_of_mark(summary.get(MARK))
                if stream and stream not in seen and snapshot["timestamp-ms"] > self.now - _STREAM_MILLIS:
                    seen.add(stream)
                    last = position + 1
            found.update(line[:last])
        return found

    def _stays(self, name: str, ref: Mapping[str, Any]) -> bool:
        """Return whether a branch or tag is not older than it may become; the main branch always stays."""
        snapshot = self.snapshots.get(ref["snapshot-id"])
        if snapshot is None:
            return False
        most = ref.get("max-ref-age-ms") or int(self.properties.get("history.expire.max-ref-age-ms", _MOST_MILLIS))
        return name == MAIN or self.now - snapshot["timestamp-ms"] <= most

    def _limit(self) -> int:
        if self.work.older_than is not None:
            return _millis(self.work.older_than)
        if self.work.snapshot_ids:
            return 0  # these, and no others
        return self.now - int(self.properties.get("history.expire.max-snapshot-age-ms", _DEFAULT_AGE))

    def _least(self) -> int:
        return self.work.retain_last or int(self.properties.get("history.expire.min-snapshots-to-keep", 1))

    def _ancestors(self, snapshot_id: int | None) -> Iterator[int]:
        while snapshot_id is not None and snapshot_id in self.snapshots:
            yield snapshot_id
            snapshot_id = self.snapshots[snapshot_id].get("parent-snapshot-id")

    def _in_order(self, ids: set[int]) -> tuple[int, ...]:
        return tuple(sorted(ids, key=lambda each: (self.snapshots[each]["timestamp-ms"], each)))


def _refs(state: TableState) -> Mapping[str, Mapping[str, Any]]:
    """Return branches and tags; metadata of version 1 names the main branch's snapshot only."""
    refs: Mapping[str, Mapping[str, Any]] = state.raw.get("refs") or {}
    present = state.snapshot()
    if present is None or MAIN in refs:
        return refs
    return {MAIN: {"snapshot-id": present.id, "type": "branch"}, **refs}


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

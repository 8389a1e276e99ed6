"""How far a stream is: what Spark says of its micro-batches, in the words that people ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a query after a micro-batch.

    Attributes:
        batch: Number of the micro-batch; it is in the checkpoint.
        at: When it began.
        rows: Rows that it read.
        written: Rows that the engine's own writer counted.
        rows_per_second: Rows read for each second of work.
        seconds: How long it took.
        behind: Messages that the source had and the stream had not read at its end; None where the source does not say.
    """

    batch: int
    at: datetime
    rows: int
    written: int
    rows_per_second: float
    seconds: float
    behind: int | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Progress:
        """Return what a progress report of Spark (`StreamingQuery.lastProgress`) says."""
        sources = [dict(source) for source in told.get("sources") or ()]
        behind = [_behind(source) for source in sources]
        return cls(
            batch=int(told["batchId"]),
            at=datetime.fromisoformat(told["timestamp"]).astimezone(UTC),
            rows=sum(int(source.get("numInputRows") or 0) for source in sources),
            written=max(int((told.get("sink") or {}).get("numOutputRows") or 0), 0),
            rows_per_second=sum(float(source.get("processedRowsPerSecond") or 0) for source in sources),
            seconds=float(told.get("batchDuration") or 0) / 1000,
            behind=sum(found for found in behind if found is not None) if any(b is not None for b in behind) else None,
        )


def _behind(source: Mapping[str, Any]) -> int | None:
    """Return how many messages of a source are left, from its offsets by topic and partition."""
    latest, end = _offsets(source.get("latestOffset")), _offsets(source.get("endOffset"))
    if latest is None or end is None:
        return None
    return sum(
        max(int(offset) - int(end.get(topic, {}).get(partition, 0)), 0)
        for topic, partitions in latest.items()
        for partition, offset in partitions.items()
    )


def _offsets(text: Any) -> dict[str, dict[str, int]] | None:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None
    if isinstance(found, dict) and found and all(isinstance(partitions, dict) for partitions in found.values()):
        return found
    return None

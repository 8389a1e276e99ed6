"""When micro-batches of a stream start, and whether the stream ends by itself: `streaming.triggerMode`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.flare.manifest import Streaming
    from dataos_dagster.flare.manifest.job import TriggerMode

# Of `Continuous` without a `triggerDuration`; Spark has none of its own.
_CONTINUOUS_INTERVAL = "1 second"
# Those that end when what was there at their start is done.
_BOUNDED: frozenset[TriggerMode] = frozenset({"Once", "AvailableNow"})


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a micro-batch starts.

    Attributes:
        mode: None starts each batch when the one before has ended.
        interval: Time between the starts of two batches, such as `10 seconds`; of `Continuous`, between checkpoints.
        note: What was decided that the manifest does not say.
    """

    mode: TriggerMode | None
    interval: str | None = None
    note: str | None = None

    @property
    def is_bounded(self) -> bool:
        """Return whether the stream ends by itself."""
        return self.mode in _BOUNDED

    @property
    def keywords(self) -> Mapping[str, Any]:
        """Return it as keywords of Spark's `DataStreamWriter.trigger`; nothing for batches back to back."""
        if self.mode == "Once":
            return {"once": True}
        if self.mode == "AvailableNow":
            return {"availableNow": True}
        if self.mode == "Continuous":
            return {"continuous": self.interval}
        return {"processingTime": self.interval} if self.interval else {}

    def in_batches(self) -> Trigger:
        """Return the trigger of a sink that takes no single rows: micro-batches instead of `Continuous`."""
        return Trigger("ProcessingTime", self.interval, self.note) if self.mode == "Continuous" else self

    def __str__(self) -> str:
        if self.mode is None:
            return "one micro-batch after the other"
        return f"{self.mode} {self.interval}" if self.interval else self.mode


def trigger_of(streaming: Streaming | None, *, is_scheduled: bool) -> Trigger:
    """Return the trigger of a stream.

    Args:
        streaming: The job's `streaming:` section.
        is_scheduled: Its workflow has a schedule: a stream without a trigger is meant to end then, or the next tick
            would find it running.
    """
    mode = streaming.trigger_mode if streaming else None
    interval = streaming.trigger_duration if streaming else None
    if mode == "Continuous":
        return Trigger(mode, interval or _CONTINUOUS_INTERVAL)
    if mode == "ProcessingTime":
        return Trigger(mode, interval)
    if mode is not None:
        return Trigger(mode)
    if streaming is not None and streaming.batch_mode:
        return Trigger("AvailableNow", note="`batchMode` without `triggerMode` is read as `triggerMode: AvailableNow`")
    if is_scheduled:
        note = "a stream of a scheduled workflow is meant to end: `triggerMode: AvailableNow` is taken"
        return Trigger("AvailableNow", note=note)
    return Trigger(None, interval)

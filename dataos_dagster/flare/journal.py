"""What the run of a job says of itself: to whoever watches it, and in its result."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import DepotError, EngineError
from dataos_dagster.redaction import redact
from dataos_dagster.workflows.results import Preview

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.workflows.results import Reporter


@dataclass
class Journal:
    """What one run has said so far; everything is told to the reporter as it happens.

    Attributes:
        explained: The engine's plans by the labels of their steps and outputs, where the manifest asks for them.
        previews: First rows of views, where the manifest asks for them.
        notes: What was done otherwise than written, or is worth knowing.
    """

    plan: JobPlan
    reporter: Reporter
    explained: dict[str, str] = field(default_factory=dict)
    previews: list[Preview] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, note: str) -> None:
        """Tell what was done otherwise than written, or is worth knowing."""
        self.notes.append(note)
        self.reporter.note(self.plan.job.id, note)

    def preview(self, name: str, frame: DataFrame) -> None:
        """Show the first rows of a view when the manifest asks for it."""
        count = self.plan.spec.job.show_preview_lines
        # A stream has no first rows to show before its query runs.
        if count and not frame.isStreaming:
            rows = tuple(tuple(row) for row in frame.limit(count).collect())
            preview = Preview(name, tuple(frame.columns), rows)
            self.previews.append(preview)
            self.reporter.preview(self.plan.job.id, preview)

    def preview_of(self, view: str) -> Preview | None:
        """Return the first rows of a view, if they were shown."""
        return next((preview for preview in self.previews if preview.name == view), None)

    def explain(self, label: str, view: str, session: EngineSession) -> None:
        """Keep the engine's plans of the view of a step or an output when the manifest asks for them."""
        if self.plan.spec.job.explain:
            query = f"EXPLAIN EXTENDED SELECT * FROM {quoted(view)}"  # noqa: S608 - the view's name is quoted
            [[text]] = session.spark.sql(query).collect()
            self.explained[label] = redact(text)  # options of a source may hold a password

    @contextmanager
    def of(self, label: str, location: Location) -> Iterator[None]:
        """Report an input or step, and give errors without a place that of the input or step."""
        started = time.perf_counter()
        self.reporter.step_started(self.plan.job.id, label)
        try:
            yield
        except (DepotError, EngineError) as error:
            error.location = error.location or location
            raise
        self.reporter.step_finished(self.plan.job.id, label, None, time.perf_counter() - started)

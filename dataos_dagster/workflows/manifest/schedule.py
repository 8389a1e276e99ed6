"""When a workflow runs, and how often a job is tried again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dataos_dagster.manifests.cron import CronText, TimezoneText
from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, scalar_text

ConcurrencyPolicy = Literal["Allow", "Forbid", "Replace"]
RetryStrategy = Literal["OnFailure", "OnError", "OnTransientError", "Always"]


def _instant(value: Any) -> Any:
    if not isinstance(value, str):
        return scalar_text(value)
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("expected a moment as RFC 3339 writes it, such as 2031-01-01T00:00:00Z") from None
    # An instant without an offset is taken as UTC, never as the schedule's zone: `endOn` is absolute.
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Instant = Annotated[datetime, BeforeValidator(_instant), AfterValidator(lambda value: value.astimezone(UTC))]


class Schedule(ManifestModel):
    """`workflow.schedule`."""

    cron: Annotated[CronText, Field(description="Minute, hour, day of month, month, day of week.")]
    timezone: Annotated[TimezoneText, Field(description="Zone in which the cron is evaluated.")] = "UTC"
    concurrency_policy: Annotated[
        Annotated[ConcurrencyPolicy, AnyCase()],
        Field(description="What happens at a tick while the previous run is active."),
    ] = "Allow"
    start_on: Annotated[Instant | None, Field(description="First moment of the schedule.")] = None
    end_on: Annotated[Instant | None, Field(description="Last moment of the schedule.")] = None
    complete_on: Annotated[Instant | None, Field(description="Older word for endOn; the earlier one wins.")] = None

    @property
    def end(self) -> datetime | None:
        """Return the last moment of the schedule in UTC: the earlier of `endOn` and `completeOn`."""
        return min((moment for moment in (self.end_on, self.complete_on) if moment), default=None)


class Retry(ManifestModel):
    """`dag[].retry`."""

    count: Annotated[int, Field(ge=0, description="Number of tries after the first one.")] = 1
    strategy: Annotated[
        Annotated[RetryStrategy, AnyCase()],
        Field(description="Which failures are tried again."),
    ] = "OnFailure"
    duration: Annotated[ScalarText | None, Field(description="Delay before the first retry: 10s, 2m, seconds.")] = None
    max_duration: Annotated[ScalarText | None, Field(description="Upper bound of the time spent on retries.")] = None


LogLevel = Annotated[Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"], AnyCase({"warning": "WARN"})]

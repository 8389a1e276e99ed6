"""What `retry` of a dag entry means: which failures are tried again, how often, and after how long.

The strategies are those of Argo Workflows, which DataOS builds on:

- `OnFailure`: the job's own failures.
- `OnError`: failures around the job (its process died, it could not be launched); the run is launched again.
- `OnTransientError`: only failures that may go away by themselves, or whose message matches the pattern in the
  environment variable `TRANSIENT_ERROR_PATTERN`, of the job (`envs`) or of the process.
- `Always`: all of these.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, EngineCrashed, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.workflows.jobs import Job

# Said where runs that break down should be launched again and the deployment does not do it.
RUN_RETRIES_OFF = (
    "`retry` asks for a run that breaks down to be launched again, and run retries are off in this deployment: set "
    "`run_retries: {enabled: true}` in dagster.yaml"
)
PATTERN_VARIABLE = "TRANSIENT_ERROR_PATTERN"
# Engine and driver messages of failures that a second try often does not meet.
TRANSIENT = re.compile(
    r"timed? ?out|connection (refused|reset|aborted|closed)|broken pipe|temporarily unavailable|unavailable"
    r"|too many requests|throttl|deadlock|no route to host|name resolution|i/o timeout|TLS handshake",
    re.IGNORECASE,
)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How the failures of one job are tried again.

    Attributes:
        step_retries: How often the job is tried again inside its run.
        run_retries: How often its run is launched again when it breaks down around the job.
        delay: Seconds before the first retry.
        limit: Seconds after the first start of the job beyond which it is not tried again; None has no bound.
        transient_only: Only failures that may go away by themselves are tried again.
    """

    step_retries: int = 0
    run_retries: int = 0
    delay: float = 0.0
    limit: float | None = None
    transient_only: bool = False
    pattern: str | None = None

    def retries(self, error: BaseException, *, seconds: float) -> bool:
        """Tell whether a failure is tried again, given the seconds since the job's first start."""
        if self.limit is not None and seconds >= self.limit:
            return False
        return not self.transient_only or is_transient(error, self.pattern)

    @property
    def most(self) -> int:
        """Return how often the job is tried again at most, whatever it fails of."""
        return max(self.step_retries, self.run_retries)

    def repeats(self, error: DataOSError, *, done: int, seconds: float) -> bool:
        """Tell whether `dataos run` tries a job again, in which the engine is all that can break down around a job.

        Args:
            error: Why it failed.
            done: How often it was tried again already.
            seconds: Since the job's first start.
        """
        around = isinstance(error, EngineCrashed | EngineUnavailable)
        allowed = max(self.step_retries, self.run_retries if around else 0)
        return done < allowed and self.retries(error, seconds=seconds)


def retry_plan(job: Job) -> RetryPlan:
    """Return what a job's `retry`, or that of the entry that nests its workflow, asks for."""
    retry = job.retry
    if retry is None or retry.count == 0:
        return RetryPlan()
    own = retry.strategy in {"OnFailure", "OnTransientError", "Always"}
    around = retry.strategy in {"OnError", "Always"}
    return RetryPlan(
        step_retries=retry.count if own else 0,
        run_retries=retry.count if around else 0,
        delay=_duration(retry.duration) or 0.0,
        limit=_duration(retry.max_duration),
        transient_only=retry.strategy == "OnTransientError",
        pattern=_pattern(job.spec.envs),
    )


def is_transient(error: BaseException, pattern: str | None = None) -> bool:
    """Tell whether the same call may succeed later without anybody changing anything."""
    if isinstance(error, DataOSError) and error.retryable:
        return True
    text = str(error)
    return bool(TRANSIENT.search(text) or (pattern and re.search(pattern, text)))


def _pattern(envs: Mapping[str, str]) -> str | None:
    text = envs.get(PATTERN_VARIABLE) or os.environ.get(PATTERN_VARIABLE)
    if not text:
        return None
    try:
        re.compile(text)
    except re.error:
        return re.escape(text)  # meant as a text that the message holds
    return text


def _duration(text: str | None) -> float | None:
    """Return seconds of `10s`, `2m`, `1h` or a bare number; None for what is none of these."""
    found = _DURATION.fullmatch(text.strip()) if text else None
    return float(found[1]) * _SECONDS[found[2]] if found else None

"""A service: something that runs until it is stopped, as its manifest wants it and as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dataos_dagster.errors import Location

Wish = Literal["running", "stopped"]
ReportedState = Literal["starting", "running", "stopping", "stopped", "failed"]
State = Literal["running", "starting", "stopping", "waiting", "stopped", "failed"]

# How long a service may finish what it has begun before it is killed.
DRAIN_SECONDS = 60.0
# A service that says nothing for so long hangs: it is killed and started again.
SILENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Service:
    """What a manifest wants to run.

    Attributes:
        name: Unique in a project: `workspace/workflow/job`.
        generation: Changes with everything that would make it run differently; one of another generation is replaced.
        command: Program and arguments. It tells how it is in the file that the variable `DATAOS_SERVICE_FOLDER` leads
            to, puts its log aside when that has grown (`logs.turn_own_log`), drains on SIGTERM, and ends with 0 then.
        location: Where its manifest stands.
    """

    name: str
    generation: str
    command: tuple[str, ...]
    location: Location | None = None
    drain_seconds: float = DRAIN_SECONDS
    silence_seconds: float = SILENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Report:
    """What a service last said of itself.

    Attributes:
        at: When.
        state: `running` once it does its work.
        message: Why it ended, when it has failed.
        metrics: One mapping for each thing that it does, such as a query; the stack says what is in them.
    """

    at: datetime
    state: ReportedState
    message: str | None = None
    metrics: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Actual:
    """What there is of a service.

    Attributes:
        scope: The code location that wants it, as far as is known; others leave it alone.
        pid: Of the process; None when it has ended or was never started.
        since: When it was started the last time.
        stopping_since: When it was asked to end.
        wish: What somebody has asked for by hand.
        failures: How often in a row it ended without being asked to.
        next_start: Not to be started before this moment.
        report: What it last said.
    """

    name: str
    scope: str | None = None
    generation: str | None = None
    pid: int | None = None
    since: datetime | None = None
    stopping_since: datetime | None = None
    wish: Wish = "running"
    failures: int = 0
    next_start: datetime | None = None
    report: Report | None = None

    @property
    def is_running(self) -> bool:
        """Return whether its process is there."""
        return self.pid is not None

    @property
    def state(self) -> State:
        """Return how it is in one word."""
        if self.is_running:
            if self.stopping_since is not None:
                return "stopping"
            said = self.report
            fresh = said is not None and (self.since is None or said.at >= self.since)
            return "running" if said is not None and fresh and said.state == "running" else "starting"
        if self.wish == "stopped":
            return "stopped"
        return "waiting" if self.failures and self.next_start else "failed" if self.failures else "stopped"


class Runtime(Protocol):
    """Where services run: processes of this machine now, Deployments of a cluster with the same verbs."""

    def start(self, service: Service, scope: str) -> None:
        """Start a service unless a copy of it runs."""

    def ask_to_end(self, name: str) -> None:
        """Tell a service to finish what it has begun and end. Does not wait."""

    def kill(self, name: str) -> None:
        """End a service at once."""

    def adopt(self, name: str, scope: str) -> None:
        """Note that a service belongs to another scope now."""

    def actual(self, name: str) -> Actual:
        """Return what there is of a service."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all services that were ever started and not forgotten."""

    def log(self, name: str, lines: int) -> str:
        """Return the last lines that a service has printed."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the supervisor did about one service, and why."""

    name: str
    action: Literal["start", "stop", "kill"]
    reason: str

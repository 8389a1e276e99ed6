"""Bring what runs to what is wanted: level by level, not event by event.

Each pass looks at everything, so that it does not matter what was missed: a daemon that was down, a process that died,
a manifest that changed or went.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from dataos_dagster.workflows.supervisor.service import DRAIN_SECONDS, Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.workflows.supervisor.service import Actual, Runtime, Service, Wish

Action = Literal["start", "stop", "kill"]
_POLL_SECONDS = 0.1


def decide(service: Service | None, actual: Actual, now: datetime) -> tuple[Action, str] | None:
    """Return what to do about a service and why, or None when it is as it should be, or waits.

    Args:
        service: What the manifests want; None when they do not want it any more.
        actual: What there is.
        now: The present moment.
    """
    if not actual.is_running:
        return _to_start(service, actual, now)
    if service is not None and actual.stopping_since is None:
        heard = max(filter(None, (actual.since, actual.report.at if actual.report else None)), default=now)
        if now - heard > timedelta(seconds=service.silence_seconds):
            return "kill", f"it has said nothing since {heard.isoformat(timespec='seconds')}"
    reason = _reason_to_end(service, actual)
    if reason is None:
        return None
    if actual.stopping_since is None:
        return "stop", reason
    patience = timedelta(seconds=service.drain_seconds if service else DRAIN_SECONDS)
    if now - actual.stopping_since > patience:
        return "kill", f"it did not end within {patience.total_seconds():.0f} s after it was asked to"
    return None


def _to_start(service: Service | None, actual: Actual, now: datetime) -> tuple[Action, str] | None:
    if service is None or actual.wish == "stopped":
        return None
    # A new generation may be the remedy: it does not wait for the pauses of the old one.
    if actual.generation == service.generation and actual.next_start is not None and now < actual.next_start:
        return None
    if actual.generation is None:
        return "start", "it is wanted and was never started"
    if actual.generation != service.generation:
        return "start", "its manifest has changed"
    return "start", f"it has ended, {actual.failures} times in a row" if actual.failures else "it is wanted again"


def _reason_to_end(service: Service | None, actual: Actual) -> str | None:
    if actual.stopping_since is not None:
        return "it was asked to end"
    if service is None:
        return "no manifest wants it any more"
    if actual.wish == "stopped":
        return "somebody has stopped it"
    return "its manifest has changed" if actual.generation != service.generation else None


@dataclass(frozen=True)
class Supervisor:
    """Brings the services of one code location to what their manifests want.

    Attributes:
        runtime: Where they run.
        scope: Name of the location: it ends nothing that another one wants.
    """

    runtime: Runtime
    scope: str

    def reconcile(
        self, services: Mapping[str, Service], now: datetime | None = None, *, certain: bool = True
    ) -> tuple[Change, ...]:
        """Look at everything once, do what is to be done without waiting for it, and return that.

        Args:
            services: What the manifests want.
            now: The present moment.
            certain: They want nothing else. Where a manifest could not be read, what it may want goes on running.
        """
        moment = now or datetime.now(UTC)
        changes = []
        for name in dict.fromkeys((*services, *self.runtime.names())):
            service, actual = services.get(name), self.runtime.actual(name)
            if service is None and not certain and actual.stopping_since is None:
                continue
            if actual.scope != self.scope:
                if service is None:
                    continue
                if actual.is_running:
                    # Started by hand, or by the location that had the manifest before: nobody else will ever end it.
                    self.runtime.adopt(name, self.scope)
            found = decide(service, actual, moment)
            if found is None:
                continue
            action, reason = found
            self._do(action, name, service, self.scope)
            changes.append(Change(name, action, reason))
        return tuple(changes)

    def settle(self, services: Mapping[str, Service | None], *, wish: Wish, seconds: float) -> bool:
        """Bring some services to running or stopped and wait for it; return whether all are.

        Args:
            services: Which, by name; None for one that no manifest wants.
            wish: What they are to be.
            seconds: How long to wait at most.
        """
        deadline = time.monotonic() + seconds
        while True:
            for name, service in services.items():
                actual = self.runtime.actual(name)
                found = decide(service, actual, datetime.now(UTC))
                if found is not None:
                    # It stays with the location that has it, which ends it when its manifest goes.
                    self._do(found[0], name, service, actual.scope or self.scope)
            running = [self.runtime.actual(name).is_running for name in services]
            if all(running) if wish == "running" else not any(running):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)

    def _do(self, action: Action, name: str, service: Service | None, scope: str) -> None:
        if action == "kill":
            self.runtime.kill(name)
        elif action == "stop":
            self.runtime.ask_to_end(name)
        elif service is not None:
            self.runtime.start(service, scope)

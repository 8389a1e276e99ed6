"""Warm sessions: one per configuration, kept for all jobs of a run.

Starting an engine costs 0.2 s (Sail) to ten seconds (Spark), a session on a running one milliseconds. So servers are
shared by every session that they can carry, and both live until the run ends or they have been idle for long.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from dataos_dagster.engines.configuration import (
    HEAP,
    PINNED,
    ServerConfiguration,
    SessionConfiguration,
    is_session_property,
)
from dataos_dagster.engines.connect import close_session, existing_endpoint, open_session
from dataos_dagster.engines.failures import engine_failures
from dataos_dagster.engines.logs import forget_old_logs, log_folder
from dataos_dagster.errors import DataOSError, EngineUnavailable
from dataos_dagster.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pyspark.sql import SparkSession

    from dataos_dagster.engines.elsewhere import WorkElsewhere
    from dataos_dagster.engines.endpoint import Endpoint
    from dataos_dagster.engines.process import EngineProcess
    from dataos_dagster.errors import Location
    from dataos_dagster.settings import EngineName

__all__ = ["EngineSession", "SessionConfiguration", "Sessions"]

# No stack trace of the server inside the messages of errors; on Spark both default to what a cluster's admin chose.
_QUIET = (
    ("spark.sql.connect.serverStacktrace.enabled", "false"),
    ("spark.sql.pyspark.jvmStacktrace.enabled", "false"),
)


@dataclass(frozen=True, slots=True)
class EngineSession:
    """A session on an engine.

    Attributes:
        engine: Which engine.
        spark: The Spark Connect session.
        configuration: What it was asked for with.
        endpoint: Where it goes to.
    """

    engine: EngineName
    spark: SparkSession
    configuration: SessionConfiguration
    endpoint: Endpoint

    @property
    def process(self) -> EngineProcess | None:
        """Return the engine's process when it is a child of ours, else None."""
        return self.endpoint.child.process if self.endpoint.child else None

    @property
    def elsewhere(self) -> WorkElsewhere | None:
        """Return its work on an engine that is not ours, by which other processes find it; else None."""
        from dataos_dagster.engines.elsewhere import WorkElsewhere

        return WorkElsewhere.of(self)

    def failures(self, location: Location | None = None) -> AbstractContextManager[None]:
        """Translate the client's errors inside a `with` block: EngineCrashed or StatementFailed, at that location."""
        return engine_failures(self.endpoint.child, location=location)

    def interrupt(self) -> None:
        """Cancel everything that runs on this session."""
        self.spark.interruptAll()

    def stop_work(self) -> None:
        """Make sure that nothing on this session commits any more, whoever gave up waiting for it.

        An engine of ours is ended: Spark may be past the point where an interrupt reaches it. A new one is started
        for the next job. On someone else's engine an interrupt is all that can be done.
        """
        if self.process is not None:
            self.process.end()
            return
        # An endpoint that cannot be reached cannot be interrupted either; the caller's own error is the news.
        with suppress(DataOSError), self.failures():
            self.interrupt()

    @contextmanager
    def stopped_on_interrupt(self) -> Iterator[None]:
        """Call `stop_work` when the block ends with what no engine reports: Ctrl-C, or a run that is cancelled."""
        try:
            yield
        except Exception:
            raise
        except BaseException:
            self.stop_work()
            raise


@dataclass(slots=True)
class _Server:
    """A server in use: the sessions on it, and when it was last wanted (monotonic seconds).

    Of the sessions some are leased; those that are discarded are leased to nobody any more.
    """

    configuration: ServerConfiguration
    endpoint: Endpoint
    sessions: dict[SessionConfiguration, list[EngineSession]] = field(default_factory=dict)
    leased: list[EngineSession] = field(default_factory=list)
    discarded: list[EngineSession] = field(default_factory=list)
    kept: bool = False
    wanted: float = field(default_factory=time.monotonic)

    @property
    def alive(self) -> bool:
        return self.endpoint.child is None or self.endpoint.child.is_running()

    @property
    def all_sessions(self) -> list[EngineSession]:
        return [*(session for sessions in self.sessions.values() for session in sessions), *self.discarded]

    def is_leased(self, session: EngineSession) -> bool:
        return any(leased is session for leased in self.leased)

    def close(self) -> None:
        crashed = not self.alive
        for session in self.all_sessions:
            close_session(session.spark, self.endpoint.child)
        if self.endpoint.child:
            self.endpoint.child.close(keep_log=crashed)


class Sessions:
    """The sessions of a run, and the engines behind them; closing it ends every engine that it started.

    Args:
        settings: The project's engines; its state folder takes the engines' logs.
            They also say how long a server that nobody leases is kept (`engines.idle_seconds`).
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._project = settings
        self._servers: list[_Server] = []
        # One lock an engine: a Spark that starts does not keep a job from its warm Sail.
        self._locks: dict[EngineName, threading.RLock] = {
            "sail": threading.RLock(),
            "spark": threading.RLock(),
            "connect": threading.RLock(),
        }
        self._closing = threading.Event()
        idle_seconds = self._settings.engines.idle_seconds
        if idle_seconds is not None:
            threading.Thread(target=self._close_idle, args=(idle_seconds,), name="dataos-engines", daemon=True).start()

    def get(self, configuration: SessionConfiguration) -> EngineSession:
        """Return the session of a configuration, starting what it needs; it stays until this object is closed.

        A session whose engine has died is replaced by a new one: temporary views of the old one are gone.

        Raises:
            EngineUnavailable: The engine is not installed, not configured, or did not start.
            StatementFailed: The engine refuses a property.
        """
        with self._locks[configuration.engine]:
            server = self._server(configuration.server)
            server.kept = True
            return next(iter(server.sessions.get(configuration, ())), None) or self._open(server, configuration)

    @contextmanager
    def lease(self, configuration: SessionConfiguration, *, once: bool = False) -> Iterator[EngineSession]:
        """Return a session of a configuration for the block's time; afterwards its engine may be closed when idle.

        Who leases has the session alone: views that two jobs make at the same time are not mixed up. A later lease of
        the same configuration gets the session that is free again.

        Args:
            configuration: What the session needs.
            once: Nobody will ask for this configuration again: its engine is ended with the block, unless `get` has
                given it out too.

        Raises:
            EngineUnavailable: The engine is not installed, not configured, or did not start.
            StatementFailed: The engine refuses a property.
        """
        lock = self._locks[configuration.engine]
        with lock:
            server = self._server(configuration.server)
            free = (each for each in server.sessions.get(configuration, ()) if not server.is_leased(each))
            session = next(free, None) or self._open(server, configuration)
            server.leased.append(session)
        try:
            yield session
        finally:
            with lock:
                server.leased = [each for each in server.leased if each is not session]
                server.wanted = time.monotonic()
                if once and not server.leased and not server.kept and server in self._servers:
                    self._servers.remove(server)
                    server.close()

    def is_alone(self, session: EngineSession) -> bool:
        """Return whether no other session of this one's engine is leased: to end the engine would hit nobody else."""
        servers = [server for server in list(self._servers) if server.endpoint is session.endpoint]
        return all(leased is session for server in servers for leased in server.leased)

    def discard(self, session: EngineSession) -> None:
        """Let nobody have a session again; it is closed with its engine."""
        with self._locks[session.engine]:
            for server in self._servers:
                found = server.sessions.get(session.configuration, [])
                if any(each is session for each in found):
                    server.sessions[session.configuration] = [each for each in found if each is not session]
                    server.discarded.append(session)

    def interrupt(self) -> None:
        """Cancel everything that runs on any session; what was committed stays."""
        for server in list(self._servers):
            if server.alive:
                for session in server.all_sessions:
                    session.interrupt()

    def abandon(self) -> None:
        """Make sure that nothing commits any more, while others still wait for their statements, which fail.

        For the time after an interrupt: engines of ours end, and none is started again.
        """
        self._closing.set()
        for server in list(self._servers):
            if server.endpoint.child:
                server.endpoint.child.process.end()
                continue
            for session in server.all_sessions:
                session.stop_work()

    def close(self) -> None:
        """End all sessions and every engine that was started for them. Calling it again does nothing.

        An engine that another thread is starting is waited for, and ended.
        """
        self._closing.set()
        for engine, lock in self._locks.items():
            with lock:
                for server in [each for each in self._servers if each.configuration.engine == engine]:
                    self._servers.remove(server)
                    server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _server(self, wanted: ServerConfiguration) -> _Server:
        if HEAP in self._settings.engines.spark.conf:
            # The project says what this machine gives; what manifests ask for would only start the same heap again.
            wanted = replace(wanted, memory=0)
        # Of this engine only: the lock that is held is this engine's.
        for server in [each for each in self._servers if each.configuration.engine == wanted.engine]:
            if not server.alive:
                self._servers.remove(server)
                server.close()
            elif server.configuration.serves(wanted):
                server.wanted = time.monotonic()
                return server
        self._refuse_when_closing()
        self._close_replaced(wanted.as_started)
        server = _Server(wanted.as_started, self._start(wanted))
        self._servers.append(server)
        try:
            self._refuse_when_closing()  # starting takes long, and who ends the run may not have seen it
        except EngineUnavailable:
            self._servers.remove(server)
            server.close()
            raise
        return server

    def _close_replaced(self, started: ServerConfiguration) -> None:
        """Close servers that nobody uses and whose work the one that starts can do: memory is for one of them."""
        for server in list(self._servers):
            if started.serves(server.configuration) and not server.leased and not server.kept:
                self._servers.remove(server)
                server.close()

    def _refuse_when_closing(self) -> None:
        if self._closing.is_set():
            raise EngineUnavailable("the run is ending: no engine is started any more")

    def _start(self, wanted: ServerConfiguration) -> Endpoint:
        logs = log_folder(self._project)
        forget_old_logs(logs)
        log = logs / f"{wanted.engine}-{uuid.uuid4().hex[:12]}.log"
        if wanted.engine == "sail":
            from dataos_dagster.engines.sail import start_sail

            return start_sail(wanted, log)
        if wanted.engine == "spark":
            from dataos_dagster.engines.spark import start_spark

            return start_spark(wanted, self._settings.engines.spark, log)
        return existing_endpoint(self._settings.engines.connect)

    def _open(self, server: _Server, configuration: SessionConfiguration) -> EngineSession:
        spark = open_session(server.endpoint, self._session_conf(configuration))
        session = EngineSession(configuration.engine, spark, configuration, server.endpoint)
        server.sessions.setdefault(configuration, []).append(session)
        return session

    def _session_conf(self, configuration: SessionConfiguration) -> dict[str, str]:
        """Return the properties of a session: pinned ones, the project's, then its own."""
        conf = dict(PINNED) | self._settings.engines.spark.conf | dict(configuration.conf)
        if configuration.engine != "sail":
            conf = dict(_QUIET) | conf
        conf |= {key: value.get_secret_value() for key, value in configuration.secret_conf}
        return {key: value for key, value in conf.items() if is_session_property(key)}

    def _close_idle(self, seconds: float) -> None:
        while not self._closing.wait(min(seconds / 2, 10.0)):
            for engine, lock in self._locks.items():
                with lock:
                    for server in list(self._servers):
                        idle = not server.leased and not server.kept and time.monotonic() - server.wanted > seconds
                        if server.configuration.engine == engine and idle:
                            self._servers.remove(server)
                            server.close()

"""Work on an engine that is not ours: how another process finds it again, and ends it.

A Spark Connect server goes on with what a client has asked for when that client is gone, and may commit it minutes
later. Whoever knows the number of the client's session can interrupt what it runs (Spark Connect, Interrupt and
ReleaseSession).
"""

from __future__ import annotations

import re
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dataos_dagster.engines.connect import existing_endpoint, retries, url_of
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql.connect.client import SparkConnectClient

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.settings import ConnectSettings

# A task that is past the point where an interrupt reaches it has committed by then.
SETTLING_SECONDS = 5.0
# How a server says that it knows the session no more: nothing of it runs.
_FORGOTTEN = re.compile(r"INVALID_HANDLE|SESSION_(NOT_FOUND|CLOSED)|session \S+ is not running", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WorkElsewhere:
    """A session on a server that other processes reach too.

    Attributes:
        server: `host:port`.
        user: Whose the session is there; empty for nobody's.
        session: Its number.
    """

    server: str
    user: str
    session: str

    @classmethod
    def of(cls, session: EngineSession) -> Self | None:
        """Return the work of a session; None where the engine is a child of this process and ends with it."""
        if session.process is not None:
            return None
        client = session.spark.client
        return cls(_server(session.endpoint.url), client._user_id or "", client._session_id)  # noqa: SLF001 - told nowhere else

    def end(self, settings: ConnectSettings) -> None:
        """Interrupt what the session runs and close it, so that nothing of it commits any more.

        A server that is gone, and one that has forgotten the session, runs nothing of it.

        Raises:
            EngineUnavailable: The work is on another server than the settings name, or this one refuses to answer.
        """
        with self._reached(settings) as client:
            _interrupt(client)
            client.release_session()

    def interrupt(self, settings: ConnectSettings) -> None:
        """Interrupt what the session runs; the session stays, for the process that still has it.

        Raises:
            EngineUnavailable: As for `end`.
        """
        with self._reached(settings) as client:
            _interrupt(client)

    @contextmanager
    def _reached(self, settings: ConnectSettings) -> Iterator[SparkConnectClient]:
        """Have a client of the session for a block's time, and translate what the server answers."""
        from pyspark.errors import PySparkException

        named = _server(settings.url or "")
        if named != self.server:
            raise EngineUnavailable(
                f"a writer that ended early left work on {self.server}, and engines.connect.url names "
                f"{named or 'no server'}",
                hint=f"name sc://{self.server} once more, so that what may still run there is ended, gone or not",
            )
        client = self._client(url_of(existing_endpoint(settings)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the client warns of retries, and what comes of them is seen below
                yield client
        except PySparkException as error:
            if "UNAVAILABLE" not in str(error) and not _FORGOTTEN.search(str(error)):
                raise EngineUnavailable(
                    f"what a writer left on {self.server} cannot be interrupted: {str(error)[:300]}",
                    hint="check engines.connect.token, or end its session on the server",
                ) from error
        finally:
            client._channel.close()  # noqa: SLF001 - its `close` also ends the threads of all other sessions

    def _client(self, url: str) -> SparkConnectClient:
        from pyspark.sql.connect.client import SparkConnectClient

        separator = ";" if "/;" in url else "/;"
        user = f";user_id={self.user}" if self.user else ""
        client = SparkConnectClient(f"{url}{separator}session_id={self.session}{user}")
        client.set_retry_policies([retries()])
        return client


def _interrupt(client: SparkConnectClient) -> None:
    if client.interrupt_all():
        time.sleep(SETTLING_SECONDS)


def _server(url: str) -> str:
    """Return `host:port` of an endpoint's URL, which may hold parameters and a token."""
    return url.removeprefix("sc://").partition("/")[0]

"""The client's side of every engine: a Spark Connect session that notices when its server has gone."""

from __future__ import annotations

import logging
import os
import warnings
from typing import TYPE_CHECKING, cast

from dataos_dagster.engines.configuration import is_session_property
from dataos_dagster.engines.endpoint import Endpoint
from dataos_dagster.engines.failures import engine_failures
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import RetryPolicy

    from dataos_dagster.engines.process import Child
    from dataos_dagster.settings import ConnectSettings

# Some three seconds: enough for a server that is restarting, short enough to say that nobody is there.
_ATTEMPTS_TO_REACH = 4


def existing_endpoint(settings: ConnectSettings) -> Endpoint:
    """Return the endpoint of the cluster that the settings name.

    Raises:
        EngineUnavailable: They name none.
    """
    if not settings.url:
        raise EngineUnavailable(
            "no Spark Connect endpoint is configured",
            hint="set engines.connect.url in dataos.yaml (or DATAOS_ENGINES__CONNECT__URL) to sc://host:port",
        )
    return Endpoint(settings.url, settings.token)


def left_to_cluster(
    conf: Mapping[str, str], secret: Iterable[str] = (), packages: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return what a session on an existing cluster does without, in sentences: the cluster's own holds instead.

    Args:
        conf: Spark properties that a job asks for.
        secret: Names of those whose values are secret.
        packages: Connectors that it needs, by Maven coordinate.
    """
    fixed = {key: f"{key}={value}" for key, value in conf.items() if not is_session_property(key)}
    fixed |= {key: key for key in secret if not is_session_property(key)}
    notes = []
    if fixed:
        told = ", ".join(text for _, text in sorted(fixed.items()))
        notes.append(f"a session cannot set {told}: the cluster's own values hold, and have to suit this job")
    if packages := sorted(packages):
        notes.append(f"the cluster must have been started with {', '.join(packages)}")
    return tuple(notes)


def open_session(endpoint: Endpoint, conf: Mapping[str, str]) -> SparkSession:
    """Open a new session on an endpoint and set its properties.

    Always a new one: the client's `getOrCreate` returns the first session of the process, whatever URL it is asked for.

    Raises:
        EngineUnavailable: The endpoint does not answer, or refuses the token.
        StatementFailed: It refuses a property; the message is the engine's own.
    """
    # The client prints each failed query as a line of JSON; we raise it.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).disabled = True
    session = _create(endpoint)
    _keep_to_itself(session)
    try:
        _greet(session, endpoint)
        with engine_failures(endpoint.child):
            for key, value in conf.items():
                session.conf.set(key, value)
    except BaseException:
        session.client.close()
        raise
    return session


def close_session(session: SparkSession, child: Child | None) -> None:
    """Release a session; a server that has gone is not waited for."""
    if child is not None and not child.is_running():
        session.client.close()
        return
    session.client.set_retry_policies([_retry_while_running(child, _ATTEMPTS_TO_REACH)])
    with warnings.catch_warnings():
        # What the client says about a session that its server has forgotten is of no use to anybody.
        warnings.simplefilter("ignore")
        session.stop()


def _keep_to_itself(session: SparkSession) -> None:
    """Let closing a session close its own channel, and not the threads that all sessions of the process share.

    The client's own `close` also ends the pool of threads by which every session releases results (pyspark 4.1.1,
    `reattach.py`), and the garbage collector calls it: when it does so in a thread that the pool is just starting, that
    thread waits for a lock whose owner waits for the thread, for ever.
    """
    client = session.client

    def close() -> None:
        client._channel.close()  # noqa: SLF001 - what the client's own close does, without the rest
        client._closed = True  # noqa: SLF001 - what `is_stopped` looks at

    client.close = close


def _create(endpoint: Endpoint) -> SparkSession:
    """Return a new session; one on our own child goes past any proxy that the environment names for other servers."""
    from pyspark.sql import SparkSession

    if endpoint.child is None:
        return SparkSession.builder.remote(url_of(endpoint)).create()
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    # As `remote` does: it tells the rest of PySpark which of its two halves is meant.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    channel = DefaultChannelBuilder(url_of(endpoint), [("grpc.enable_http_proxy", 0)])
    return cast("SparkSession", ConnectSession.builder.channelBuilder(channel).create())


def url_of(endpoint: Endpoint) -> str:
    """Return the URL by which a client reaches an endpoint, with its token: never log it."""
    if endpoint.token is None:
        return endpoint.url
    separator = ";" if "/;" in endpoint.url else "/;"
    return f"{endpoint.url}{separator}token={endpoint.token.get_secret_value()}"


def _greet(session: SparkSession, endpoint: Endpoint) -> None:
    """Ask for the version: the first call is the one that finds nobody there, or a refused token."""
    from pyspark.errors import PySparkException

    session.client.set_retry_policies([_retry_while_running(endpoint.child, _ATTEMPTS_TO_REACH)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the client warns of retries, and what comes of them is raised below
            session.version  # noqa: B018 - a property that asks the server
    except PySparkException as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineUnavailable(
            f"the Spark Connect endpoint {endpoint.url} cannot be used: {reason}",
            hint="check its address, that it is running, and its token (engines.connect.token)",
        ) from error
    session.client.set_retry_policies([_retry_while_running(endpoint.child, None)])


def retries() -> RetryPolicy:
    """Return the retry policy for a server that may be gone: it is not waited for as long as the client would."""
    return _retry_while_running(None, _ATTEMPTS_TO_REACH)


def _retry_while_running(child: Child | None, attempts: int | None) -> RetryPolicy:
    """Return the client's own retry policy, ended by the end of the server's process.

    The client's policy tolerates ten minutes of silence, which is right for a cluster behind a network, and would leave
    a job whose engine was killed waiting for nothing.
    """
    from pyspark.sql.connect.client.retries import DefaultPolicy

    class WhileRunning(DefaultPolicy):  # type: ignore[misc] # pyspark is untyped here
        def can_retry(self, e: BaseException) -> bool:
            return (child is None or child.is_running()) and bool(super().can_retry(e))

    return WhileRunning() if attempts is None else WhileRunning(max_retries=attempts)

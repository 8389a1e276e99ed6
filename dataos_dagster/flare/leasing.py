"""The session of a job: on an engine whose process has the environment that the job's manifest asks for.

The functions of a job (`udfs`), its connectors and the engine itself are programs in that process. Only an engine of
our own can be started with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DepotError
from dataos_dagster.workflows.environment import described_environment, environment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.engines.session import EngineSession, SessionConfiguration
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.secrets.consumption import HandedOver
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job

_IDENTITY = "AWS_"
# Spark shows its properties in its log of events, except those whose names this finds.
_REDACTION = "spark.redaction.regex"
_SPARKS_OWN = "(?i)secret|password|token|access[.]?key"
# Variables of executors, which may be secrets whatever else a job lets be seen.
_VARIABLES = r"spark\.executorEnv\."


@contextmanager
def leased(plan: JobPlan, context: RunContext) -> Iterator[EngineSession]:
    """Lease the session of a job for the block's time, on an engine that sees the job's variables and files.

    Raises:
        SecretNotFound: A secret that the job refers to is nowhere.
        EngineUnavailable: The engine cannot be started.
    """
    if plan.engine == "connect":
        # The processes of an existing cluster have the environment that they were started with.
        with context.sessions.lease(plan.configuration) as session:
            yield session
        return
    with environment_of(plan.job, context.secrets) as given:
        configuration = with_environment(plan.configuration, given, master=context.settings.engines.spark.master)
        # The folder of handed-over files is this run's alone, and so is an engine that was started with its path.
        with context.sessions.lease(configuration, once=bool(given.files)) as session:
            yield session


def with_environment(configuration: SessionConfiguration, given: HandedOver, *, master: str) -> SessionConfiguration:
    """Return a configuration whose engine is started with a job's variables.

    The credentials of depots win: an object store is opened with one identity, never with parts of two.

    Args:
        configuration: What the job's datasets need.
        given: What the job is handed over.
        master: Of Spark; the executors of a cluster are told their variables by name.

    Raises:
        DepotError: The engine is an existing cluster, whose processes have started already.
    """
    if not given.environment:
        return configuration
    if configuration.engine == "connect":
        raise DepotError(
            f"the processes of an existing cluster are not started here, and get no {', '.join(given.environment)}",
            hint='leave out `envs` and `secrets`, or choose the engine "sail" or "spark"',
        )
    needed = dict(configuration.environment)
    has_identity = any(name.startswith(_IDENTITY) for name in needed)
    own = {
        name: value for name, value in given.environment.items() if not (has_identity and name.startswith(_IDENTITY))
    }
    changed = replace(configuration, environment=tuple(sorted((own | needed).items(), key=lambda item: item[0])))
    if configuration.engine != "spark" or master.startswith("local"):
        return changed
    executors = {f"spark.executorEnv.{name}": value for name, value in own.items()}
    conf = dict(configuration.conf)
    # First, because flags such as `(?i)` hold from where they stand.
    conf[_REDACTION] = f"{_VARIABLES}|{conf.get(_REDACTION) or _SPARKS_OWN}"
    return replace(
        changed,
        conf=tuple(sorted(conf.items())),
        secret_conf=tuple(sorted({**executors, **dict(configuration.secret_conf)}.items(), key=lambda item: item[0])),
    )


def left_to_processes(job: Job) -> tuple[str, ...]:
    """Return what a job on an existing cluster does without, in a sentence."""
    described = described_environment(job)
    if not described:
        return ()
    return (f"the processes of the cluster do not see what the job hands over: {'; '.join(described)}",)

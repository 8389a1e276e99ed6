"""What a stack is given to run a job: the way to the data, the engines, and who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from dataos_dagster.workflows.results import Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dataos_dagster.depots.door import Door
    from dataos_dagster.engines.availability import Availability
    from dataos_dagster.engines.session import Sessions
    from dataos_dagster.identity import Principal
    from dataos_dagster.secrets.store import SecretStore
    from dataos_dagster.settings import EngineName, Settings
    from dataos_dagster.state.database import State


Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RunContext:
    """Everything outside a job that running it needs.

    Attributes:
        door: The only way to read or write data.
        sessions: Warm engine sessions, shared by all jobs of a run.
        availability: Which engines this machine has.
        settings: The project's settings; its folder is `settings.project`.
        principal: On whose behalf this job reads and writes.
        run_id: Identifies the run: one for `dataos run`, Dagster's own in Dagster.
        state: The state database; None runs without leaving a record.
        dagster_run_id: The run of Dagster that the job is part of.
        engine: The engine that the caller asks for; it wins over the project's settings.
        keys: Values of keys of incremental inputs for this run only: `key` or `input.key` to value.
    """

    door: Door
    sessions: Sessions
    availability: Availability
    settings: Settings
    principal: Principal
    run_id: str
    state: State | None = None
    dagster_run_id: str | None = None
    engine: EngineName | Literal["auto"] | None = None
    reporter: Reporter = field(default_factory=Reporter)
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """Return the project's folder, which relative paths of manifests are relative to."""
        return self.settings.project

    @property
    def secrets(self) -> SecretStore:
        """Return where the project's secrets are looked up."""
        return self.door.catalog.secrets

    def engine_of(self, job_id: str) -> EngineName | Literal["auto"]:
        """Return the engine asked for: by the caller, for this job in the settings, or by the settings' default.

        Args:
            job_id: `workspace/workflow/job`; settings name it that way, or as `workflow/job`.
        """
        if self.engine is not None:
            return self.engine
        return _of_job(self.settings.engines.jobs, job_id) or self.settings.engines.default

    def seconds_of(self, job_id: str) -> float | None:
        """Return how long a job may run; None has no bound."""
        return _of_job(self.settings.run.seconds_of, job_id) or self.settings.run.seconds


def _of_job(by_name: Mapping[str, Value], job_id: str) -> Value | None:
    """Return what settings say about a job, which they name with or without its workspace."""
    return by_name.get(job_id) or by_name.get(job_id.partition("/")[2])

"""The environment of one job: the variables of its `envs`, and the secrets that its manifest hands over.

A program finds them where its author expects them: variables in the environment of its process, files in the folder
that `DATAOS_SECRET_DIR` names. A job of a stack without a program of its own has its engine's process for that, so a
job with an environment never shares an engine with one that has another.

As in a pod, a variable that the manifest spells out wins over a key of a secret with the same name.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.errors import SecretBackendError
from dataos_dagster.secrets.consumption import handed_over
from dataos_dagster.workflows.retries import PATTERN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.errors import Location
    from dataos_dagster.secrets.consumption import HandedOver
    from dataos_dagster.secrets.store import SecretStore
    from dataos_dagster.workflows.jobs import Job

# Settings of the platform's own services and of its own build of Spark, which nothing here reads: a job that has no
# others goes on sharing warm engines. The last one decides about retries, which are ours.
_WITHOUT_READER = frozenset(
    {
        "DISABLE_HADOOP_PATH_CHECKS",
        "DISABLE_RAW_FILE_SYSTEM_PERMISSION_SET",
        "FLARE_AUDIT_MODE",
        "STORE_URL",
        "HERA_URL",
        "HERA_BASE_URL",
        "HERA_SSL",
        "DEPOT_SERVICE_URL",
        "HTTP_CONNECT_TIMEOUT_MS",
        "HTTP_SOCKET_TIMEOUT_MS",
        PATTERN_VARIABLE,
    }
)


def variables_of(job: Job) -> Mapping[str, str]:
    """Return the variables of a job's `envs` that a program may read."""
    return {name: value for name, value in job.spec.envs.items() if name not in _WITHOUT_READER}


def described_environment(job: Job) -> tuple[str, ...]:
    """Return what a job is handed over, by name: values are nobody's business."""
    variables = ", ".join(variables_of(job))
    secrets = (
        f"secret {reference.name} as {reference.consumption_type}"
        + (f" ({', '.join(reference.selected)})" if reference.selected else "")
        for reference in job.spec.secret_references
    )
    return (*((f"variables {variables}",) if variables else ()), *secrets)


@contextmanager
def environment_of(job: Job, secrets: SecretStore) -> Iterator[HandedOver]:
    """Look up what a job is handed over, for the block's time: files are gone afterwards.

    Raises:
        SecretNotFound: A secret or a key is nowhere; says where the job refers to it.
        SecretBackendError: A place could not answer, a file cannot be written, or no variable can be called that.
    """
    try:
        with handed_over(
            secrets,
            job.spec.secret_references,
            variables=variables_of(job),
            workspace=job.workspace,
            locations=_places(job),
        ) as given:
            yield given
    except SecretBackendError as error:
        error.location = error.location or job.location(("spec",))
        raise


def _places(job: Job) -> dict[str, Location]:
    return {
        reference.name: job.location(("spec", key, index))
        for key, references in (("secrets", job.spec.secrets), ("dataosSecrets", job.spec.dataos_secrets))
        for index, reference in enumerate(references)
    }

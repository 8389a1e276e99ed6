"""How a stream without an end is started, and what makes it another one."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING

from dataos_dagster.workflows.supervisor.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job


def stream_service(job: Job, project: Project, settings: Settings) -> Service:
    """Return the process of a job's streams.

    Its generation changes with the job, the depots that it names, and the settings of engines: each of them would make
    a stream that starts now run differently.
    """
    digest = hashlib.sha256()
    for part in _parts(job, project, settings):
        digest.update(part.encode() + b"\0")
    return Service(
        name=job.id,
        generation=digest.hexdigest()[:16],
        command=(sys.executable, "-m", "dataos_dagster.flare.streaming.host", str(settings.project.resolve()), job.id),
        location=job.location(),
    )


def _parts(job: Job, project: Project, settings: Settings) -> Iterator[str]:
    from dataos_dagster.flare.spec import flare_spec
    from dataos_dagster.flare.stack import FLARE

    yield flare_spec(job).model_dump_json()
    yield json.dumps([job.spec.run_as_user, dict(job.spec.envs), job.workflow.envelope.owner], sort_keys=True)
    for reference in job.spec.secret_references:
        yield reference.model_dump_json()
    yield settings.engines.model_dump_json()
    yield settings.flare.model_dump_json()
    named = {address.depot.lower() for address in (*FLARE.reads(job), *FLARE.writes(job))}
    for depot in project.of_kind("depot"):
        if depot.name.lower() in named:
            yield depot.section.model_dump_json()

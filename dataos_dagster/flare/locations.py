"""Where things of a Flare job stand in its manifest, down to the word inside a block of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.engines.text_places import offset_of

if TYPE_CHECKING:
    from typing import Any

    from dataos_dagster.errors import Location
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.workflows.jobs import Job

JOB_PATH: DocumentPath = ("spec", "stackSpec", "job")


def job_location(job: Job, *path: str | int, key: bool = False) -> Location:
    """Return where a value of the `job:` mapping stands, or the key in front of it."""
    return job.location((*JOB_PATH, *path), key=key)


def job_value(job: Job, *path: str | int) -> Any:
    """Return a value of the `job:` mapping as the file has it, or None where the file has none there."""
    document, place = job.workflow.source_of((*job.path, *JOB_PATH, *path))
    value = document.data
    for step in place:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def location_in_text(job: Job, path: DocumentPath, text: str, line: int, column: int, length: int = 1) -> Location:
    """Return the place of a part of a text value of the `job:` mapping.

    Args:
        job: The job.
        path: Way to the value below `job:`.
        text: The value, in which line and column count. Where the file is gone, or the text came from elsewhere
            (`sqlFile`), the place of the value has to do.
        line: 1-based line of the first character.
        column: 1-based column of it.
        length: How many characters the part has.
    """
    document, place = job.workflow.source_of((*job.path, *JOB_PATH, *path))
    start = offset_of(text, line, column)
    return document.location_of(document.range_in(place, text, start, start + length))

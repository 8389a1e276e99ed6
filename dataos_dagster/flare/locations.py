"""Where things of a Flare job stand in its manifest, down to the line inside a block of SQL."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from dataos_dagster.errors import Location
from dataos_dagster.manifests.document import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.workflows.jobs import Job

JOB_PATH: DocumentPath = ("spec", "stackSpec", "job")
_BLOCK_SCALAR = re.compile(r"[|>][0-9+-]*\s*(#.*)?$")


def job_location(job: Job, *path: str | int) -> Location:
    """Return where a value of the `job:` mapping stands."""
    return job.location((*JOB_PATH, *path))


@lru_cache(maxsize=16)
def _lines(file: Path, digest: bytes) -> tuple[str, ...]:
    """Return the lines of a file if it still is what was read."""
    try:
        content = file.read_bytes()
        return tuple(content.decode("utf-8").splitlines()) if digest_of(content) == digest else ()
    except (OSError, UnicodeDecodeError):
        return ()


def location_in_text(job: Job, path: DocumentPath, line: int, column: int) -> Location:
    """Return the place of a line and column (1-based) inside a text value of the `job:` mapping.

    The text of a block (`sql: |`) begins on the line below its indicator, and each of its lines is indented; only the
    file knows by how much. Text on the key's own line begins right there. Where the file is gone or the text came from
    elsewhere (`sqlFile`), the place of the value has to do.
    """
    start = job_location(job, *path)
    document = job.workflow.document
    lines = _lines(document.file, document.digest)
    if len(lines) < start.line:
        return start
    first = lines[start.line - 1]
    if _BLOCK_SCALAR.search(first[start.column - 1 :]):
        body = next((text for text in lines[start.line :] if text.strip()), "")
        indent = len(body) - len(body.lstrip())
        return Location(start.file, start.line + line, indent + column)
    quote = 1 if first[start.column - 1 : start.column] in {"'", '"'} else 0
    if line == 1:
        return Location(start.file, start.line, start.column + quote + column - 1)
    return Location(start.file, start.line + line - 1, column)

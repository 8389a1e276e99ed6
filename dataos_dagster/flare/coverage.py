"""What a Flare job may ask for that this version reads and does not run.

Answered from the manifest alone, before any data is touched: such a job is shown as not run, with the line that says
why, instead of failing half-way or doing less than it says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataos_dagster.depots.storage import SCHEMES
from dataos_dagster.errors import NotYetRun
from dataos_dagster.flare.joining import JOINER
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.manifest import FileConnection, JdbcConnection
from dataos_dagster.flare.manifest.formats import FORMATS
from dataos_dagster.flare.manifest.udfs import is_foreign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.flare.manifest import Connection, FlareInput, FlareOutput, FlareSpec, SequenceItem
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.workflows.jobs import Job

# Words for `format` that no engine here reads or writes.
_NOT_READ = frozenset({"hudi"})

_SCHEME = re.compile(r"(?:jdbc:)?[A-Za-z][A-Za-z0-9+.-]*:(?=[^\\])")
_OPENED = frozenset({"dataos:", "dataset:", "file:", *(f"{scheme}:" for scheme in SCHEMES)})

# What is missing, and where.
_Finding = tuple[str, "DocumentPath"]


def not_yet_run(job: Job, spec: FlareSpec) -> tuple[NotYetRun, ...]:
    """Return what a job asks for and this version does not run, in the order of the manifest."""
    return tuple(
        NotYetRun(
            f"{missing} is read and not yet run",
            hint="the job is left out; other jobs run as if its datasets came from elsewhere",
            location=job_location(job, *path),
        )
        for missing, path in _findings(spec)
    )


def _findings(spec: FlareSpec) -> Iterator[_Finding]:
    for index, entry in enumerate(spec.job.inputs):
        yield from _of_input(entry, ("inputs", index))
    for number, step in enumerate(spec.job.steps):
        for index, item in enumerate(step.sequence):
            yield from _of_item(item, ("steps", number, "sequence", index))
    for index, output in enumerate(spec.job.outputs):
        yield from _of_output(output, ("outputs", index))
    yield from _of_functions(spec)


def _of_functions(spec: FlareSpec) -> Iterator[_Finding]:
    for name, declared in spec.job.udfs.items():
        if is_foreign(declared):
            yield f"a function in Scala (`{name}`)", ("udfs", name)


def _of_input(entry: FlareInput, path: DocumentPath) -> Iterator[_Finding]:
    yield from _of_location(entry.dataset, entry.connection, path)
    yield from _of_format(entry.format, path)
    if entry.query is not None:
        yield from _of_query(entry, (*path, "query"))


def _of_query(entry: FlareInput, path: DocumentPath) -> Iterator[_Finding]:
    from dataos_dagster.flare.query_inputs import why_not_run

    reason = why_not_run(entry)
    if reason is not None:
        yield f"the query of `{entry.name}` ({reason})", path


def _of_item(item: SequenceItem, path: DocumentPath) -> Iterator[_Finding]:
    if item.classpath is not None and item.sql is None and item.classpath != JOINER:
        yield f"the step class {item.classpath}", (*path, "classpath")


def _of_output(output: FlareOutput, path: DocumentPath) -> Iterator[_Finding]:
    yield from _of_location(output.dataset, output.connection, path)
    yield from _of_bucket(output, path)
    yield from _of_format(output.format, path)


def _of_bucket(output: FlareOutput, path: DocumentPath) -> Iterator[_Finding]:
    """Find Iceberg tables that are to be written to an object store, which cannot commit them without a catalog."""
    section = output.connection
    if output.dataset is not None or not isinstance(section, FileConnection) or output.format != "iceberg":
        return
    place = section.warehouse_path or section.path or ""
    if place.partition(":")[0].lower() in SCHEMES:
        yield "writing an Iceberg table to a bucket without a catalog", (*path, "file")


def _of_location(dataset: str | None, section: Connection | None, path: DocumentPath) -> Iterator[_Finding]:
    """Find object stores and databases that no depot stands for and nothing here opens."""
    place, at = dataset, (*path, "dataset")
    if dataset is None and isinstance(section, FileConnection):
        place, at = section.path or section.warehouse_path, (*path, "file")
    elif dataset is None and isinstance(section, JdbcConnection):
        place, at = section.url.get_secret_value(), (*path, "jdbc", "url")
    scheme = _SCHEME.match(place or "")
    if scheme and scheme[0].lower() not in _OPENED and not scheme[0].lower().startswith("jdbc:"):
        yield f"{scheme[0]}…", at


def _of_format(written: str | None, path: DocumentPath) -> Iterator[_Finding]:
    if written is not None and (written.lower() in _NOT_READ or written.lower() not in FORMATS):
        yield f"the format `{written}`", (*path, "format")

"""Names in `dataos.yaml` that lead nowhere: what is set for a job, depot or bundle that is not there has no effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.catalog import canonical_name, depots_of
from dataos_dagster.manifests.diagnostics import Diagnostic, Position, Range, Severity
from dataos_dagster.manifests.snippets import snippet
from dataos_dagster.manifests.spelling import suggestion
from dataos_dagster.settings import SETTINGS_FILE
from dataos_dagster.settings_file import read_settings_file
from dataos_dagster.workflows.jobs import jobs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings


@dataclass(frozen=True, slots=True)
class _Named:
    """A name that stands in the settings.

    Attributes:
        path: The settings around it; the name is the next step.
        what: What is meant by it.
    """

    path: tuple[str, ...]
    name: str
    what: str


def with_setting_diagnostics(project: Project, settings: Settings) -> Project:
    """Return a project whose diagnostics include those about names in its settings.

    Args:
        project: All manifests of the project: of a part, nobody could say what is missing.
        settings: The project's settings.
    """
    found = tuple(_diagnostic(settings, named, known) for named, known in _unknown(project, settings))
    everything = sorted((*project.diagnostics, *found), key=lambda one: (one.file, one.line, one.column))
    return replace(project, diagnostics=tuple(everything)) if found else project


def _unknown(project: Project, settings: Settings) -> Iterator[tuple[_Named, list[str]]]:
    """Yield the names that lead nowhere, each with those that there are."""
    jobs = [
        *_named(("engines", "jobs"), settings.engines.jobs, "job"),
        *_named(("incremental",), settings.incremental, "job"),
        *_named(("run", "seconds_of"), settings.run.seconds_of, "job"),
    ]
    if jobs:
        known = jobs_of(project, default_workspace=settings.default_workspace)
        names = {name for job in known for name in (job.label, job.id)}
        yield from ((named, [job.label for job in known]) for named in jobs if named.name not in names)
    depots = [depot.name for depot in depots_of(project, settings)] if settings.depots else []
    for named in _named(("depots",), settings.depots, "depot"):
        if canonical_name(named.name) not in depots:
            yield named, depots
    bundles = [bundle.name for bundle in project.of_kind("bundle")]
    for named in _named(("bundles",), settings.bundles, "bundle"):
        if named.name not in bundles:
            yield named, bundles


def _named(path: tuple[str, ...], names: Iterable[str], what: str) -> Iterator[_Named]:
    return (_Named(path, name, what) for name in names)


def _diagnostic(settings: Settings, named: _Named, known: list[str]) -> Diagnostic:
    """Return the warning at the name; at the file's beginning where a variable and not the file has it."""
    file = settings.project / SETTINGS_FILE
    path = (*named.path, named.name)
    place = read_settings_file(file).location(path, key=True)
    start = Position(place.line, place.column)
    where = Range(start, Position(place.line, place.column + len(named.name)))
    return Diagnostic.at(
        where,
        "unknown-name-in-settings",
        Severity.WARNING,
        SETTINGS_FILE,
        f"there is no {named.what} `{named.name}`: what is set for it has no effect",
        suggestion(named.name, known, what=f"{named.what}s"),
        path=path,
        snippet=snippet(file.read_text(encoding="utf-8"), where) if file.is_file() else None,
    )

"""All manifests of a project, typed, with their references resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.manifests.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dataos_dagster.manifests.resource import Resource
    from dataos_dagster.settings import Settings


@dataclass(frozen=True, slots=True)
class Project:
    """What the manifests of a folder say.

    Attributes:
        root: The project's folder.
        files: Every file that was read, sorted.
        documents: How many documents they hold.
        resources: In manifest order: path of the file, document; those inside a bundle follow it.
        diagnostics: Everything there is to say, by file, line and column.
    """

    root: Path
    files: tuple[Path, ...]
    documents: int
    resources: tuple[Resource[Any], ...]
    diagnostics: tuple[Diagnostic, ...]

    def of_kind(self, kind: str) -> tuple[Resource[Any], ...]:
        """Return the resources of a kind, in manifest order."""
        return tuple(resource for resource in self.resources if resource.kind == kind)

    def find(self, kind: str, name: str, workspace: str | None = None) -> Resource[Any] | None:
        """Return the first resource of a kind and name; of any workspace when none is given."""
        for resource in self.resources:
            if resource.kind == kind and resource.name == name and workspace in {None, resource.workspace}:
                return resource
        return None

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics that are errors."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)


def load_project(
    paths: Path | Sequence[Path],
    *,
    settings: Settings | None = None,
    environment: Mapping[str, str] | None = None,
    allow_placeholders: bool = False,
    use_cache: bool = True,
) -> Project:
    """Return the project of a folder, or of some files and folders."""
    raise NotImplementedError

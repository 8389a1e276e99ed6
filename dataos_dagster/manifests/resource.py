"""A manifest that was read, checked and typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dataos_dagster.errors import Location
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.document import Document
    from dataos_dagster.manifests.envelope import Envelope

S = TypeVar("S", bound="BaseModel | dict[str, Any]")

# Where a value stands in the section that a package works with, and where the user wrote it.
Move = tuple["DocumentPath", "DocumentPath"]


@dataclass(frozen=True, slots=True)
class Resource(Generic[S]):
    """One resource.

    Attributes:
        kind: Word behind `type:`, such as `workflow`.
        version: Version of the manifest's schema.
        workspace: As it is written; None for instance-level kinds, and where the default is meant.
        section: Typed by kind; plain values for kinds that are not run.
        document: The document that holds it.
        root: Where the manifest begins in the document; not empty for one that stands inside a bundle.
        moves: Values that were moved before validation, in that order: from where, to where.
    """

    kind: str
    name: str
    version: str
    workspace: str | None
    envelope: Envelope
    section: S
    document: Document
    root: DocumentPath = ()
    moves: tuple[Move, ...] = ()

    def origin(self, path: DocumentPath = ()) -> DocumentPath:
        """Return where the user wrote the value that is at a path now, counted from the document's root."""
        return (*self.root, *original_path(self.moves, path))

    def location(self, path: DocumentPath = (), *, key: bool = False) -> Location:
        """Return the place of a value in the user's file.

        Args:
            path: From the manifest's root, such as `("workflow", "dag", 0)`.
            key: Return the place of the key in front of it instead, where there is one.
        """
        return self.document.location(self.origin(path), key=key)

    @property
    def identifier(self) -> str:
        """Return `type:version:name`, with `:workspace` where one is written."""
        return ":".join((self.kind, self.version, self.name, *((self.workspace,) if self.workspace else ())))


def original_path(moves: tuple[Move, ...] | list[Move], path: DocumentPath) -> DocumentPath:
    """Return the path that a value had before all moves."""
    for source, target in reversed(moves):
        if path[: len(target)] == target:
            path = (*source, *path[len(target) :])
    return path

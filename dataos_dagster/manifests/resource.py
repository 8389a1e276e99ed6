"""A manifest that was read, checked and typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from dataos_dagster.errors import Location
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.document import Document
    from dataos_dagster.manifests.envelope import Envelope

S = TypeVar("S", bound="BaseModel | dict[str, Any]")

# Where a value stands in the section that a package works with, and where the user wrote it.
Move = tuple["DocumentPath", "DocumentPath"]


class Included(NamedTuple):
    """The values of another file that were put into a manifest.

    Attributes:
        path: Where they were put.
        document: The other file.
        moved: How many values had been moved by then.
    """

    path: DocumentPath
    document: Document
    moved: int


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
        included: Other files whose values are part of it.
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
    included: tuple[Included, ...] = ()

    def origin(self, path: DocumentPath = ()) -> DocumentPath:
        """Return where the user wrote the value that is at a path now, counted from the document's root."""
        return (*self.root, *original_path(self.moves, path))

    def location(self, path: DocumentPath = (), *, key: bool = False) -> Location:
        """Return the place of a value in the file where the user wrote it, which may be one that is included.

        Args:
            path: From the manifest's root, such as `("workflow", "dag", 0)`.
            key: Return the place of the key in front of it instead, where there is one.
        """
        document, place = self.source_of(path)
        return document.location(place, key=key)

    def source_of(self, path: DocumentPath) -> tuple[Document, DocumentPath]:
        """Return the document in which the user wrote the value that is at a path now, and its path there."""
        return included_source(self.included, self.moves, path) or (self.document, self.origin(path))

    def document_named(self, name: str) -> Document | None:
        """Return the document of that displayed name that this was made from, if there is one."""
        documents = (self.document, *(each.document for each in self.included))
        return next((document for document in documents if document.name == name), None)

    @property
    def identifier(self) -> str:
        """Return `type:version:name`, with `:workspace` where one is written."""
        return ":".join((self.kind, self.version, self.name, *((self.workspace,) if self.workspace else ())))


def included_source(
    included: Sequence[Included], moves: Sequence[Move], path: DocumentPath
) -> tuple[Document, DocumentPath] | None:
    """Return the included document that a value is from, and its path there; None for one of the manifest itself."""
    for each in included:
        then = original_path(moves[each.moved :], path)
        if then[: len(each.path)] == each.path:
            return each.document, then[len(each.path) :]
    return None


def original_path(moves: Sequence[Move], path: DocumentPath) -> DocumentPath:
    """Return the path that a value had before all moves."""
    for source, target in reversed(moves):
        if path[: len(target)] == target:
            path = (*source, *path[len(target) :])
    return path

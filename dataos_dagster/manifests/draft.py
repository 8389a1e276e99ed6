"""A document on its way to a resource."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataos_dagster.manifests.diagnostics import Diagnostic, DocumentPath, Fix, PathStep, Severity
from dataos_dagster.manifests.fixes import rename_key
from dataos_dagster.manifests.resource import Included, Move, included_source, original_path
from dataos_dagster.manifests.spelling import meant

if TYPE_CHECKING:
    from collections.abc import Collection

    from dataos_dagster.manifests.cache import DocumentCache
    from dataos_dagster.manifests.document import Document
    from dataos_dagster.manifests.kinds import Reference

# 0-based offsets in a text value: of the first character that a finding is about, and behind the last one.
Part = tuple[int, int]


class Draft:
    """Plain data that a kind's rules may rewrite before it is validated, and what there is to say about it.

    Paths given to the methods are those of the data as it is now; whatever has been moved is reported at the place
    where the user wrote it.

    Attributes:
        data: The manifest.
        root: Where the manifest begins in the document; not empty for one that stands inside another.
        placeholders: Where the document (counted from its own root) leaves values open.
        allow_placeholders: A template is checked, so that what is open is no error.
        findings: What was reported so far.
        moves: Values that were moved, in order.
        included: Other files whose values were put in.
        is_broken: An error of the document itself was reported, so that no resource comes of it.
        readings: What is known of texts in languages of their own; None where nothing is kept.
        informs: Tell what needs no action as well.
        ignored: Unknown keys that were left out, with what was reported about each.
        references: Other resources that are named where only a check looks, such as in SQL; paths are relative to the
            section.
    """

    def __init__(
        self,
        document: Document,
        data: dict[str, Any],
        *,
        root: DocumentPath = (),
        placeholders: Collection[DocumentPath] = (),
        allow_placeholders: bool = False,
        readings: DocumentCache | None = None,
        informs: bool = True,
    ) -> None:
        self.document = document
        self.data = data
        self.root = root
        self.placeholders = frozenset(placeholders)
        self.allow_placeholders = allow_placeholders
        self.findings: list[Diagnostic] = []
        self.moves: list[Move] = []
        self.included: list[Included] = []
        self.is_broken = False
        self.readings = readings
        self.informs = informs
        self.ignored: dict[DocumentPath, Diagnostic] = {}
        self.references: list[Reference] = []
        self._aside: set[DocumentPath] = set()

    def get(self, path: DocumentPath) -> Any:
        """Return the value at a path; None where there is none."""
        # The most called function of a load: one look at the type of each value on the way is all it may cost.
        value: Any = self.data
        for step in path:
            if type(value) is dict:
                value = value.get(step)
            elif type(value) is list and type(step) is int and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def mapping(self, path: DocumentPath) -> dict[str, Any]:
        """Return the mapping at a path; an empty one, not part of the data, where there is something else."""
        value = self.get(path)
        return value if isinstance(value, dict) else {}

    def items(self, path: DocumentPath) -> list[tuple[DocumentPath, Any]]:
        """Return path and value of each item of the list at a path; none where there is something else."""
        value = self.get(path)
        return [((*path, index), item) for index, item in enumerate(value)] if isinstance(value, list) else []

    def put(self, path: DocumentPath, value: Any) -> None:
        """Set the value at a path, creating mappings on the way.

        Anything on the way that is neither a mapping nor a list gives way to a mapping.
        """
        parent: Any = self.data
        for step, following in pairwise(path):
            child = _child(parent, step)
            if not isinstance(child, list if isinstance(following, int) else dict):
                child = [] if isinstance(following, int) else {}
                _set(parent, step, child)
            parent = child
        _set(parent, path[-1], value)

    def take(self, path: DocumentPath) -> Any:
        """Remove the value at a path and return it; None where there is none."""
        parent = self.get(path[:-1])
        last = path[-1]
        if isinstance(parent, dict) and isinstance(last, str):
            return parent.pop(last, None)
        if isinstance(parent, list) and isinstance(last, int) and last < len(parent):
            return parent.pop(last)
        return None

    def move(self, source: DocumentPath, target: DocumentPath) -> None:
        """Move a value, creating mappings on the way, and remember where it came from."""
        self.put(target, self.take(source))
        self.moves.append((source, target))

    def copy_origin(self, source: DocumentPath, target: DocumentPath) -> None:
        """Remember that the value at `target` was made from the one at `source`."""
        self.moves.append((source, target))

    def include(self, path: DocumentPath, document: Document) -> None:
        """Put the values of another file at a path; what is wrong in them is told with its place in that file."""
        self.put(path, document.data)
        self.included.append(Included(path, document, len(self.moves)))

    def origin(self, path: DocumentPath) -> DocumentPath:
        """Return where the user wrote the value that is at a path now, counted from the document's root."""
        return (*self.root, *original_path(self.moves, path))

    @property
    def has_open_values(self) -> bool:
        """Return whether there is any value that nobody knows yet."""
        return bool(self.placeholders or self._aside)

    def is_open(self, path: DocumentPath) -> bool:
        """Return whether the value at a path is unknown: it is, stands in or comes from a placeholder or a mistake."""
        if not self.has_open_values:
            return False
        place = self.origin(path)
        ways = [place[:length] for length in range(len(place) + 1)]
        return any(way in self.placeholders or way in self._aside for way in ways)

    def holds_open(self, path: DocumentPath) -> bool:
        """Return whether the value at a path, or any value inside of it, is unknown."""
        place = self.origin(path) if self.has_open_values else ()
        return self.is_open(path) or any(open_[: len(place)] == place for open_ in self.placeholders)

    def is_aside(self, path: DocumentPath) -> bool:
        """Return whether the value at a path is one that was put in the place of a wrong one, or stands in it."""
        place = self.origin(path) if self._aside else ()
        return bool(self._aside) and any(place[:length] in self._aside for length in range(len(place) + 1))

    def set_aside(self, path: DocumentPath, value: Any) -> None:
        """Put a fitting value where one is wrong that was reported, so that the rest of the document can be checked."""
        self._aside.add(self.origin(path))
        self.put(path, value)

    def do_without(self, path: DocumentPath) -> None:
        """Take a wrong value out that was reported and that nothing fitting can stand in for."""
        self._aside.add(self.origin(path))
        self.take(path)

    def missing(self, path: DocumentPath, key: str, hint: str) -> None:
        """Report that a key is missing, at the misspelt one that stands in its place where there is one."""
        misspelt = next((other for other in self.ignored if other[:-1] == path and meant(str(other[-1]), [key])), None)
        if misspelt is None:
            self.error("missing-key", path, f"`{key}` is missing", hint, key=True)
            return
        self.findings.remove(self.ignored.pop(misspelt))
        self.misspelt(misspelt, key)

    def misspelt(self, path: DocumentPath, key: str) -> None:
        """Report that the key at a path stands where a needed one is missing."""
        message = f"`{key}` is missing, and `{path[-1]}` is no key"
        fix = rename_key(self.document, self.origin(path), key)
        self.error("missing-key", path, message, f"did you mean `{key}`?", key=True, fix=fix)

    def ignore(self, path: DocumentPath, message: str, hint: str) -> None:
        """Leave out an unknown key with a warning."""
        count = len(self.findings)
        self.warn("unknown-key", path, message, hint, key=True)
        if len(self.findings) > count:
            self.ignored[path] = self.findings[-1]
        self.take(path)

    def error(
        self,
        code: str,
        path: DocumentPath,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        fix: Fix | None = None,
        part: Part | None = None,
    ) -> None:
        """Report what cannot be repaired: no resource comes of the document."""
        self.is_broken = True
        self._report(code, Severity.ERROR, path, message, hint, key=key, fix=fix, part=part)

    def refuse(
        self,
        code: str,
        path: DocumentPath,
        message: str,
        hint: str = "",
        *,
        fix: Fix | None = None,
        part: Part | None = None,
    ) -> None:
        """Report an error of one job: its resource stays, so that the job is visible where it would run."""
        self._report(code, Severity.ERROR, path, message, hint, fix=fix, part=part)

    def warn(
        self,
        code: str,
        path: DocumentPath,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        fix: Fix | None = None,
        part: Part | None = None,
    ) -> None:
        """Report what was rewritten, or is doubtful."""
        self._report(code, Severity.WARNING, path, message, hint, key=key, fix=fix, part=part)

    def info(self, code: str, path: DocumentPath, message: str, hint: str = "", *, key: bool = False) -> None:
        """Tell something that needs no action."""
        if self.informs:
            self._report(code, Severity.INFO, path, message, hint, key=key)

    def unresolved(
        self, code: str, path: DocumentPath, message: str, hint: str = "", *, part: Part | None = None
    ) -> None:
        """Report a name that leads nowhere: an error, or a warning where templates are checked.

        The resource stays, so that it is visible where it would run. A placeholder has been reported itself.
        """
        if self.is_open(path):
            return
        severity = Severity.WARNING if self.allow_placeholders else Severity.ERROR
        self._report(code, severity, path, message, hint, part=part)

    def find_file(self, text: str) -> Path | None:
        """Return the file that a relative or absolute path means, or None when there is none.

        A relative path counts from the manifest's folder, then from the working directory.
        """
        return find_file(text, self.document.file)

    def _report(
        self,
        code: str,
        severity: Severity,
        path: DocumentPath,
        message: str,
        hint: str,
        *,
        key: bool = False,
        fix: Fix | None = None,
        part: Part | None = None,
    ) -> None:
        if self.is_aside(path):
            return  # what is wrong there has been said
        place, message = self.origin(path), self._place_in_file(path, key=key, part=part) + message
        if any((known.code, known.path, known.message) == (code, place, message) for known in self.findings):
            return  # rules may be applied again after keys were renamed
        where = self.document.range_of(place, key=key)
        value = self.get(path)
        if part is not None and isinstance(value, str):
            where = self.document.range_in(place, value, *part)
        self.findings.append(self.document.diagnostic_at(where, code, severity, place, message, hint, fix=fix))

    def _place_in_file(self, path: DocumentPath, *, key: bool, part: Part | None) -> str:
        """Return where a value stands in the file that it was read from, if that is not the manifest itself."""
        found = included_source(self.included, self.moves, path) if self.included else None
        if found is None:
            return ""
        document, place = found
        value = self.get(path)
        if part is None or not isinstance(value, str):
            return f"{document.location(place, key=key)}: "
        return f"{document.location_of(document.range_in(place, value, *part))}: "


def find_file(text: str, manifest: Path) -> Path | None:
    """Return the file that a path in a manifest means: from the manifest's folder, then the working directory."""
    try:
        return next((found for found in (manifest.parent / text, Path(text)) if found.is_file()), None)
    except (OSError, ValueError):  # a name that no file can have: too long, or with a null character
        return None


def _child(value: Any, step: PathStep) -> Any:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _set(parent: Any, step: PathStep, value: Any) -> None:
    if isinstance(parent, list) and step == len(parent):
        parent.append(value)
    else:
        parent[step] = value

"""What a job declares as functions of its own: `shout: {python: "texts:shout", returns: string}`.

The text alone tells whether a declaration is right but for the module, so that it is asked when the manifest is read,
and again before a job runs.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dataos_dagster.flare.type_names import check_type
from dataos_dagster.manifests.placeholders import placeholder_in

if TYPE_CHECKING:
    from dataos_dagster.flare.manifest.job import FlareJob
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

# One row's values, or arrays of many rows.
_WAYS = ("python", "arrow")
_KEYS = (*_WAYS, "returns")
_NAME = re.compile(r"[A-Za-z_]\w*")
_TARGET = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<function>[A-Za-z_]\w*)")
_HINT = 'write {python: "module:function", returns: string}, a function of your own in Python'


class Declaration(NamedTuple):
    """A function that a job declares.

    Attributes:
        module: Where Python finds it.
        function: Its name there.
        returns: Type of its values, in the spelling of `check_type`.
        by_batches: It takes and returns arrays of many rows.
    """

    module: str
    function: str
    returns: str
    by_batches: bool


class DeclarationError(ValueError):
    """A declaration is wrong.

    Attributes:
        hint: What to write.
        path: Of the wrong part below the declaration; empty for all of it.
    """

    def __init__(self, message: str, hint: str, *path: str) -> None:
        super().__init__(message)
        self.hint = hint
        self.path = path


def is_foreign(declared: Any) -> bool:
    """Return whether a function is written in Scala: no engine here compiles it."""
    return isinstance(declared, str)


def read_declaration(name: str, entry: Any) -> Declaration:
    """Return what a job declares under a name; nothing is imported.

    Raises:
        DeclarationError: It is declared wrongly; says which part and what to write.
    """
    if not _NAME.fullmatch(name):
        raise DeclarationError("is no name of a function", "write letters, digits and underscores")
    if not isinstance(entry, dict):
        raise DeclarationError("is no function in Python", _HINT)
    for key in entry:
        if key not in _KEYS:
            close = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else _HINT
            raise DeclarationError(f"has no key {key!r}", hint, str(key))
    ways = [way for way in _WAYS if way in entry]
    if len(ways) > 1:
        raise DeclarationError("has `python` and `arrow`, and is one function", "remove one of the two", ways[-1])
    way = ways[0] if ways else _WAYS[0]
    target = _TARGET.fullmatch(str(entry.get(way) or ""))
    if target is None:
        raise DeclarationError(f"{way}: {entry.get(way)!r} names no function", _HINT, *ways)
    try:
        returns = check_type(str(entry.get("returns") or "string"))
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise DeclarationError(f"returns: {message}", hint, "returns") from None
    return Declaration(target["module"], target["function"], returns, way == "arrow")


def check_udfs(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    """Report functions in Python that are declared wrongly; one in Scala is left out, and told elsewhere."""
    for name, entry in job.udfs.items():
        place = (*path, "udfs", name)
        if is_foreign(entry) or draft.is_open(place) or placeholder_in(repr(entry)) is not None:
            continue
        try:
            read_declaration(name, entry)
        except DeclarationError as error:
            draft.refuse("wrong-function", (*place, *error.path), f"function `{name}`: {error}", error.hint)

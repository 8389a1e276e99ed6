"""What there is to know about each kind of resource, and what a package adds to teach the reader one.

The table below lists every kind. The rules of a kind (its model, its rewrites, its references) live in the package
that runs it, one layer up, so they are named here by import path and imported when the first manifest of that kind is
met.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic import BaseModel

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

Scope = Literal["instance", "workspace"]


class Reference(NamedTuple):
    """One resource names another; checked once the whole project is read.

    Attributes:
        kind: `depot`, `secret` (also an Instance Secret), `compute`, `volume`.
        path: Where the name stands, relative to the section.
        workspace: Workspace of the other resource, when one is written.
        acl: Access level that is needed, where there is one.
        within: The text that holds the name among other things, such as SQL, and the offsets of the name in it.
    """

    kind: str
    name: str
    path: DocumentPath
    workspace: str | None = None
    acl: str | None = None
    within: tuple[str, int, int] | None = None


@dataclass(frozen=True, slots=True)
class FileReference:
    """A manifest that another one names by its path; read with the project when it exists.

    Attributes:
        file: Path as it is written.
        path: Where it stands, relative to the section.
        kind: The kind that the file must hold; None for any.
        code: Diagnostic for a file that is not there.
        nests: The file becomes a part of this resource, so that a circle of them is an error.
        workspace: Where the file's resources go that name no workspace themselves.
    """

    file: str
    path: DocumentPath
    code: str
    kind: str | None = None
    nests: bool = False
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class InlineManifest:
    """A whole manifest inside the section of another one; `path` is relative to the section."""

    path: DocumentPath
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class KindRules:
    """How the section of one kind (or the `stackSpec` of one stack) is read.

    Attributes:
        model: Model of the section. Keys that it does not name are left out with a warning; validation errors become
            located diagnostics.
        normalise: Rewrites old, misspelt and misplaced forms, one warning each. `path` is where the section
            stands in `draft.data` (`("depot",)`, or `("workflow", "dag", 0, "spec", "stackSpec")`).
        check: Reports what a valid section gets wrong in itself; `path` as above.
        references: Returns what a valid section refers to; paths are relative to the section.
        files: Returns the manifests that a valid section names by path.
        inline: Returns the manifests that stand inside a valid section.
        folds_keys: Keys whose letter case does not matter, such as `allKeys`: others are rewritten with a warning.
    """

    model: type[BaseModel]
    normalise: Callable[[Draft, DocumentPath], None] | None = None
    check: Callable[[Draft, Any, DocumentPath], None] | None = None
    references: Callable[[Any], Iterable[Reference]] | None = None
    files: Callable[[Any], Iterable[FileReference]] | None = None
    inline: Callable[[Any], Iterable[InlineManifest]] | None = None
    folds_keys: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Kind:
    """One word that may stand behind `type:`.

    Attributes:
        versions: Those documented for the kind; others that DataOS knows are accepted with a warning.
        rules: `module:NAME` of the `KindRules`; None when the kind is read and not yet run.
        secret: Values of the section never reach a cache, a snippet or a message.
    """

    name: str
    scope: Scope
    versions: tuple[str, ...]
    rules: str | None = None
    secret: bool = False
    unhyphenated: bool = False


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "depot",
            "instance",
            ("v1", "v2alpha"),
            "dataos_dagster.depots.manifest:DEPOT",
            secret=True,
            unhyphenated=True,
        ),
        Kind("secret", "workspace", ("v1",), "dataos_dagster.secrets.manifest:SECRET", secret=True),
        Kind("instance-secret", "instance", ("v1",), "dataos_dagster.secrets.manifest:INSTANCE_SECRET", secret=True),
        Kind("workflow", "workspace", ("v1",), "dataos_dagster.workflows.manifest:WORKFLOW"),
        Kind("service", "workspace", ("v1",), "dataos_dagster.workflows.manifest:SERVICE"),
        Kind("worker", "workspace", ("v1beta",), "dataos_dagster.workflows.manifest:WORKER"),
        Kind("compute", "instance", ("v1", "v1beta"), "dataos_dagster.workflows.manifest:COMPUTE"),
        Kind("lakehouse", "workspace", ("v1alpha",), "dataos_dagster.depots.manifest:LAKEHOUSE"),
        Kind("database", "workspace", ("v1",), "dataos_dagster.depots.manifest:DATABASE"),
        Kind("volume", "workspace", ("v1beta",), "dataos_dagster.workflows.manifest:VOLUME"),
        Kind("bundle", "instance", ("v1beta", "v1alpha"), "dataos_dagster.bundles.manifest:BUNDLE"),
        Kind("cluster", "workspace", ("v1",), unhyphenated=True),
        Kind("policy", "instance", ("v1",)),
        Kind("monitor", "workspace", ("v1alpha",)),
        Kind("pager", "workspace", ("v1alpha",)),
        Kind("lens", "workspace", ("v1alpha",)),
        Kind("data", "instance", ("v1beta", "v1alpha")),
        Kind("stack", "instance", ("v1alpha",)),
        Kind("grant", "instance", ("v1alpha",)),
        Kind("operator", "instance", ("v1alpha",)),
        Kind("resource", "instance", ("v1alpha",)),
    )
}

# Rules of the `stackSpec` of each stack that this package runs; the word before "+" and ":" in `stack:`.
STACKS: Mapping[str, str] = {"flare": "dataos_dagster.flare.manifest:FLARE"}


@cache
def load_rules(path: str) -> KindRules:
    """Return the rules that `module:NAME` names."""
    module, _, name = path.partition(":")
    rules: KindRules = getattr(importlib.import_module(module), name)
    return rules

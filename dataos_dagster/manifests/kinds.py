"""What there is to know about each kind of resource, and what a package adds to teach the reader one.

The table below lists every kind. The rules of a kind (its model, its rewrites, its references) live in the package
that runs it, one layer up, so they are named here by import path and imported when the first manifest of that kind is
met. Entry points of the group `dataos_dagster.kinds` add kinds of other distributions the same way.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dataos_dagster.manifests.diagnostics import DocumentPath, Fix

Scope = Literal["instance", "workspace"]


class Draft(Protocol):
    """A document on its way to a resource: plain data that a kind's `normalise` may rewrite before it is validated.

    Paths given to the methods are those of the data as it is now; whatever `move` and `rename` have moved is
    reported at the place where the user wrote it.
    """

    data: dict[str, Any]

    def move(self, source: DocumentPath, target: DocumentPath) -> None:
        """Move a value, creating mappings on the way, and remember where it came from."""

    def error(self, code: str, path: DocumentPath, message: str, hint: str = "", *, fix: Fix | None = None) -> None:
        """Report what cannot be repaired."""

    def warn(self, code: str, path: DocumentPath, message: str, hint: str = "", *, fix: Fix | None = None) -> None:
        """Report what was rewritten, or is doubtful."""

    def info(self, code: str, path: DocumentPath, message: str, hint: str = "") -> None:
        """Tell something that needs no action."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One resource names another; checked once the whole project is read."""

    kind: str
    name: str
    path: DocumentPath
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class KindRules:
    """How the section of one kind (or the `stackSpec` of one stack) is read.

    Attributes:
        model: Pydantic model of the section. `extra="allow"` models get "unknown key" warnings for what they do
            not name; validation errors become located diagnostics.
        normalise: Rewrites old, misspelt and misplaced forms, one warning each. `path` is where the section
            stands in `draft.data` (`("depot",)`, or `("workflow", "dag", 0, "spec", "stackSpec")`).
        references: Returns what a valid section refers to; paths are relative to the section.
        folds_keys: Keys whose case does not matter, such as `allKeys`.
    """

    model: type[BaseModel]
    normalise: Callable[[Draft, DocumentPath], None] | None = None
    references: Callable[[Any], Iterable[Reference]] | None = None
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

"""From a document to the resources in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from dataos_dagster.manifests.draft import Draft
from dataos_dagster.manifests.effects import report_no_effect
from dataos_dagster.manifests.envelope import Envelope
from dataos_dagster.manifests.fixes import rename_key
from dataos_dagster.manifests.interpolation import interpolate
from dataos_dagster.manifests.kinds import KINDS, Kind, KindRules, load_rules
from dataos_dagster.manifests.names import APPENDED, check_name
from dataos_dagster.manifests.products import rewrite_product
from dataos_dagster.manifests.resource import Resource
from dataos_dagster.manifests.spelling import fold, meant, suggestion
from dataos_dagster.manifests.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.manifests.cache import DocumentCache
    from dataos_dagster.manifests.diagnostics import Diagnostic, DocumentPath
    from dataos_dagster.manifests.document import Document
    from dataos_dagster.manifests.kinds import FileReference, Reference

# What `get -d` prints beside the manifest; it is no part of what the user says.
READ_BACK_KEYS = ("generation", "uid", "created", "stamp", "status", "builder", "resourceId")

LAYERS = ("user", "system")
# A tuple: what stands behind `type:` may be a list or mapping, which no set can be asked for.
KIND_NAMES = tuple(KINDS)

_VERSION = re.compile(r"v\d+((alpha|beta)\d*)?")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A resource and what its section names.

    Attributes:
        references: Other resources; paths are relative to the section.
        files: Manifests that are named by path; likewise.
    """

    resource: Resource[Any]
    references: tuple[Reference, ...] = ()
    files: tuple[FileReference, ...] = ()


@dataclass(slots=True)
class Loading:
    """Reads documents one after another.

    Attributes:
        environment: What `${NAME}` stands for.
        allow_placeholders: A template is checked: what it leaves open is a warning.
        fill_placeholders: Put a word in the place of each placeholder, so that jobs can be planned.
        readings: What is known of texts in languages of their own; None where nothing is kept.
        informs: Tell what needs no action as well.
        loaded: The resources so far, in manifest order.
        broken: What can be told of resources with errors, to check what they name; they are no part of the project.
        diagnostics: What there is to say so far.
    """

    environment: Mapping[str, str]
    allow_placeholders: bool = False
    fill_placeholders: bool = False
    readings: DocumentCache | None = None
    informs: bool = True
    loaded: list[Loaded] = field(default_factory=list)
    broken: list[Loaded] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def load(self, document: Document, *, is_named: bool = False) -> None:
        """Add the resources of a document.

        Args:
            document: What was read.
            is_named: The user named its file, so that it must be a manifest; in a folder, other YAML is left alone.
        """
        data = document.data
        if not is_named and not _looks_like_manifest(data):
            return
        found = interpolate(
            document,
            data,
            self.environment,
            allow_placeholders=self.allow_placeholders,
            fill_placeholders=self.fill_placeholders,
        )
        self.diagnostics += found.diagnostics
        draft = Draft(
            document,
            found.data,
            placeholders=found.placeholders,
            allow_placeholders=self.allow_placeholders,
            readings=self.readings,
            informs=self.informs,
        )
        draft.is_broken = found.is_broken
        self._load(draft, workspace=None)

    def _load(self, draft: Draft, workspace: str | None) -> None:
        found = _Manifest(draft).read()
        self.diagnostics += draft.findings
        if found is None:
            return
        resource, rules = found
        if resource.workspace is None and workspace is not None and KINDS[resource.kind].scope == "workspace":
            resource = replace(resource, workspace=workspace)
        section = resource.section
        references = (*(rules.references(section) if rules and rules.references else ()), *draft.references)
        files = rules.files(section) if rules and rules.files else ()
        prefix = (resource.kind,)
        loaded = Loaded(resource, _closed(draft, prefix, references), _closed(draft, prefix, files))
        (self.broken if draft.is_broken else self.loaded).append(loaded)
        for inline in rules.inline(section) if rules and rules.inline else ():
            path = (resource.kind, *inline.path)
            inner = Draft(
                draft.document,
                draft.mapping(path),
                root=resource.origin(path),
                placeholders=draft.placeholders,
                allow_placeholders=self.allow_placeholders,
                readings=self.readings,
                informs=self.informs,
            )
            inner.is_broken = draft.is_broken
            self._load(inner, workspace=inline.workspace)


R = TypeVar("R", bound="Reference | FileReference")


def _closed(draft: Draft, prefix: DocumentPath, references: Iterable[R]) -> tuple[R, ...]:
    """Return the references that do not stand in a placeholder, or in what is wrong."""
    if not draft.has_open_values:
        return tuple(references)
    return tuple(each for each in references if not draft.is_open((*prefix, *each.path)))


def _looks_like_manifest(data: Any) -> bool:
    """Return whether a document found in a folder is meant as a manifest: other tools keep YAML files there too."""
    if not isinstance(data, dict):
        return False
    if data.get("type") in KIND_NAMES:
        return True
    keys = {str(key).lower() for key in data}
    return bool(keys & KINDS.keys()) or {"type", "version"} <= keys or {"name", "type"} <= keys or "entity" in keys


def _mappings(data: dict[str, Any]) -> list[str]:
    """Return the keys of a manifest that hold what a section holds, and are none of its envelope."""
    return [key for key, value in data.items() if isinstance(value, dict) and key not in Envelope.model_fields]


@dataclass(slots=True)
class _Manifest:
    """One manifest that is being read."""

    draft: Draft

    def read(self) -> tuple[Resource[Any], KindRules | None] | None:
        """Return the resource and the rules of its kind; None when there is no telling what it is."""
        draft = self.draft
        for key in READ_BACK_KEYS:
            draft.data.pop(key, None)
        rewrite_product(draft)
        kind = self._kind()
        if kind is None or not self._find_section(kind):
            return None
        rules = load_rules(kind.rules) if kind.rules else None
        if rules is not None:
            self._normalise(kind, rules)
        envelope = self._envelope(kind)
        section = self._section(kind, rules)
        if envelope is None or section is None:
            return None
        self._check_envelope(kind, envelope)
        if rules is not None and rules.check is not None:
            rules.check(draft, section, (kind.name,))
        if rules is not None:
            report_no_effect(draft, section, (kind.name,))
        return Resource(
            kind.name,
            envelope.name,
            envelope.version,
            envelope.workspace if kind.scope == "workspace" else None,
            envelope,
            section,
            draft.document,
            draft.root,
            tuple(draft.moves),
            tuple(draft.included),
        ), rules

    def _kind(self) -> Kind | None:
        """Return the kind that `type` names, or the section's name where `type` is a placeholder or missing."""
        draft, data = self.draft, self.draft.data
        for key in [key for key in data if fold(key) == "type" and key != "type"]:
            if "type" not in data:
                fix = rename_key(draft.document, draft.origin((key,)), "type")
                draft.warn("key-spelling", (key,), f"`{key}` is spelt `type`", "write `type`", key=True, fix=fix)
                draft.move((key,), ("type",))
        word = data.get("type")
        if isinstance(word, str):
            found = KINDS.get(word.strip().lower())
            if found is not None:
                if word != found.name:
                    draft.warn("key-spelling", ("type",), f"types are lower case: `{found.name}`", "write it so")
                    data["type"] = found.name
                return found
        by_section = next((KINDS[key] for key in data if key in KINDS), None)
        if draft.is_open(("type",)) and (by_section or self.draft.allow_placeholders):
            data["type"] = by_section.name if by_section else ""
            return by_section
        if word is None:
            hint = f"write `type: {by_section.name}`" if by_section else f"one of {', '.join(KINDS)}"
            draft.error("missing-key", (), "`type` is missing", hint)
        elif not isinstance(word, str):
            draft.error("wrong-type", ("type",), "`type` must be text", f"one of {', '.join(KINDS)}")
        else:
            draft.error(
                "unknown-kind", ("type",), f"unknown type `{word}`", suggestion(word, list(KINDS), what="types")
            )
        return None

    def _find_section(self, kind: Kind) -> bool:
        """Return whether the section is there, after moving one whose name is spelt otherwise."""
        draft = self.draft
        if kind.name not in draft.data:
            other = next((key for key in draft.data if fold(key) == fold(kind.name)), None)
            other = other or next((key for key in draft.data if key in KINDS or draft.is_open((key,))), None)
            misspelt = meant(kind.name, _mappings(draft.data)) if other is None else None
            if misspelt is not None:
                draft.misspelt((misspelt,), kind.name)
                draft.move((misspelt,), (kind.name,))
                return True
            if other is None or other in KINDS:
                found = f"; there is a section `{other}`" if other else ""
                draft.error(
                    "missing-section",
                    ("type",),
                    f"the section `{kind.name}` is missing{found}",
                    f"write `{kind.name}:`",
                )
                return False
            is_spelling = fold(other) == fold(kind.name)
            fix = rename_key(draft.document, draft.origin((other,)), kind.name) if is_spelling else None
            message, hint = f"`{other}` is spelt `{kind.name}`", f"write `{kind.name}:`"
            draft.warn("key-spelling", (other,), message, hint, key=True, fix=fix)
            draft.move((other,), (kind.name,))
        return True

    def _envelope(self, kind: Kind) -> Envelope | None:
        """Return the envelope; the section is put aside so that it is no unknown key."""
        draft = self.draft
        section = draft.data.pop(kind.name)
        try:
            return validate(draft, Envelope, ())
        finally:
            draft.data[kind.name] = section

    def _section(self, kind: Kind, rules: KindRules | None) -> Any:
        draft, path = self.draft, (kind.name,)
        if rules is None:
            message = f"manifests of the type {kind.name} are read and not yet run"
            draft.info("not-run", ("type",), message, "nothing to do: it has no effect here yet")
            section = draft.data[kind.name]
            if not isinstance(section, dict) and not draft.is_open(path):
                draft.error(
                    "wrong-type", path, f"`{kind.name}` must be a mapping", "indent what belongs to it", key=True
                )
                return None
            return section
        return validate(
            draft, rules.model, path, folds_keys=rules.folds_keys, renamed=lambda: self._normalise(kind, rules)
        )

    def _normalise(self, kind: Kind, rules: KindRules) -> None:
        if rules.normalise is not None and isinstance(self.draft.data[kind.name], dict | list):
            rules.normalise(self.draft, (kind.name,))

    def _check_envelope(self, kind: Kind, envelope: Envelope) -> None:
        draft = self.draft
        appended = APPENDED if kind.name == "workflow" else 0
        check_name(draft, envelope.name, ("name",), hyphens=not kind.unhyphenated, appended=appended)
        if not draft.is_open(("version",)) and envelope.version not in kind.versions:
            usual = " or ".join(kind.versions)
            if _VERSION.fullmatch(envelope.version):
                message = f"the version of a {kind.name} is {usual}: read as such"
                draft.warn("unusual-version", ("version",), message, f"write `version: {kind.versions[0]}`")
            else:
                draft.error(
                    "wrong-value", ("version",), "`version` is no version", f"write `version: {kind.versions[0]}`"
                )
        if envelope.layer not in LAYERS and not draft.is_open(("layer",)):
            draft.warn("unknown-layer", ("layer",), "`layer` is user or system", "write `layer: user`")
        if envelope.workspace is not None and kind.scope == "instance":
            message = f"a {kind.name} belongs to the instance: `workspace` is ignored"
            draft.warn("ignored-workspace", ("workspace",), message, "remove it", key=True)

"""Both generations of Depots made one: the connection section stands under the name of the source type.

The older one (version v1) has `spec` and credentials in `connectionSecret`; the present one (v2alpha) has a section
named after the source and refers to Instance Secrets. Which one it is shows in the shape, not in the version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.manifest.section import DepotSection
from dataos_dagster.depots.manifest.sources import JDBC, SOURCE_TYPES, source_type, type_of_subprotocol
from dataos_dagster.manifests.fields import branches, is_model, keys_of
from dataos_dagster.manifests.rewriting import move
from dataos_dagster.manifests.spelling import suggestion

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

_ENVELOPE_KEYS = ("name", "owner", "tags", "layer", "workspace")
_SPEC = "spec"


def normalise_depot(draft: Draft, path: DocumentPath) -> None:
    """Rewrite the depot at a path to one connection section, named like its type."""
    for key in _ENVELOPE_KEYS:
        move(draft, (*path, key), (key,))
    for key in ("dataosSecrets", "secret"):
        move(draft, (*path, key), (*path, "secrets"), code="old-form")
    _connection_secrets(draft, path)
    section = _section(draft, path)
    kind = _type(draft, path, section)
    if kind is None:
        return
    if section is None:
        _flat_connection(draft, path, kind)
    elif section != kind:
        draft.move((*path, section), (*path, kind))
    if draft.get((*path, kind)) is None:
        _without_section(draft, path, kind)
    move(draft, (*path, kind, "external"), (*path, "external"))


def _section(draft: Draft, path: DocumentPath) -> str | None:
    """Return the key of the connection section: one named after a source, else `spec`."""
    depot = draft.mapping(path)
    named = [key for key in depot if key != "source" and source_type(key) and not isinstance(depot[key], str)]
    written = source_type(depot.get("type"))
    candidates = [key for key in named if source_type(key) == written] or named
    if depot.get(_SPEC) is None:
        depot.pop(_SPEC, None)  # left empty beside the section that is meant
    else:
        candidates.append(_SPEC)
    for other in candidates[1:]:
        message = f"`{other}` and `{candidates[0]}` are both connection sections"
        draft.error("conflicting-keys", (*path, other), message, "keep the one that the type names", key=True)
        draft.take((*path, other))
    return candidates[0] if candidates else None


def _type(draft: Draft, path: DocumentPath, section: str | None) -> str | None:
    """Return the source type, after writing it into the draft; None when nothing says what it is."""
    word = draft.get((*path, "type"))
    found = source_type(word)
    if not isinstance(word, str | None):
        return None  # validation says what it must be
    if found is None and isinstance(word, str) and draft.origin((*path, "type")) not in draft.placeholders:
        hint = suggestion(word, SOURCE_TYPES, what="source types")
        draft.error("unknown-source-type", (*path, "type"), f"unknown source type `{word}`", hint)
        draft.put((*path, "type"), source_type(section) or JDBC)
        return None
    named = source_type(section) if section else None
    if found in {None, JDBC} and named is not None:
        found = named
    if found == JDBC and section is not None:
        found = type_of_subprotocol(draft.get((*path, section, "subprotocol"))) or JDBC
    if found is not None:
        draft.put((*path, "type"), found)
    return found


def _flat_connection(draft: Draft, path: DocumentPath, kind: str) -> None:
    """Move connection fields that stand in the depot itself into their section."""
    field = DepotSection.model_fields[kind]
    known = {key for model in branches(field.annotation) if is_model(model) for key in keys_of(model)}
    own = keys_of(DepotSection)
    for key in [key for key in draft.mapping(path) if key in known and key not in own]:
        move(draft, (*path, key), (*path, kind, key))
    if kind == JDBC:
        found = type_of_subprotocol(draft.get((*path, kind, "subprotocol")))
        if found is not None:
            draft.put((*path, "type"), found)
            draft.move((*path, kind), (*path, found))


def _without_section(draft: Draft, path: DocumentPath, kind: str) -> None:
    if kind == "bigquery":
        draft.put((*path, kind), {})  # everything in it is optional: the credentials name the project
    elif draft.get((*path, "type")) == kind and not draft.is_open((*path, "type")):
        message = f"the connection section `{kind}` is missing"
        draft.error(
            "missing-section", (*path, "type"), message, f"write `{kind}:` with host, bucket or the like below it"
        )


def _connection_secrets(draft: Draft, path: DocumentPath) -> None:
    inline = (*path, "connectionSecret")
    if isinstance(draft.get(inline), dict):
        draft.put(inline, [draft.get(inline)])
        draft.copy_origin(inline, (*inline, 0))
    for item, value in draft.items(inline):
        if not isinstance(value, dict):
            continue
        move(draft, (*item, "values"), (*item, "data"), code="old-form")
        for key in [key for key in value if key not in {"acl", "type", "data", "files"}]:
            move(draft, (*item, key), (*item, "data", key))


def normalise_lakehouse(draft: Draft, path: DocumentPath) -> None:
    """Move what stands one level too high below `iceberg`, and name the storage section by its type."""
    for key in ("storage", "metastore", "queryEngine"):
        move(draft, (*path, key), (*path, "iceberg", key))
    storage = (*path, "iceberg", "storage")
    kind = source_type(draft.get((*storage, "type")))
    named = next((key for key in draft.mapping(storage) if source_type(key) and key != kind), None)
    if kind is None:
        if named is not None and draft.origin((*storage, "type")) in draft.placeholders:
            draft.put((*storage, "type"), source_type(named))
        return
    draft.put((*storage, "type"), kind)
    if named is not None and draft.get((*storage, kind)) is None and source_type(named) == kind:
        draft.move((*storage, named), (*storage, kind))

"""Secrets that the project's own manifests declare, with `data` and `files`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.errors import SecretBackendError
from dataos_dagster.secrets.values import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.manifests.resource import Resource
    from dataos_dagster.secrets.manifest import SecretSection

SECRET, INSTANCE_SECRET = "secret", "instance-secret"


class ManifestBackend:
    """Finds secrets among the resources of a project.

    A Secret is for the resources of its workspace, an Instance Secret for all. One that is declared without values
    says only what it grants: its values are then looked for in the other places.

    Args:
        resources: Resources of the kinds `secret` and `instance-secret`.
        default_workspace: Where a Secret lives that names no workspace.
    """

    def __init__(self, resources: Iterable[Resource[SecretSection]], default_workspace: str) -> None:
        self._default = default_workspace
        self._instance: dict[str, Resource[SecretSection]] = {}
        self._workspaces: dict[tuple[str, str], Resource[SecretSection]] = {}
        for resource in resources:
            if resource.kind == INSTANCE_SECRET:
                self._instance.setdefault(resource.name, resource)
            else:
                key = (resource.workspace or default_workspace, resource.name)
                self._workspaces.setdefault(key, resource)

    def find(self, name: str, workspace: str | None) -> StoredSecret | None:
        """Return the declared secret, or None; from inside a workspace, its own Secret comes first."""
        own = self._workspaces.get((workspace or self._default, name))
        shared = self._instance.get(name)
        resource = (own or shared) if workspace else (shared or own)
        return _stored(resource) if resource else None

    def tried(self, name: str, workspace: str | None) -> str:  # noqa: ARG002 - all manifests are looked at
        """Return what was searched."""
        return f"manifests of the project (secrets of workspace {workspace or self._default}, instance secrets)"

    def secrets(self) -> list[StoredSecret]:
        """Return all declared secrets in manifest order."""
        return [_stored(resource) for resource in (*self._instance.values(), *self._workspaces.values())]


def _stored(resource: Resource[SecretSection]) -> StoredSecret:
    section = resource.section
    values = {**section.data, **{key: _content(resource, key, path) for key, path in section.files.items()}}
    place = f"{resource.document.name} ({resource.kind})"
    return StoredSecret(resource.name, values, place, section.acl, section.type, resource.workspace)


def _content(resource: Resource[SecretSection], key: str, path: str) -> SecretStr:
    """Return a file's content as text; base64 for one that is none, such as a Java keystore."""
    file = resource.document.file.parent / path
    location = resource.location((resource.kind, "files", key))
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SecretBackendError(
            f"{resource.kind} {resource.name!r}: the file {path!r} of key {key!r} cannot be read: {error.strerror}",
            hint="paths are relative to the manifest",
            location=location,
        ) from None
    try:
        return SecretStr(content.decode("utf-8"))
    except UnicodeDecodeError:
        return SecretStr(base64.b64encode(content).decode("ascii"))

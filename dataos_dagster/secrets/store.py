"""Find secrets: the places of a project in their order, and the access level that a use needs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.errors import Location, SecretNotFound
from dataos_dagster.redaction import redact_logs, register
from dataos_dagster.secrets.access import USES, Credential, acl_of_name, choose
from dataos_dagster.secrets.backends.encrypted import EncryptedBackend
from dataos_dagster.secrets.backends.environment import EnvironmentBackend
from dataos_dagster.secrets.backends.files import FilesBackend
from dataos_dagster.secrets.backends.manifests import INSTANCE_SECRET, SECRET, ManifestBackend
from dataos_dagster.secrets.values import SecretValues, StoredSecret, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import SecretStr

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.secrets.backends import SecretBackend
    from dataos_dagster.secrets.manifest import Acl, SecretReference, SecretType
    from dataos_dagster.settings import Settings

ENCRYPTED_FILE = "secrets.enc"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret with its values.

    Attributes:
        acl: What it grants. A secret of which nothing says that it grants `rw` grants `r`.
        place: Where its values were found.
    """

    name: str
    acl: Acl
    type: SecretType
    values: SecretValues
    place: str


class SecretStore:
    """Looks secrets up in several places; the first one that has values wins, and values are never mixed.

    What a secret grants is what its manifest says, else the place that has it, else its name (`…-rw`).

    Args:
        backends: The places, in the order in which they are asked.
    """

    def __init__(self, backends: Iterable[SecretBackend]) -> None:
        self._backends = tuple(backends)

    def get(self, name: str, *, acl: Acl | None = None, workspace: str | None = None) -> Mapping[str, SecretStr]:
        """Return the keys and values of a secret.

        Args:
            name: Name of the secret.
            acl: What it must grant: `rw` is not served by a secret that grants `r`.
            workspace: Workspace of whoever asks; a Secret of that workspace comes before an Instance Secret.

        Raises:
            SecretNotFound: No place has it (names the places, in order), or it grants too little.
            SecretBackendError: A place could not answer.
        """
        secret = self.secret(name, workspace=workspace)
        if acl is None:
            return secret.values
        return choose(acl, [Credential(name, secret.acl, secret.values)], owner=f"a {USES[acl]}")

    def secret(self, name: str, *, workspace: str | None = None) -> Secret:
        """Return a secret with what it grants.

        Raises:
            SecretNotFound: No place has it; names the places, in order.
            SecretBackendError: A place could not answer.
        """
        declared: StoredSecret | None = None
        for backend in self._backends:
            found = backend.find(name, workspace)
            if found is None:
                continue
            if found.values:
                return _secret(found, declared or found)
            declared = declared or found
        raise self._not_found(name, workspace, declared)

    def credentials(
        self,
        references: Iterable[SecretReference],
        acl: Acl,
        *,
        owner: str,
        workspace: str | None = None,
        location: Location | None = None,
    ) -> SecretValues:
        """Return the values to use out of the secrets that a depot, or another resource, refers to.

        A secret that is nowhere is no error as long as it is of another level than the one that is needed: reading
        does not wait for the credentials of writers.

        Args:
            references: The secrets, in the manifest's order; a reference's own `acl` wins over the secret's.
            acl: `r` for a read, `rw` for a write.
            owner: Who refers to them, such as `depot 'ferrydb'`.
            workspace: Workspace of the owner, for references that name none.
            location: Where the owner refers to them.

        Raises:
            SecretNotFound: A secret or a key is nowhere, or none of them may be used for this.
            SecretBackendError: A place could not answer.
        """
        offered: list[Credential] = []
        missing: SecretNotFound | None = None
        for reference in references:
            try:
                secret = self.secret(reference.name, workspace=reference.workspace or workspace)
                values = selected(secret, reference)
            except SecretNotFound as error:
                level = reference.acl or acl_of_name(reference.name)
                not_found = SecretNotFound(f"{owner}: {error.message}", hint=error.hint, location=location)
                if level in {None, acl}:
                    raise not_found from error
                missing = not_found
            else:
                offered.append(Credential(secret.name, reference.acl or secret.acl, values))
        if missing and not any(credential.serves(acl) for credential in offered):
            raise missing
        return choose(acl, offered, owner=owner, location=location)

    def known(self) -> list[StoredSecret]:
        """Return every secret of every place, in the order of the places.

        Raises:
            SecretBackendError: A place could not answer.
        """
        return [secret for backend in self._backends for secret in backend.secrets()]

    def _not_found(self, name: str, workspace: str | None, declared: StoredSecret | None) -> SecretNotFound:
        places = "; ".join(backend.tried(name, workspace) for backend in self._backends) or "nowhere"
        problem = f"is declared in {declared.place} without values" if declared else "is not known"
        return SecretNotFound(
            f"secret {name!r} {problem}; looked in: {places}",
            hint=f"set it with: dataos secret set {name} KEY …",
        )


def selected(secret: Secret, reference: SecretReference) -> SecretValues:
    """Return the keys of a secret that a reference asks for, under the names that the reference gives them.

    Raises:
        SecretNotFound: The secret lacks one of them.
    """
    keys = reference.selected
    if keys is None:
        return secret.values
    for key in keys:
        if key not in secret.values:
            raise SecretNotFound(
                f"secret {secret.name!r} in {secret.place} has no key {key!r}",
                hint=f"it has: {', '.join(secret.values)}",
            )
    return SecretValues({key: secret.values[key] for key in keys})


def secret_store(
    project: Project | None, settings: Settings, environment: Mapping[str, str] | None = None
) -> SecretStore:
    """Return the store of a project, and keep secret values out of the logs of this process from now on.

    Args:
        project: Its Secret and Instance Secret resources; None when only the other places are asked.
        settings: Which places, in which order, and where they are.
        environment: Variables; those of the process by default.

    Raises:
        SecretBackendError: `DATAOS_SECRETS_KEY` is not a key.
    """
    redact_logs()
    variables = os.environ if environment is None else environment
    backends: list[SecretBackend] = []
    for name in settings.secrets.backends:
        match name:
            case "manifests":
                resources = (*project.of_kind(INSTANCE_SECRET), *project.of_kind(SECRET)) if project else ()
                for resource in resources:
                    register(*resource.section.data.values())
                backends.append(ManifestBackend(resources, settings.default_workspace))
            case "environment":
                backends.append(EnvironmentBackend(variables))
            case "files" if settings.secrets.folder is not None:
                backends.append(FilesBackend(settings.project / settings.secrets.folder))
            case "encrypted":
                backends.append(encrypted_backend(settings, variables))
    return SecretStore(backends)


def encrypted_backend(settings: Settings, environment: Mapping[str, str] | None = None) -> EncryptedBackend:
    """Return the encrypted local store of a project, which `dataos secret` writes.

    Raises:
        SecretBackendError: `DATAOS_SECRETS_KEY` is not a key.
    """
    from dataos_dagster.secrets.keys import KeyRing

    file = settings.secrets.encrypted_file or settings.state_folder / ENCRYPTED_FILE
    variables = os.environ if environment is None else environment
    return EncryptedBackend(settings.project / file, KeyRing(variables))


def _secret(found: StoredSecret, declared: StoredSecret) -> Secret:
    kind = declared.type or found.type
    values = unpacked(found, kind)
    register(*found.values.values(), *values.values())
    return Secret(
        name=found.name,
        acl=declared.acl or found.acl or "r",
        type=kind or "key-value",
        values=values,
        place=found.place,
    )

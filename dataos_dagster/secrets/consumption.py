"""Hand secrets to a program: as environment variables, a properties file, or one file a key.

That is what `consumptionType` of an item of `dataosSecrets` says. Files lie in one folder, whose path the program finds
in `DATAOS_SECRET_DIR`; a key's file is named `<secret>_<key>`, as manifests of the platform's users expect it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.errors import Location, SecretBackendError, SecretNotFound
from dataos_dagster.manifests.masking import SENSITIVE_WORD
from dataos_dagster.redaction import register
from dataos_dagster.secrets.properties import format_properties
from dataos_dagster.secrets.store import selected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataos_dagster.secrets.manifest import SecretReference
    from dataos_dagster.secrets.store import SecretStore

FOLDER_VARIABLE = "DATAOS_SECRET_DIR"
_NAME = re.compile(r"[^=\0]+")
_SENSITIVE = re.compile(SENSITIVE_WORD, re.IGNORECASE)
# A short word or number, and the address of a dataset.
_ORDINARY = re.compile(r"[A-Za-z]{,7}|[-+\d.,_]{,7}|dataos://\S*")


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a program is started with.

    Attributes:
        environment: Variables to add to its environment.
        files: Files that it may read, for as long as the block lasts.
    """

    environment: Mapping[str, SecretStr]
    files: tuple[Path, ...] = ()


@contextlib.contextmanager
def handed_over(
    store: SecretStore,
    references: Iterable[SecretReference],
    *,
    variables: Mapping[str, str] | None = None,
    workspace: str | None = None,
    locations: Mapping[str, Location] | None = None,
) -> Iterator[HandedOver]:
    """Give what the references ask for; files are removed, unreadable to others until then, when the block ends.

    Args:
        store: Where secrets are.
        references: Items of `dataosSecrets`, in the manifest's order; of two with one variable the later wins.
        variables: Of the resource's `envs`; as in a pod, they win over keys of the same name.
        workspace: Workspace of the resource, for references that name none.
        locations: Where the resource refers to them, by the name of the secret.

    Raises:
        SecretNotFound: A secret or a key is nowhere.
        SecretBackendError: A place could not answer, a file cannot be written, or no variable can be called that.
    """
    environment: dict[str, SecretStr] = {}
    contents: dict[str, str] = {}
    for reference in references:
        values = _values(store, reference, workspace, (locations or {}).get(reference.name))
        if reference.consumption_type == "envVars":
            environment |= values
        elif reference.consumption_type == "propFile":
            pairs = {key: value.get_secret_value() for key, value in values.items()}
            contents[f"{reference.name}.properties"] = format_properties(pairs)
        else:
            contents |= {f"{reference.name}_{key}": value.get_secret_value() for key, value in values.items()}
    environment |= _own(variables or {})
    _check(environment)
    if not contents:
        yield HandedOver(environment)
        return
    folder = Path(tempfile.mkdtemp(prefix="dataos-secrets-"))  # only its owner may enter it
    try:
        files = tuple(_write(folder, name, content) for name, content in contents.items())
        yield HandedOver({**environment, FOLDER_VARIABLE: SecretStr(str(folder))}, files)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _values(
    store: SecretStore, reference: SecretReference, workspace: str | None, location: Location | None
) -> Mapping[str, SecretStr]:
    try:
        secret = store.secret(reference.name, workspace=reference.workspace or workspace)
        return dict(selected(secret, reference))
    except SecretNotFound as error:
        raise SecretNotFound(error.message, hint=error.hint, location=location) from error


def _own(variables: Mapping[str, str]) -> dict[str, SecretStr]:
    own = {name: SecretStr(value) for name, value in variables.items()}
    # What is called a password is one, also where it is written into the manifest; but what is masked is masked in
    # every message of this process, and `PASSWORD_POLICY: strict` or `MAX_TOKENS: 500` would blot out ordinary words.
    register(
        *(own[name] for name, value in variables.items() if _SENSITIVE.search(name) and not _ORDINARY.fullmatch(value))
    )
    return own


def _check(variables: Mapping[str, SecretStr]) -> None:
    for name, value in variables.items():
        if not _NAME.fullmatch(name) or "\0" in value.get_secret_value():
            raise SecretBackendError(
                f"{name!r} cannot be a variable: names have no `=`, and values no zero byte",
                hint="hand the key of a secret over as a file: `consumptionType: file`",
            )


def _write(folder: Path, name: str, content: str) -> Path:
    file = folder / name.replace(os.sep, "_")
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as output:
            output.write(content)
    except OSError as error:
        raise SecretBackendError(f"the secret file {file} cannot be written: {error.strerror}") from None
    return file

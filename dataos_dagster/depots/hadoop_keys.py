"""Credentials of object stores as jobs without a depot give them: among the properties of Hadoop in `sparkConf`.

Spark takes them by itself; our own look at what is there needs them too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.depots.access import AzureAccess, GcsAccess, S3Access
from dataos_dagster.errors import CredentialsRefused
from dataos_dagster.redaction import register

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dataos_dagster.depots.storage import Place

# The same property under its present and its older name.
_KEY_FILES = ("fs.gs.auth.service.account.json.keyfile", "google.cloud.auth.service.account.json.keyfile")


def with_keys(place: Place, properties: Mapping[str, SecretStr], base: Path) -> Place:
    """Return a place that is opened with the credentials among properties of Hadoop; as it is where there are none.

    Args:
        place: A place that a URL names.
        properties: By name, without `spark.hadoop.`.
        base: What the path of a key's file is relative to.

    Raises:
        CredentialsRefused: The file of a key cannot be read.
    """
    access = place.access
    if isinstance(access, S3Access):
        return replace(place, access=_s3(place.bucket, properties, access))
    if isinstance(access, AzureAccess):
        key = properties.get(f"fs.azure.account.key.{access.host}")
        return replace(place, access=replace(access, key=key)) if key else place
    if isinstance(access, GcsAccess):
        file = next((properties[name] for name in _KEY_FILES if name in properties), None)
        return replace(place, access=GcsAccess(_read_key(base / file.get_secret_value()))) if file else place
    return place


def _s3(bucket: str, properties: Mapping[str, SecretStr], access: S3Access) -> S3Access:
    def found(name: str) -> SecretStr | None:
        return properties.get(f"fs.s3a.bucket.{bucket}.{name}") or properties.get(f"fs.s3a.{name}")

    def is_off(name: str) -> bool:
        given = found(name)
        return given is not None and given.get_secret_value().strip().lower() == "false"

    endpoint, region = found("endpoint"), found("endpoint.region")
    url = endpoint.get_secret_value() if endpoint else None
    if url and "://" not in url:
        # What the file system does with an endpoint without a scheme (Hadoop, S3A, fs.s3a.connection.ssl.enabled).
        url = f"{'http' if is_off('connection.ssl.enabled') else 'https'}://{url}"
    return S3Access(
        found("access.key") or access.access_key,
        found("secret.key") or access.secret_key,
        url,
        region.get_secret_value() if region else access.region,
        found("session.token") or access.session_token,
        # Stores other than AWS have paths as a rule, whether a job says it or not.
        path_style=not is_off("path.style.access"),
    )


def _read_key(file: Path) -> SecretStr:
    try:
        key = SecretStr(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsRefused(
            f"the key of Google Cloud cannot be read from {file}: {getattr(error, 'strerror', None) or error}",
            hint="name the JSON key of a service account; a path is relative to the project",
        ) from None
    register(key)
    return key

"""How buckets of object stores are opened: what a depot and its secret say, and Arrow's file system for it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from dataos_dagster.depots.clients import client
from dataos_dagster.errors import CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyarrow.fs import FileSystem
    from pydantic import SecretStr

DEFAULT_REGION = "us-east-1"
_AZURE_SUFFIX = "windows.net"
# Arrow's own limit is fifteen minutes.
_RETRY_SECONDS = 30
# A token holds for an hour, and whoever copies files with one cannot renew it.
_TOKEN_LEFT = timedelta(minutes=30)
_GCS_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


@dataclass(frozen=True, slots=True)
class S3Access:
    """How a bucket of S3, or of a store that speaks its protocol, is opened.

    Attributes:
        access_key: None leaves it to the machine's own AWS configuration, as does `secret_key`.
        endpoint: URL of a store other than AWS, with its scheme.
        session_token: Makes temporary keys complete.
        path_style: The bucket stands in the URL's path, not in the host's name; only where there is an endpoint.
    """

    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    endpoint: str | None = None
    region: str | None = None
    session_token: SecretStr | None = None
    path_style: bool = True

    def url(self, path: str, *, sail: bool) -> str:
        """Return the name of a path under which an engine knows it."""
        return f"{'s3' if sail else 's3a'}://{path}"

    def filesystem(self) -> FileSystem:
        """Return Arrow's file system."""
        from pyarrow import fs

        endpoint = urlsplit(self.endpoint) if self.endpoint else None
        return fs.S3FileSystem(
            access_key=_plain(self.access_key),
            secret_key=_plain(self.secret_key),
            session_token=_plain(self.session_token),
            region=self.region or DEFAULT_REGION,
            endpoint_override=endpoint.netloc if endpoint else None,
            scheme=endpoint.scheme if endpoint else "https",
            force_virtual_addressing=endpoint is not None and not self.path_style,
            connect_timeout=10,
            request_timeout=60,
        )


@dataclass(frozen=True, slots=True)
class AzureAccess:
    """How a container of an Azure storage account is opened.

    Attributes:
        scheme: `abfss` for Data Lake Storage, `wasbs` for Blob Storage; both reach the same data.
        key: None leaves it to the machine's own identity.
        suffix: Of the account's host names, behind `core.`.
    """

    account: str
    scheme: Literal["abfss", "wasbs"] = "abfss"
    key: SecretStr | None = None
    suffix: str = _AZURE_SUFFIX

    @property
    def host(self) -> str:
        """Return the account's host for the scheme."""
        return f"{self.account}.{'dfs' if self.scheme == 'abfss' else 'blob'}.core.{self.suffix}"

    def url(self, path: str, *, sail: bool) -> str:  # noqa: ARG002 - every engine has the same name for it
        """Return the name of a path, whose first segment is the container."""
        container, _, key = path.partition("/")
        return f"{self.scheme}://{container}@{self.host}/{key}".rstrip("/")

    def filesystem(self) -> FileSystem:
        """Return Arrow's file system."""
        from pyarrow import fs

        return fs.AzureFileSystem(
            self.account,
            account_key=_plain(self.key),
            blob_storage_authority=f".blob.core.{self.suffix}",
            dfs_storage_authority=f".dfs.core.{self.suffix}",
        )


class _Tokens:
    """The token that was asked for last: each listing and each file that is opened has a file system of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._credentials: Any = None

    def of(self, ask: Callable[[], Any]) -> tuple[str, datetime]:
        """Return a token and when it ends, in UTC without a zone; asked for where none holds for half an hour more.

        Args:
            ask: Returns fresh credentials of Google's client.
        """
        with self._lock:
            held = self._credentials
            if held is None or held.expiry - datetime.now(UTC).replace(tzinfo=None) < _TOKEN_LEFT:
                self._credentials = ask()
            return self._credentials.token, self._credentials.expiry


@dataclass(frozen=True, slots=True)
class GcsAccess:
    """How a bucket of Google Cloud Storage is opened.

    Attributes:
        key: The JSON key of a service account; None leaves it to the machine's own identity.
        project: Project that is billed; None takes the key's.
        tokens: Those that Google has given for the key.
    """

    key: SecretStr | None = None
    project: str | None = None
    tokens: _Tokens = field(default_factory=_Tokens, init=False, repr=False, compare=False)

    def url(self, path: str, *, sail: bool) -> str:  # noqa: ARG002 - every engine has the same name for it
        """Return the name of a path."""
        return f"gs://{path}"

    @property
    def account(self) -> Mapping[str, str]:
        """Return the fields of the key; none without one.

        Raises:
            CredentialsRefused: It is no key of a service account.
        """
        if self.key is None:
            return {}
        try:
            found = json.loads(self.key.get_secret_value())
            return {name: str(found[name]) for name in ("client_email", "private_key", "private_key_id")} | {
                "project_id": str(found.get("project_id", ""))
            }
        except (ValueError, KeyError, TypeError):
            raise CredentialsRefused(
                "the key of Google Cloud is no JSON key of a service account",
                hint="store the file that Google Cloud gives for the service account, under gcskey_json",
            ) from None

    def filesystem(self) -> FileSystem:
        """Return Arrow's file system, with a token that is good for an hour at most.

        Raises:
            CredentialsRefused: Google refuses the key.
            DepotUnsupported: The client that gets tokens is not installed.
        """
        from pyarrow import fs

        limit = timedelta(seconds=_RETRY_SECONDS)
        if self.key is None:
            return fs.GcsFileSystem(project_id=self.project, retry_time_limit=limit)
        token, expires = self.tokens.of(self._credentials)
        return fs.GcsFileSystem(
            access_token=token,
            credential_token_expiration=expires,
            project_id=self.project,
            retry_time_limit=limit,
        )

    def _credentials(self) -> Any:
        """Return the credentials of the key, with a fresh token."""
        assert self.key is not None and self.account  # noqa: S101, PT018 - its caller has asked for the key
        accounts = client("google.oauth2.service_account", "Google Cloud", "gcs")
        transport = client("google.auth.transport.requests", "Google Cloud", "gcs")
        errors = client("google.auth.exceptions", "Google Cloud", "gcs")
        try:
            credentials = accounts.Credentials.from_service_account_info(
                json.loads(self.key.get_secret_value()), scopes=[_GCS_SCOPE]
            )
            credentials.refresh(transport.Request())
        except (errors.GoogleAuthError, ValueError) as error:
            raise CredentialsRefused(
                f"Google Cloud refuses the key of {self.account['client_email']}: {str(error)[:200]}",
                hint="check the depot's secret",
            ) from None
        return credentials


BucketAccess = S3Access | AzureAccess | GcsAccess


def azure_suffix(given: str | None) -> str:
    """Return the suffix of an account's hosts as it stands behind `core.`; manifests write both forms."""
    return (given or _AZURE_SUFFIX).strip(".").removeprefix("core.")


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None

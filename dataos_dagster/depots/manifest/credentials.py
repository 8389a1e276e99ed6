"""Which keys the credentials of each source type have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dataos_dagster.manifests.spelling import fold


@dataclass(frozen=True, slots=True)
class CredentialKeys:
    """Keys of a credential.

    Attributes:
        required: One set of keys for each way to authenticate; any one of them is enough.
        optional: Further keys that mean something.
    """

    required: tuple[tuple[str, ...], ...] = ()
    optional: tuple[str, ...] = ()

    def missing(self, present: Collection[str]) -> str | None:
        """Return the first key that is missing for the way that is nearest to complete; None when one is complete."""
        folded = {fold(key) for key in present}
        lacking = [[key for key in way if fold(key) not in folded] for way in self.required]
        return min(lacking, key=len, default=[None])[0] if all(lacking) and lacking else None


_PASSWORD = CredentialKeys((("username", "password"),))
_AZURE = CredentialKeys((("azurestorageaccountname", "azurestorageaccountkey"),), ("azureendpointsuffix",))

CREDENTIAL_KEYS: Mapping[str, CredentialKeys] = {
    "file": CredentialKeys(),
    "s3": CredentialKeys((("accesskeyid", "secretkey"), ("awsaccesskeyid", "awssecretaccesskey")), ("awsendpoint",)),
    "abfss": _AZURE,
    "wasbs": _AZURE,
    "gcs": CredentialKeys((("gcskey_json",),), ("projectid", "email")),
    "jdbc": _PASSWORD,
    "postgresql": _PASSWORD,
    "mysql": _PASSWORD,
    "sqlserver": _PASSWORD,
    "oracle": _PASSWORD,
    "redshift": CredentialKeys((("username", "password"),), ("awsaccesskeyid", "awssecretaccesskey")),
    "databricks": CredentialKeys((("password",),), ("username",)),
    "snowflake": CredentialKeys((("username", "password"), ("username", "key")), ("auth_mode", "passphrase")),
    "bigquery": CredentialKeys((("json_keyfile",), ("json_key_file",)), ("projectid", "email")),
    "mongodb": CredentialKeys(
        (("username", "password"), ("key_store_file", "trust_store_file")),
        ("keyStorePassword", "trustStorePassword", "ca_file"),
    ),
    "elasticsearch": _PASSWORD,
    "opensearch": _PASSWORD,
    "kafka": CredentialKeys(
        (),
        (
            "security_protocol",
            "sasl_mechanism",
            "username",
            "password",
            "trust_store_type",
            "trust_store_password",
            "schema_registry_username",
            "schema_registry_password",
            "ca_file",
            "trust_store_file",
        ),
    ),
    "pulsar": CredentialKeys((), ("token",)),
    "eventhub": CredentialKeys((("eh_shared_access_key_name", "eh_shared_access_key"),)),
}

"""How the brokers of a depot are reached: one set of properties for Spark, one for the Python client."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.errors import CredentialsRefused
from dataos_dagster.redaction import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.depot import Depot

_PEM = "-----BEGIN"
_LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Brokers, and who we are to them.

    Attributes:
        brokers: `host:port`, several separated by commas.
        security: Property of Kafka's clients to value, such as `security.protocol`; nothing secret.
        secrets: The same for values that nobody may see.
        username: For the Python client, whose words for a password are others.
    """

    brokers: str
    security: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    username: str | None = None
    password: SecretStr | None = None

    def spark_options(self) -> dict[str, str]:
        """Return the options of Spark's source and sink. Holds secrets: never log it."""
        found = {"kafka.bootstrap.servers": self.brokers}
        found |= {f"kafka.{key}": value for key, value in self.security.items()}
        return found | {f"kafka.{key}": value.get_secret_value() for key, value in self.secrets.items()}

    def client_properties(self) -> dict[str, str]:
        """Return the properties of the Python client (librdkafka). Holds secrets: never log it."""
        found = {"bootstrap.servers": self.brokers}
        found |= {key: value for key, value in self.security.items() if key in {"security.protocol", "sasl.mechanism"}}
        if self.username and self.password:
            found |= {"sasl.username": self.username, "sasl.password": self.password.get_secret_value()}
        if certificates := self.secrets.get("ssl.truststore.certificates"):
            found["ssl.ca.pem"] = certificates.get_secret_value()
        return found


def access_of(depot: Depot, credentials: Mapping[str, SecretStr]) -> KafkaAccess:
    """Return how the brokers of a depot are reached.

    Args:
        depot: Its brokers.
        credentials: `security_protocol`, `sasl_mechanism`, `username`, `password`, `ca_file`, `trust_store_file`,
            `trust_store_type`, `trust_store_password`; all of them optional.

    Raises:
        CredentialsRefused: They contradict each other.
    """
    from dataos_dagster.depots.manifest import KafkaConnection

    connection = depot.connection
    assert isinstance(connection, KafkaConnection)  # noqa: S101 - the depot's type says so
    # Plans of Spark show the options of a source.
    secret = ("password", "trust_store_password", "schema_registry_password")
    register(*(credentials[key] for key in secret if key in credentials))
    known = {key: value.get_secret_value() for key, value in credentials.items()}
    username, password = known.get("username"), credentials.get("password")
    files = "ca_file" in known or "trust_store_file" in known
    protocol = known.get("security_protocol", "").upper() or _protocol(has_login=username is not None, has_tls=files)
    security, secrets = {"security.protocol": protocol}, dict[str, "SecretStr"]()
    if protocol.startswith("SASL"):
        mechanism = known.get("sasl_mechanism", "PLAIN").upper()
        security["sasl.mechanism"] = mechanism
        secrets["sasl.jaas.config"] = _login(depot, mechanism, username, password)
    if files:
        security |= _trust_properties(depot, known)
        secrets |= _trust_secrets(credentials)
    return KafkaAccess(",".join(connection.brokers), security, secrets, username, password)


def _protocol(*, has_login: bool, has_tls: bool) -> str:
    transport = "SSL" if has_tls else "PLAINTEXT"
    return f"SASL_{transport}" if has_login else transport


def _login(depot: Depot, mechanism: str, username: str | None, password: SecretStr | None) -> SecretStr:
    from pydantic import SecretStr

    if mechanism not in _LOGIN_MODULES:
        raise CredentialsRefused(
            f"depot {depot.name!r}: the mechanism {mechanism} is not known here",
            hint=f"sasl_mechanism: one of {', '.join(_LOGIN_MODULES)}",
            location=depot.location,
        )
    if username is None or password is None:
        raise CredentialsRefused(
            f"depot {depot.name!r}: its security protocol asks for `username` and `password`, and the secret lacks one",
            hint="add both keys to the depot's secret, or write security_protocol: PLAINTEXT",
            location=depot.location,
        )
    account = f"username={_quoted(username)} password={_quoted(password.get_secret_value())}"
    return SecretStr(f"{_LOGIN_MODULES[mechanism]} required {account};")


def _quoted(text: str) -> str:
    """Return a value of a JAAS configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _trust_properties(depot: Depot, known: Mapping[str, str]) -> dict[str, str]:
    found = known.get("ca_file") or known["trust_store_file"]
    if _PEM in found:
        return {"ssl.truststore.type": "PEM"}
    if not Path(found).is_file():
        raise CredentialsRefused(
            f"depot {depot.name!r}: `{'ca_file' if 'ca_file' in known else 'trust_store_file'}` is neither "
            "certificates (PEM) nor the path of a file that is there",
            hint="put the certificates themselves into the secret, from -----BEGIN CERTIFICATE----- on",
            location=depot.location,
        )
    return {"ssl.truststore.location": found, "ssl.truststore.type": known.get("trust_store_type", "PEM").upper()}


def _trust_secrets(credentials: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    found = credentials.get("ca_file") or credentials["trust_store_file"]
    if _PEM in found.get_secret_value():
        return {"ssl.truststore.certificates": found}
    password = credentials.get("trust_store_password")
    return {"ssl.truststore.password": password} if password else {}

"""Snowflake, BigQuery and Redshift: options of their Spark connectors.

Sources: Snowflake, Using the Spark Connector (options sf…); spark-bigquery-connector, Properties; spark-redshift of the
community, Parameters.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from dataos_dagster.depots.connectors.call import Connector, ConnectorCall, dataset_of
from dataos_dagster.depots.connectors.jdbc import DIALECTS
from dataos_dagster.depots.jdbc_url import parted_parameters
from dataos_dagster.errors import CredentialsRefused, DepotError
from dataos_dagster.redaction import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest

SNOWFLAKE_FORMAT = "net.snowflake.spark.snowflake"
REDSHIFT_FORMAT = "io.github.spark_redshift_community.spark.redshift"
_PEM_LINE = re.compile(r"-----[A-Z ]+-----")
# Options of JDBC inputs, which manifests often carry along.
_OF_JDBC = ("driver",)


def snowflake(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector of a Snowflake depot; the collection of an address is the schema.

    Raises:
        DepotError: The depot names no account.
        CredentialsRefused: The private key is encrypted, which the connector cannot open.
    """
    from dataos_dagster.depots.manifest import SnowflakeConnection

    section = depot.connection
    assert isinstance(section, SnowflakeConnection)  # noqa: S101 - what its family is chosen by
    host = section.url or (f"{section.account}.snowflakecomputing.com" if section.account else None)
    if host is None:
        raise DepotError(f"depot {depot.name!r} names no account", hint="add `url:`", location=depot.location)
    host = host.removeprefix("https://").rstrip("/")
    secrets = _snowflake_login(depot, credentials)
    named = {"sfDatabase": section.database, "sfRole": section.role}
    options = {"sfURL": host} | {key: value for key, value in named.items() if value}
    # A job may ask for another warehouse than the depot's.
    defaults = {"sfWarehouse": section.warehouse} if section.warehouse else {}
    defaults |= section.plain_params

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        schema, table = dataset_of(request, "schema and table", collection=section.schema_name is None)
        place = {"sfSchema": schema or section.schema_name or "", "dbtable": table}
        return ConnectorCall(SNOWFLAKE_FORMAT, options | place, secrets, defaults, _OF_JDBC)

    return Connector(("snowflake",), (f"{host}:443",), describe)


def _snowflake_login(depot: Depot, credentials: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    from pydantic import SecretStr

    if "passphrase" in credentials:
        raise CredentialsRefused(
            f"depot {depot.name!r}: the connector cannot open a private key with a passphrase",
            hint="store the key without: openssl pkcs8 -in key.p8 -nocrypt",
            location=depot.location,
        )
    names = {"username": "sfUser", "password": "sfPassword", "token": "sfToken", "key": "pem_private_key"}
    found = {option: credentials[key] for key, option in names.items() if key in credentials}
    if key := found.get("pem_private_key"):
        # The connector takes the key's body in one line.
        body = "".join(_PEM_LINE.sub("", key.get_secret_value()).split())
        found["pem_private_key"] = SecretStr(body)
        register(body)  # the key is known as it is stored only
    if "sfToken" in found:
        found["sfAuthenticator"] = SecretStr("oauth")
    return found


def bigquery(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector of a BigQuery depot; the collection of an address is the dataset."""
    from pydantic import SecretStr

    from dataos_dagster.depots.manifest import BigQueryConnection

    section = depot.connection
    assert isinstance(section, BigQueryConnection)  # noqa: S101 - what its family is chosen by
    key = credentials.get("json_keyfile") or credentials.get("json_key_file")
    secrets = {"credentials": SecretStr(base64.b64encode(key.get_secret_value().encode()).decode())} if key else {}
    register(*secrets.values())  # the key is known as it is stored only
    project = section.project or (credentials["projectid"].get_secret_value() if "projectid" in credentials else None)
    options = {"parentProject": project} if project else {}

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        dataset, table = dataset_of(request, "dataset and table")
        name = ".".join(part for part in (project, dataset, table) if part)
        return ConnectorCall("bigquery", options | {"table": name}, secrets, section.plain_params, _OF_JDBC)

    return Connector(("bigquery",), ("bigquery.googleapis.com:443",), describe)


def redshift(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector of a Redshift depot, which stages rows in a folder on S3.

    Raises:
        DepotError: The depot names no database, or no bucket to stage rows in.
    """
    from dataos_dagster.depots.manifest import RedshiftConnection

    section = depot.connection
    assert isinstance(section, RedshiftConnection)  # noqa: S101 - what its family is chosen by
    for key in ("database", "bucket"):
        if not getattr(section, key):
            raise DepotError(f"depot {depot.name!r} names no {key}", hint=f"add `{key}:`", location=depot.location)
    dialect = DIALECTS["redshift"]
    parted = parted_parameters(section.plain_params)
    url = dialect.with_parameters(f"jdbc:redshift://{section.host}:{section.port}/{section.database}", parted.plain)
    folder = "/".join(
        part.strip("/") for part in (section.bucket or "", section.relative_path or "") if part.strip("/")
    )
    options = {"url": url, "tempdir": f"s3a://{folder}", "forward_spark_s3_credentials": "true"}
    logins = {"user": credentials.get("username"), "password": credentials.get("password")}
    secrets = {key: value for key, value in logins.items() if value} | dict(parted.secrets)
    keys = {"access.key": credentials.get("awsaccesskeyid"), "secret.key": credentials.get("awssecretaccesskey")}
    prefix = f"spark.hadoop.fs.s3a.bucket.{section.bucket}"

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        schema, table = dataset_of(request, "schema and table")
        return ConnectorCall(REDSHIFT_FORMAT, options | {"dbtable": dialect.name(schema, table)}, secrets, {}, _OF_JDBC)

    return Connector(
        ("redshift", "redshift-jdbc", "hadoop-aws"),
        (f"{section.host}:{section.port}",),
        describe,
        conf={"spark.hadoop.fs.s3a.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem"},
        secret_conf={f"{prefix}.{key}": value for key, value in keys.items() if value},
    )

"""Manifests of depots on the real servers of tests."""

from __future__ import annotations

from typing import Any

_SECRET = """
---
name: shopdb-rw
version: v1
type: instance-secret
instance-secret:
  type: key-value-properties
  acl: rw
  data: {{username: "{user}", password: "{password}"}}
"""
_DEPOT = """
name: shopdb
version: v2alpha
type: depot
depot:
  type: {type}
  secrets: [{{name: shopdb-rw, allkeys: true}}]
"""
_POSTGRESQL = (
    _DEPOT.replace("{type}", "JDBC")
    + "  jdbc: {{subprotocol: postgresql, host: 127.0.0.1, port: {port}, database: '{database}', "
    + "params: {{sslmode: disable}}}}"
    + _SECRET
)
_MYSQL = (
    _DEPOT.replace("{type}", "MYSQL")
    + '  mysql: {{host: 127.0.0.1, port: {port}, params: {{useSSL: "false"}}}}'
    + _SECRET
)

_KAFKA = """\
name: events
version: v1
type: depot
depot: {{type: kafka, kafka: {{brokers: ["{bootstrap}"]}}}}
"""


def kafka_depot(bootstrap: str) -> str:
    """Return the manifest of the depot `events`, a Kafka cluster whose brokers ask for nothing."""
    return _KAFKA.format(bootstrap=bootstrap)


def postgresql_depot(server: Any, database: str, **changes: Any) -> str:
    """Return the manifest of the depot `shopdb`, a database of a PostgreSQL server."""
    return _POSTGRESQL.format(**{**_account(server), "database": database, **changes})


def mysql_depot(server: Any, **changes: Any) -> str:
    """Return the manifest of the depot `shopdb`, a MySQL or MariaDB server."""
    return _MYSQL.format(**{**_account(server), **changes})


def _account(server: Any) -> dict[str, Any]:
    return {"port": server.port, "user": server.user, "password": server.password}

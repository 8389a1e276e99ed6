"""Parameters of a PostgreSQL connection: from the names of the JDBC driver to those of libpq.

A depot and a JDBC URL speak the driver's language; our own connections are libpq's. Names and meanings: pgJDBC,
Connection Parameters; PostgreSQL, libpq, Parameter Key Words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

# Parameters of one meaning under two names, or the same one; keys in lower case.
_SAME: Mapping[str, str] = {
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslpassword": "sslpassword",
    "channelbinding": "channel_binding",
    "gssencmode": "gssencmode",
    "kerberosservername": "krbsrvname",
    "connecttimeout": "connect_timeout",
    "logintimeout": "connect_timeout",
}
_TARGETS: Mapping[str, str] = {
    "any": "any",
    "primary": "primary",
    "master": "primary",
    "secondary": "standby",
    "slave": "standby",
    "preferprimary": "any",
    "prefersecondary": "prefer-standby",
    "preferslave": "prefer-standby",
}
_NO_VALIDATION = "org.postgresql.ssl.NonValidatingFactory"
_LIBPQ_FACTORY = "org.postgresql.ssl.LibPQFactory"


def libpq_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of libpq that mean the same as those of the JDBC driver.

    What only the driver's own work depends on, such as `prepareThreshold`, has none.

    Raises:
        DepotUnsupported: The certificate of the server is to be checked by a Java class, or a time is no number.
    """
    given = {key.lower(): value for key, value in parameters.items()}
    found = {name: given[key] for key, name in _SAME.items() if key in given}
    if (timeout := found.get("connect_timeout")) and not timeout.isdigit():
        raise DepotUnsupported(f"connectTimeout {timeout!r} is no number of seconds", hint="write connectTimeout: 10")
    found |= _encryption(given)
    if given.get("tcpkeepalive", "").lower() in {"true", "false"}:
        found["keepalives"] = "1" if given["tcpkeepalive"].lower() == "true" else "0"
    if target := _TARGETS.get(given.get("targetservertype", "").lower()):
        found["target_session_attrs"] = target
    settings = [given["options"]] if given.get("options") else []
    if schema := given.get("currentschema"):
        # A blank would end the value.
        settings.append("-c search_path=" + schema.replace("\\", "\\\\").replace(" ", "\\ "))
    if settings:
        found["options"] = " ".join(settings)
    return found


def _encryption(given: Mapping[str, str]) -> dict[str, str]:
    """Return what `ssl` and `sslfactory` mean: the driver takes `ssl=true` for `verify-full`."""
    factory = given.get("sslfactory", _LIBPQ_FACTORY)
    if factory not in {_NO_VALIDATION, _LIBPQ_FACTORY}:
        raise DepotUnsupported(
            f"the server's certificate is to be checked by the Java class {factory}, which only a JVM can",
            hint="write sslmode: verify-full and sslrootcert: <file> instead of sslfactory",
        )
    if "sslmode" in given or given.get("ssl", "false").lower() not in {"true", ""}:
        return {}
    return {"sslmode": "require" if factory == _NO_VALIDATION else "verify-full"}

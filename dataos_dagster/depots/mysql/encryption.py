"""Encryption of a connection to MySQL: from the parameters of the JDBC driver to those of the client for Python.

Names, values and defaults: MySQL Connector/J Developer Guide, Connection Properties, Security.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Literal, get_args

from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

SslMode = Literal["DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"]
_MODES: tuple[SslMode, ...] = get_args(SslMode)
# Files of certificates in Java's formats, which Python cannot open.
_KEY_STORES: Mapping[str, str] = {
    "trustcertificatekeystoreurl": "trustCertificateKeyStoreUrl",
    "clientcertificatekeystoreurl": "clientCertificateKeyStoreUrl",
}


def ssl_mode(parameters: Mapping[str, str]) -> SslMode:
    """Return how a connection with these parameters of the JDBC driver is encrypted.

    `useSSL: true` asks for encryption here, where the driver alone would do without if the server has none.

    Raises:
        DepotUnsupported: There is no such mode, or certificates are in a key store of Java's.
    """
    given = {key.lower(): value for key, value in parameters.items()}
    mode = _mode(given)
    stores = [name for key, name in _KEY_STORES.items() if given.get(key)]
    if stores and mode != "DISABLED":
        raise DepotUnsupported(
            f"{stores[0]} names a key store, which only a JVM can open, and rows are put in place by a connection of "
            "Python's",
            hint="leave it out, and add the authority's certificate to the system's trust store and to Java's",
        )
    return mode


def _mode(given: Mapping[str, str]) -> SslMode:
    def says(key: str, value: str) -> bool:
        return given.get(key, "").lower() == value

    if "sslmode" in given:
        wanted = given["sslmode"].upper()
        for mode in _MODES:
            if wanted == mode:
                return mode
        raise DepotUnsupported(f"sslMode {given['sslmode']!r} is unknown", hint=f"write one of {', '.join(_MODES)}")
    if says("usessl", "false"):
        return "DISABLED"
    if says("verifyservercertificate", "true"):
        return "VERIFY_CA"
    return "REQUIRED" if says("usessl", "true") or says("requiressl", "true") else "PREFERRED"


def client_arguments(mode: SslMode) -> dict[str, Any]:
    """Return the arguments of the client for Python; the authorities that it trusts are those of the system."""
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    if mode == "PREFERRED":
        return {}  # what the client does unless it is told otherwise
    context = ssl.create_default_context()
    # Authorities that a MySQL server makes for itself lack extensions that RFC 5280 demands.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = mode == "VERIFY_IDENTITY"
    context.verify_mode = ssl.CERT_NONE if mode == "REQUIRED" else ssl.CERT_REQUIRED
    return {"ssl": context}

"""Encrypted connections to MySQL: what the JDBC driver's parameters mean, on a real server with certificates."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from pydantic import SecretStr

from dataos_dagster.depots.mysql.connection import MysqlConnection
from dataos_dagster.depots.mysql.encryption import ssl_mode
from dataos_dagster.errors import DepotError, DepotUnsupported


@pytest.mark.parametrize(
    ("parameters", "mode"),
    [
        ({}, "PREFERRED"),
        ({"useSSL": "false"}, "DISABLED"),
        ({"useSSL": "true"}, "REQUIRED"),
        ({"requireSSL": "true"}, "REQUIRED"),
        ({"useSSL": "true", "verifyServerCertificate": "true"}, "VERIFY_CA"),
        ({"useSSL": "false", "sslMode": "verify_identity"}, "VERIFY_IDENTITY"),
    ],
)
def test_parameters_of_the_driver_say_how_a_connection_is_encrypted(parameters, mode):
    assert ssl_mode(parameters) == mode


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"sslMode": "VERIFY_CS"}, "sslMode 'VERIFY_CS' is unknown"),
        (
            {"sslMode": "VERIFY_CA", "trustCertificateKeyStoreUrl": "file:/ca.jks"},
            "trustCertificateKeyStoreUrl names a key store",
        ),
        ({"clientCertificateKeyStoreUrl": "file:/me.p12"}, "clientCertificateKeyStoreUrl names a key store"),
    ],
)
def test_what_python_cannot_check_is_refused(parameters, said):
    with pytest.raises(DepotUnsupported, match=said) as refused:
        ssl_mode(parameters)
    assert refused.value.hint


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return a certificate of `localhost` that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", files[0], "-keyout", files[1]]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.fixture
def encrypted(mariadb, certificate):
    """Return a connection to a server that has this certificate."""
    from servers.mariadb import start_mariadb

    server = start_mariadb(f"--ssl-cert={certificate[0]}", f"--ssl-key={certificate[1]}")
    yield MysqlConnection("depot 'x'", "localhost", server.port, SecretStr(server.user), SecretStr(server.password))
    server.stop()


def cipher(connection):
    with connection.open() as opened, opened.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        return cursor.fetchone()[1]


def test_the_server_must_be_who_it_is_taken_for_before_it_gets_the_password(encrypted, certificate, monkeypatch):
    assert cipher(replace(encrypted, ssl_mode="DISABLED")) == ""
    for mode in ("PREFERRED", "REQUIRED"):
        assert cipher(replace(encrypted, ssl_mode=mode))
    for mode in ("VERIFY_CA", "VERIFY_IDENTITY"):
        with pytest.raises(DepotError, match="its certificate is not trusted"):
            cipher(replace(encrypted, ssl_mode=mode))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    by_number = replace(encrypted, host="127.0.0.1")
    assert cipher(replace(by_number, ssl_mode="VERIFY_CA"))
    assert cipher(replace(encrypted, ssl_mode="VERIFY_IDENTITY"))
    with pytest.raises(DepotError, match=r"its certificate is not trusted.*127"):
        cipher(replace(by_number, ssl_mode="VERIFY_IDENTITY"))


def test_a_server_without_encryption_does_not_get_a_password_that_is_to_be_encrypted(mariadb):
    user, password = SecretStr(mariadb.user), SecretStr(mariadb.password)
    connection = MysqlConnection("depot 'x'", mariadb.host, mariadb.port, user, password)
    assert cipher(connection) == ""
    with pytest.raises(DepotError, match="SSL is required but the server doesn't support it"):
        cipher(replace(connection, ssl_mode="REQUIRED"))

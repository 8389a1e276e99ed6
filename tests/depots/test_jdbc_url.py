"""JDBC URLs with credentials inside."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from dataos_dagster.depots.jdbc_url import parted_parameters, without_credentials
from dataos_dagster.depots.postgresql.connection import PostgresqlConnection
from dataos_dagster.depots.postgresql.parameters import libpq_parameters
from dataos_dagster.depots.requests import JdbcConnection, Target
from dataos_dagster.errors import DepotUnsupported
from dataos_dagster.flare.manifest import JdbcConnection as JdbcSection
from dataos_dagster.redaction import redact


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("jdbc:postgresql://h:5432/d?user=ann&password=p%40ss-word&sslmode=disable", "jdbc:postgresql://h:5432/d?sslmode=disable"),
        ("jdbc:postgresql://h/d?sslmode=disable&password=p%40ss-word&user=ann", "jdbc:postgresql://h/d?sslmode=disable"),
        ("jdbc:mysql://ann:p%40ss-word@h/d", "jdbc:mysql://h/d"),
        ("jdbc:sqlserver://h;databaseName=d;user=ann;password=p@ss-word", "jdbc:sqlserver://h;databaseName=d"),
        ("jdbc:oracle:thin:ann/p%40ss-word@//h:1521/s", "jdbc:oracle:thin:@//h:1521/s"),
    ],
)  # fmt: skip
def test_credentials_are_taken_out_of_a_url(url, plain):
    assert without_credentials(url) == (plain, "ann", "p@ss-word", {})


@pytest.mark.parametrize(
    "url", ["jdbc:postgresql://h/d", "jdbc:postgresql://h/d?sslmode=disable&x=a@b", "jdbc:oracle:thin:@h:1521:s"]
)
def test_a_url_without_credentials_stays(url):
    assert without_credentials(url) == (url, None, None, {})


def test_a_target_does_not_name_the_password_of_its_url():
    jdbc = JdbcConnection("jdbc:postgresql://h/d?user=ann&password=hidden-in-url", "orders")
    assert str(Target(jdbc=jdbc)) == "jdbc:postgresql://h/d:orders"
    assert "hidden-in-url" not in repr(jdbc)
    assert (jdbc.username, jdbc.password) == ("ann", SecretStr("hidden-in-url"))
    assert redact("refused: hidden-in-url") == "refused: ***"


def test_credentials_beside_the_url_win_and_are_masked():
    jdbc = JdbcConnection("jdbc:postgresql://h/d?user=ann&password=first-one", "orders", "bob", SecretStr("second-one"))
    assert (jdbc.username, jdbc.password) == ("bob", SecretStr("second-one"))
    assert redact("first-one second-one") == "*** ***"


def test_every_secret_parameter_is_taken_out_and_reaches_the_driver_beside_the_url():
    url = "jdbc:postgresql://h/d?ssl=true&sslpassword=key-phrase&currentSchema=app"
    jdbc = JdbcConnection(url, "orders")
    assert jdbc.url == "jdbc:postgresql://h/d?ssl=true&currentSchema=app"
    assert jdbc.secret_parameters == {"sslpassword": SecretStr("key-phrase")}
    assert "key-phrase" not in repr(jdbc) + redact("refused: key-phrase")
    connection = PostgresqlConnection.of_url(jdbc)
    assert "key-phrase" not in connection.jdbc_url + repr(connection)
    assert "sslpassword=key-phrase" in connection.uri.get_secret_value()


def test_a_url_in_a_job_is_masked_from_the_moment_it_is_read():
    section = JdbcSection(url="jdbc:mysql://ann:first-seen-here@h/d?accessToken=second-seen-here", table="t")
    assert "seen-here" not in repr(section) + str(section.model_dump())
    assert redact("first-seen-here second-seen-here") == "*** ***"


def test_parameters_of_a_depot_that_are_secret_are_masked_from_the_moment_they_are_read():
    from dataos_dagster.depots.manifest import PostgresqlConnection as Section

    section = Section(
        host="h", database="d", params={"sslpassword": "depot-phrase", "sslmode": "disable", "user": "ann"}
    )
    assert "depot-phrase" not in repr(section) + redact("depot-phrase")
    connection = PostgresqlConnection.of_depot("shop", section, {})
    assert (connection.username, connection.parameters) == (SecretStr("ann"), {"sslmode": "disable"})
    assert connection.jdbc_url == "jdbc:postgresql://h:5432/d?sslmode=disable"
    assert parted_parameters(section.plain_params).secrets == {"sslpassword": SecretStr("depot-phrase")}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"ssl": "true"}, {"sslmode": "verify-full"}),
        ({"ssl": ""}, {"sslmode": "verify-full"}),
        ({"ssl": "false"}, {}),
        ({"ssl": "true", "sslmode": "require"}, {"sslmode": "require"}),
        ({"ssl": "true", "sslfactory": "org.postgresql.ssl.NonValidatingFactory"}, {"sslmode": "require"}),
        ({"sslrootcert": "/ca.pem", "sslcert": "/c.pem"}, {"sslrootcert": "/ca.pem", "sslcert": "/c.pem"}),
        ({"currentSchema": "app,pg_temp"}, {"options": "-c search_path=app,pg_temp"}),
        ({"currentSchema": "a b", "options": "-c work_mem=8MB"}, {"options": "-c work_mem=8MB -c search_path=a\\ b"}),
        ({"connectTimeout": "3"}, {"connect_timeout": "3"}),
        ({"tcpKeepAlive": "true", "targetServerType": "preferSecondary"}, {"keepalives": "1", "target_session_attrs": "prefer-standby"}),
        ({"prepareThreshold": "0", "reWriteBatchedInserts": "true", "stringtype": "unspecified"}, {}),
    ],
)  # fmt: skip
def test_parameters_of_the_jdbc_driver_mean_the_same_to_libpq(given, meant):
    assert libpq_parameters(given) == meant


def test_what_libpq_cannot_do_is_said():
    with pytest.raises(DepotUnsupported, match=r"the Java class com\.example\.Factory"):
        libpq_parameters({"ssl": "true", "sslfactory": "com.example.Factory"})
    with pytest.raises(DepotUnsupported, match="'soon' is no number of seconds"):
        libpq_parameters({"connectTimeout": "soon"})

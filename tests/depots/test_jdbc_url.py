"""JDBC URLs with credentials inside."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from dataos_dagster.depots.jdbc_url import without_credentials
from dataos_dagster.depots.requests import JdbcConnection, Target
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
    assert without_credentials(url) == (plain, "ann", "p@ss-word")


@pytest.mark.parametrize(
    "url", ["jdbc:postgresql://h/d", "jdbc:postgresql://h/d?sslmode=disable&x=a@b", "jdbc:oracle:thin:@h:1521:s"]
)
def test_a_url_without_credentials_stays(url):
    assert without_credentials(url) == (url, None, None)


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

"""Access levels: rw may serve a read, r never a write."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from dataos_dagster.errors import Location, SecretNotFound
from dataos_dagster.secrets.access import Credential, acl_of_name, choose


def credential(name: str, acl: str, **values: str) -> Credential:
    return Credential(
        name, acl, {key: SecretStr(value) for key, value in (values or {"user": f"user of {name}"}).items()}
    )


def chosen(needed: str, *offered: Credential) -> dict[str, str]:
    values = choose(needed, offered, owner="depot 'ferrydb'")
    return {key: value.get_secret_value() for key, value in values.items()}


READER, WRITER = credential("ferrydb-r", "r"), credential("ferrydb-rw", "rw")


@pytest.mark.parametrize(
    ("needed", "offered", "user"),
    [
        ("r", (READER, WRITER), "user of ferrydb-r"),
        ("r", (WRITER, READER), "user of ferrydb-r"),
        ("rw", (READER, WRITER), "user of ferrydb-rw"),
        ("r", (WRITER,), "user of ferrydb-rw"),
    ],
)
def test_the_least_that_suffices_is_used(needed, offered, user):
    assert chosen(needed, *offered) == {"user": user}


def test_a_reader_never_writes():
    with pytest.raises(SecretNotFound) as caught:
        choose("rw", [READER], owner="depot 'ferrydb'", location=Location("depots.yaml", 4, 5))
    assert str(caught.value).splitlines() == [
        "depots.yaml:4:5: depot 'ferrydb' needs an rw secret for a write; found: ferrydb-r (r)",
        "  hint: add a secret with acl: rw and refer to it; an r secret never serves a write",
    ]


def test_no_secret_at_all_is_said_as_such():
    with pytest.raises(SecretNotFound, match="needs an r secret for a read; found: no secret at all"):
        choose("r", [], owner="depot 'ferrydb'")


def test_credentials_of_one_level_are_united_and_the_first_one_wins():
    first, second = credential("a-r", "r", user="ann"), credential("b-r", "r", user="bob", password="p")
    assert chosen("r", first, second) == {"user": "ann", "password": "p"}


@pytest.mark.parametrize(
    ("name", "acl"), [("ferrydb-r", "r"), ("ferrydb-rw", "rw"), ("FERRYDB_RW", "rw"), ("ferrydb", None), ("r", "r")]
)
def test_names_speak_of_a_level_by_their_last_word(name, acl):
    assert acl_of_name(name) == acl

"""Handing secrets to a program, in each of the three ways."""

from __future__ import annotations

import stat

import pytest

from dataos_dagster.errors import Location, SecretNotFound
from dataos_dagster.redaction import redact
from dataos_dagster.secrets.consumption import FOLDER_VARIABLE, handed_over
from dataos_dagster.secrets.manifest import SecretReference
from dataos_dagster.secrets.store import secret_store

VARIABLES = {
    "DATAOS_SECRET__GIT__GITSYNC_USERNAME": "ann",
    "DATAOS_SECRET__GIT__GITSYNC_PASSWORD": "tulip=1637",
}


@pytest.fixture
def store(settings):
    return secret_store(None, settings, VARIABLES)


def references(*items):
    return [SecretReference.model_validate(item) for item in items]


def test_variables_carry_the_names_of_the_keys(store):
    with handed_over(store, references("git")) as given:
        assert {key: value.get_secret_value() for key, value in given.environment.items()} == {
            "GITSYNC_USERNAME": "ann",
            "GITSYNC_PASSWORD": "tulip=1637",
        }
        assert given.files == ()
        assert "tulip" not in repr(given)


def test_a_reference_chooses_keys_and_spells_them(store):
    with handed_over(store, references({"name": "git", "key": "gitsync_username"})) as given:
        assert list(given.environment) == ["gitsync_username"]


def test_a_properties_file_holds_all_pairs(store):
    with handed_over(store, references({"name": "git", "consumptionType": "propFile"})) as given:
        [file] = given.files
        assert file.read_text() == "GITSYNC_USERNAME=ann\nGITSYNC_PASSWORD=tulip=1637\n"
        assert given.environment[FOLDER_VARIABLE].get_secret_value() == str(file.parent)


def test_files_are_named_after_secret_and_key_and_closed_to_others(store):
    with handed_over(store, references({"name": "git", "consumptionType": "file"})) as given:
        assert [file.name for file in given.files] == ["git_GITSYNC_USERNAME", "git_GITSYNC_PASSWORD"]
        assert given.files[1].read_text() == "tulip=1637"
        assert {stat.S_IMODE(file.stat().st_mode) for file in given.files} == {0o600}
        assert stat.S_IMODE(given.files[0].parent.stat().st_mode) == 0o700


def test_files_are_gone_afterwards_even_when_the_program_fails(store):
    kept = []

    def fail():
        with handed_over(store, references({"name": "git", "consumptionType": "file"})) as given:
            kept.extend(given.files)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert kept
    assert not any(file.parent.exists() for file in kept)


def test_a_secret_that_is_nowhere_is_located_where_it_is_referred_to(store):
    place = Location("job.yaml", 12, 9)
    with (
        pytest.raises(SecretNotFound, match=r"job\.yaml:12:9: secret 'gti' is not known"),
        handed_over(store, references("gti"), locations={"gti": place}),
    ):
        pytest.fail("nothing is handed over")


def test_what_is_called_a_password_is_masked_and_ordinary_words_are_not(store):
    variables = {
        "DB_PASSWORD": "wisteria",
        "API_TOKEN": "q7-zz",
        "PASSWORD_POLICY": "strict",
        "USE_TOKEN": "true",
        "MAX_TOKENS": "500",
        "TOKEN_TABLE": "dataos://lakehouse:shop/orders",
    }
    with handed_over(store, [], variables=variables):
        said = redact("500 rows of dataos://lakehouse:shop/orders, strict is true: wisteria, q7-zz")
    assert said == "500 rows of dataos://lakehouse:shop/orders, strict is true: ***, ***"

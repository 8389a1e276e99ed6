"""What an engine is started with for a job that hands over variables."""

from __future__ import annotations

import re

import pytest
from pydantic import SecretStr

from dataos_dagster.engines.configuration import SessionConfiguration
from dataos_dagster.errors import DepotError
from dataos_dagster.flare.leasing import with_environment
from dataos_dagster.secrets.consumption import HandedOver

LOCAL, CLUSTER = "local[*]", "spark://10.0.0.1:7077"


def given(**variables: str) -> HandedOver:
    return HandedOver({name: SecretStr(value) for name, value in variables.items()})


def environment(configuration: SessionConfiguration) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in configuration.environment}


def test_nothing_that_is_handed_over_changes_nothing():
    configuration = SessionConfiguration("sail")
    assert with_environment(configuration, given(), master=LOCAL) is configuration


def test_an_object_store_is_opened_with_the_identity_of_its_depot_and_no_part_of_another():
    depot = (("AWS_ACCESS_KEY_ID", SecretStr("depot")), ("AWS_SECRET_ACCESS_KEY", SecretStr("depots secret")))
    handed = given(AWS_ACCESS_KEY_ID="job", AWS_SESSION_TOKEN="job", REGION="north")
    made = with_environment(SessionConfiguration("sail", environment=depot), handed, master=LOCAL)
    assert environment(made) == {
        "AWS_ACCESS_KEY_ID": "depot",
        "AWS_SECRET_ACCESS_KEY": "depots secret",
        "REGION": "north",
    }


def test_an_identity_of_the_jobs_own_counts_where_no_depot_has_one():
    made = with_environment(SessionConfiguration("sail"), given(AWS_ACCESS_KEY_ID="job"), master=LOCAL)
    assert environment(made) == {"AWS_ACCESS_KEY_ID": "job"}


def test_configurations_with_the_same_variables_are_one_whatever_their_order():
    one = with_environment(SessionConfiguration("sail"), given(A="1", B="2"), master=LOCAL)
    other = with_environment(SessionConfiguration("sail"), given(B="2", A="1"), master=LOCAL)
    assert one == other
    assert one.server.serves(other.server)
    assert not one.server.serves(with_environment(SessionConfiguration("sail"), given(A="1"), master=LOCAL).server)


def test_executors_of_a_cluster_are_told_the_variables_and_logs_do_not_show_them():
    made = with_environment(SessionConfiguration("spark"), given(TOKEN="t"), master=CLUSTER)
    assert {name: value.get_secret_value() for name, value in made.secret_conf} == {"spark.executorEnv.TOKEN": "t"}
    assert "executorEnv" in dict(made.conf)["spark.redaction.regex"]
    assert "'t'" not in repr(made)


@pytest.mark.parametrize("own", [(), (("spark.redaction.regex", "(?i)mine"),)])
def test_variables_of_executors_are_hidden_whatever_else_a_job_hides(own):
    made = with_environment(SessionConfiguration("spark", conf=own), given(REGION="n"), master=CLUSTER)
    hidden = dict(made.conf)["spark.redaction.regex"]
    assert re.search(hidden.replace("(?i)", ""), "spark.executorEnv.REGION")
    assert ("mine" if own else "password") in hidden
    assert r"spark\.executorEnv" in hidden.partition("(?i)")[0]


def test_an_existing_cluster_is_handed_nothing():
    with pytest.raises(DepotError, match="existing cluster are not started here, and get no REGION, TOKEN"):
        with_environment(SessionConfiguration("connect"), given(REGION="n", TOKEN="t"), master=LOCAL)


def test_a_local_master_has_no_executors_to_tell():
    made = with_environment(SessionConfiguration("spark"), given(TOKEN="t"), master=LOCAL)
    assert (made.secret_conf, made.conf) == ((), ())
    assert environment(made) == {"TOKEN": "t"}

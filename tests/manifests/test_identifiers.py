"""Identifiers of resources are read in both orders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.manifests.identifiers import Identifier
from dataos_dagster.manifests.kinds import KINDS

DAILY = Identifier("workflow", "v1", "wf-tickets-daily", "public")
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True).filter(lambda name: name not in KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "workflow:v1:wf-tickets-daily:public",
        "wf-tickets-daily:v1:workflow:public",
        "wf-tickets-daily | v1 | workflow | public | active",
        " wf-tickets-daily|v1|workflow|public ",
        "Workflow:v1:wf-tickets-daily:public",
        "workflow | v1 | wf-tickets-daily | public",
    ],
)
def test_every_spelling_identifies_the_same(text):
    assert Identifier.parse(text) == DAILY


def test_instance_level_resources_have_no_workspace():
    assert Identifier.parse("bundle:v1beta:tickets-bundle") == Identifier("bundle", "v1beta", "tickets-bundle")
    assert Identifier.parse("tickets-bundle | v1beta | bundle |  | active").workspace is None


def test_a_name_that_is_the_word_of_a_type_is_read_in_the_documented_order():
    assert Identifier.parse("depot:v1:secret") == Identifier("depot", "v1", "secret")
    assert Identifier.parse("depot | v1 | secret") == Identifier("secret", "v1", "depot")


@given(st.sampled_from(list(KINDS)), NAMES, st.none() | NAMES)
def test_an_identifier_is_read_back_from_its_text(kind, name, workspace):
    identifier = Identifier(kind, "v1", name, workspace)

    assert Identifier.parse(str(identifier)) == identifier


@pytest.mark.parametrize(
    ("text", "problem"), [("workflow:v1", "expected TYPE:VERSION:NAME"), ("a:v1:b", "is a type"), ("::", "expected")]
)
def test_other_texts_are_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        Identifier.parse(text)


def test_resources_identify_themselves_so(project_of):
    [volume] = project_of("name: v\nversion: v1beta\ntype: volume\nworkspace: docks\nvolume: {size: 1Gi}").resources

    assert Identifier.parse(volume.identifier) == Identifier("volume", "v1beta", "v", "docks")

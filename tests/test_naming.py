"""Names, tags and owners: always accepted by Dagster, never two for one."""

from __future__ import annotations

import re

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.naming import group_name, owner_of, slug, tag_key, tags_of

levels = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("public", "wf-orders", "load-orders"), "public__wf_orders__load_orders"),
        (("a-b",), "a_b"),
        (("shop1",), "shop1"),
    ],
)
def test_regular_names_stay_readable(parts, name):
    assert slug(*parts) == name


@given(levels)
def test_every_name_is_one_that_dagster_accepts(parts):
    assert re.fullmatch("[A-Za-z0-9_]+", slug(*parts))


@given(levels, levels)
def test_different_names_stay_different(one, other):
    assert (slug(*one) == slug(*other)) == (one == other)


@pytest.mark.parametrize("pair", [("a_b", "a-b"), ("a.b", "a-b"), ("A-b", "a-b"), ("a--b", "a-b")])
def test_spellings_that_look_alike_do_not_fall_together(pair):
    assert slug(pair[0]) != slug(pair[1])


def test_a_group_is_the_workflow_with_its_workspace_where_it_is_not_the_default_one():
    assert group_name("public", "wf-orders", "public") == "wf_orders"
    assert group_name("sales", "wf-orders", "public") == "sales/wf_orders"


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("Tier.Gold", "Tier.Gold"),
        ("sales", "sales"),
        ("dataos:type:resource", "dataos/type.resource"),
        ("company:unit", "dataos/company.unit"),
    ],
)
def test_a_tag_that_fits_is_kept(tag, key):
    assert tag_key(tag) == key


@pytest.mark.parametrize("tag", ["two words", "x" * 70, "größe", "a/b/c", "dataos:", "§"])
def test_a_tag_that_does_not_fit_is_made_to_fit_and_stays_apart(tag):
    key = tag_key(tag)
    assert key != tag_key(f"{tag}!")
    dg.AssetSpec("x", tags={key: ""})


@given(st.lists(st.text(min_size=1, max_size=80), max_size=4))
def test_dagster_accepts_every_tag(tags):
    dg.AssetSpec("x", tags=tags_of(tags))


@pytest.mark.parametrize(
    ("user", "owner"),
    [
        ("iamgroot", "team:iamgroot"),
        ("mira", "mira@example.com"),
        ("data", "team:data platform"),
        ("someone@example.com", "someone@example.com"),
        ("team:sales", "team:sales"),
    ],
)
def test_an_owner_is_mapped_by_the_settings_or_becomes_a_team(user, owner):
    known = {"mira": "mira@example.com", "data": "team:data platform"}
    assert owner_of(user, known) == owner
    dg.AssetSpec("x", owners=[owner])

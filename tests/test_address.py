"""Addresses: every spelling parses to one value, and everything else is refused at the character at fault."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataos_dagster.address import SCHEME, Address
from dataos_dagster.errors import AddressError

SEGMENT = st.text(
    st.characters(codec="utf-8", exclude_characters=":/?", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")),
    min_size=1,
).filter(lambda text: text not in {".", ".."})
DEPOT = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)
ADDRESSES = st.builds(
    Address,
    depot=DEPOT.map(str.lower).filter(lambda name: name != "icebase"),
    collection=SEGMENT.filter(lambda text: text.lower() != "none"),
    path=st.lists(SEGMENT, max_size=4).map(tuple),
)


@given(ADDRESSES)
def test_an_address_is_read_back_from_its_own_text(address: Address):
    assert Address.parse(str(address)) == address


@given(ADDRESSES, st.sampled_from(["r", "rw"]))
def test_an_access_level_changes_nothing_but_itself(address: Address, acl: str):
    parsed = Address.parse(f"{address}?acl={acl}")

    assert parsed == address
    assert parsed.acl == acl


@given(st.text() | st.text().map(lambda text: SCHEME + text))
@example("dataos:////tickets")
@example("dataos://")
@example("dataos://a:")
@example("dataos://a:b//c")
@example("dataos://a:b:c/d")
@example("dataos://a:b/c?acl=x")
@example("dataos://a:b/c?acl")
@example("dataset:a::c")
@example(".")
@example('"a')
def test_every_other_text_is_refused_with_a_position_inside_it(text: str):
    error = refusal(text)
    if error is not None:
        assert 0 <= error.offset <= len(text)
        assert error.hint
        assert repr(text.rstrip()) in error.message


def refusal(text: str) -> AddressError | None:
    try:
        Address.parse(text)
    except AddressError as error:
        return error
    return None


@pytest.mark.parametrize(
    "spelling",
    [
        "dataos://lakehouse:retail/orders",
        "dataos://lakehouse:retail/orders?acl=rw",
        "dataos://LakeHouse:retail/orders",
        "dataos://icebase:retail/orders",
        "dataos://lakehouse:retail/orders/",
        "dataset:lakehouse:retail:orders",
        "dataset:icebase:retail:orders",
        "dataos:system:ds:dataset:lakehouse:retail:orders",
        "dataos:system:minerva:table:lakehouse:retail:orders",
        "lakehouse.retail.orders",
        '"lakehouse"."retail".orders',
        '"icebase"."retail"."orders"',
    ],
)
def test_all_spellings_of_a_dataset_are_one_address(spelling: str):
    assert Address.parse(spelling) == Address("lakehouse", "retail", ("orders",))


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("dataos:////tickets", 9),
        ("dataos://retail/city", 15),
        ("dataos://retail:", 16),
        ("dataos://retail:city//x", 21),
        ("dataos://retail:a:b/c", 17),
        ("dataos://retail:a/b?acl=rx", 24),
        ("dataos://retail:a/b?acl", 20),
        ("dataos://9retail:a/b", 9),
        ("dataos:/retail:a/b", 8),
        ("dataos://shop:none/../../etc/passwd", 19),
        ("dataos://shop:../etc", 14),
        ("dataos://shop:a/b\x00c", 17),
        ('lakehouse."retail.orders', 10),
        ("lakehouse.retail orders", 16),
        ("lakehouse..orders", 10),
        ("s3://bucket/a", 0),
        ("orders", 0),
    ],
)
def test_the_offset_is_that_of_the_first_character_that_does_not_fit(text: str, offset: int):
    with pytest.raises(AddressError) as caught:
        Address.parse(text)

    assert caught.value.offset == offset
    assert f"at character {offset + 1}" in caught.value.message


def test_a_missing_collection_is_hinted_at():
    with pytest.raises(AddressError, match="write dataos://retail:none/city"):
        Address.parse("dataos://retail/city")


def test_none_is_no_collection_in_any_letter_case():
    assert Address.parse("dataos://shop:none/2024/orders.csv") == Address("shop", None, ("2024", "orders.csv"))
    assert Address.parse("dataos://shop:NONE/a").collection is None


def test_the_rest_of_an_address_keeps_its_letter_case():
    assert Address.parse("dataos://snowflake02:TPCH_SF10/REGION").key == ("snowflake02", "TPCH_SF10", "REGION")


def test_a_trailing_slash_names_a_folder_and_does_not_count_for_equality():
    folder = Address.parse("dataos://shop:2024/orders/")

    assert folder.is_folder
    assert folder == Address.parse("dataos://shop:2024/orders")
    assert str(folder) == "dataos://shop:2024/orders/"


def test_the_child_of_a_collection_is_a_dataset_in_it():
    collection = Address.parse("dataos://lakehouse:retail?acl=rw")

    assert collection.child("orders") == Address.parse("dataos://lakehouse:retail/orders")
    assert collection.child("orders").acl == "rw"


def test_keys_split_at_slashes():
    assert Address.parse("dataos://shop:none/a/b").key == ("shop", "none", "a", "b")
    assert Address.parse("dataos://shop").key == ("shop",)
    assert Address.parse("dataos://shop:retail").key == ("shop", "retail")


def test_blanks_at_the_end_do_not_count():
    assert Address.parse("dataos://shop:a/b ") == Address("shop", "a", ("b",))


def test_other_parameters_are_kept_in_order():
    assert Address.parse("dataos://shop:a/b?acl=r&batch_size=10").params == (("acl", "r"), ("batch_size", "10"))

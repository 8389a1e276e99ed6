"""What a column seems to be."""

from __future__ import annotations

import re

import pytest

from dataos_dagster.flare.profile.attributes import VALUES, attribute_of

EXAMPLES = {
    "email": ("ann.b+c@mail.example.org", "ann@example"),
    "url": ("https://example.com/a?b=1", "example.com"),
    "ip_address": ("10.0.0.255", "10.0.0"),
    "iban": ("DE89370400440532013000", "DE89"),
    "ssn": ("123-45-6789", "123456789"),
    "card_number": ("4111 1111 1111 1111", "4111"),
    "phone": ("+351 912 345 678", "912"),
}


@pytest.mark.parametrize(("attribute", "pattern"), VALUES.items())
def test_values_look_like_an_attribute_or_not(attribute, pattern):
    good, bad = EXAMPLES[attribute]
    assert re.search(pattern, good)
    assert not re.search(pattern, bad)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("customer_email", "email"),
        ("birthDate", "date_of_birth"),
        ("Gender", "gender"),
        ("country_code", "country"),
        ("statement", None),
        ("zipcode", None),
        ("id", None),
    ],
)
def test_a_name_tells_by_whole_words(name, attribute):
    assert attribute_of(name, 10, {}) == (attribute, "name" if attribute else None)


@pytest.mark.parametrize(
    ("attribute", "names"),
    {
        "email": ("mail", "Contact E-Mail"),
        "phone": ("mobile", "phone_number", "homePhone"),
        "ssn": ("SSN", "social_security_number"),
        "iban": ("payee_iban",),
        "card_number": ("credit_card", "cardNo"),
        "ip_address": ("ip", "client_ip_address"),
        "url": ("website",),
        "name": ("first_name", "lastName", "surname"),
        "gender": ("sex",),
        "country": ("Country",),
        "state_code": ("state_code",),
        "date_of_birth": ("dob", "birthday"),
    }.items(),
)
def test_every_attribute_is_known_by_the_names_of_columns(attribute, names):
    assert [attribute_of(name, 0, {})[0] for name in names] == [attribute] * len(names)


def test_values_win_over_the_name_and_a_few_do_not_count():
    assert attribute_of("email", 10, {"url": 9}) == ("url", "values")
    assert attribute_of("note", 10, {"url": 8}) == (None, None)
    assert attribute_of("note", 0, {"url": 0}) == (None, None)

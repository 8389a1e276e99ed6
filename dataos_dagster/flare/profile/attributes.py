"""What the values of a column seem to be, told by its name or by how they look: suggestions, never certainties."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Attribute to a regular expression that its values match, in the syntax that Java and Rust share.
VALUES: Mapping[str, str] = {
    "email": r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[.][A-Za-z]{2,}$",
    "url": r"^(https?|ftp)://[^ ]+$",
    "ip_address": r"^([0-9]{1,3}[.]){3}[0-9]{1,3}$",
    "iban": r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$",
    "ssn": r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$",
    "card_number": r"^[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}$",
    "phone": r"^[+][0-9][0-9 ()-]{6,18}$",
}
# Attribute to the words that a column's name holds, whole.
_NAMES: Mapping[str, frozenset[str]] = {
    "email": frozenset({"email", "mail", "e_mail"}),
    "phone": frozenset({"phone", "mobile", "telephone", "phone_number"}),
    "ssn": frozenset({"ssn", "social_security_number"}),
    "iban": frozenset({"iban"}),
    "card_number": frozenset({"card_number", "credit_card", "card_no"}),
    "ip_address": frozenset({"ip", "ip_address"}),
    "url": frozenset({"url", "website"}),
    "name": frozenset({"first_name", "last_name", "full_name", "surname", "given_name"}),
    "gender": frozenset({"gender", "sex"}),
    "country": frozenset({"country", "country_code"}),
    "state_code": frozenset({"state", "state_code"}),
    "date_of_birth": frozenset({"dob", "birth_date", "birthdate", "date_of_birth", "birthday"}),
}
# So large a share of the values must look like it.
_ENOUGH = 0.9
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OUTSIDE = re.compile(r"[^a-z0-9]+")


def attribute_of(name: str, values: int, matches: Mapping[str, int]) -> tuple[str | None, str | None]:
    """Return what a column seems to be and what tells it, `values` or `name`; None twice when nothing does.

    Args:
        name: Of the column.
        values: How many values it has that are not missing.
        matches: How many of them look like each attribute of `VALUES`.
    """
    for attribute in VALUES:
        if values and matches.get(attribute, 0) >= _ENOUGH * values:
            return attribute, "values"
    words = "_".join(part for part in _OUTSIDE.split(_HUMP.sub("_", name).lower()) if part)
    for attribute, known in _NAMES.items():
        if any(re.search(rf"(^|_){word}(_|$)", words) for word in known):
            return attribute, "name"
    return None, None

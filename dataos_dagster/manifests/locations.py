"""Fields of manifests that hold a dataset's address, or a path where one is allowed."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from dataos_dagster.address import SCHEME, Address
from dataos_dagster.errors import AddressError

# Type of the validation error that carries `offset`, the character at fault, and `hint`.
ADDRESS_ERROR = "address"


# One address is parsed many times while a project is loaded. There is room for more than a large project has, because a
# walk through them in order would never find one again.
@lru_cache(maxsize=65_536)
def parse_address(text: str) -> Address:
    """Return the address that a text spells; see `Address.parse`."""
    return Address.parse(text)


def is_address(text: str) -> bool:
    """Return whether a text is meant as an address, well formed or not."""
    return text[: len(SCHEME) - len("//")].lower() == SCHEME.removesuffix("//")


def _check_address(text: str) -> str:
    try:
        parse_address(text)
    except AddressError as error:
        raise PydanticCustomError(
            ADDRESS_ERROR, "{problem}", {"problem": error.message, "offset": error.offset, "hint": error.hint or ""}
        ) from None
    return text


def _check_location(text: str) -> str:
    return _check_address(text) if is_address(text) or _looks_like_name(text) else text


def _looks_like_name(text: str) -> bool:
    # `sales/orders` and `orders` are no addresses and, without a dot or slash in front, no paths that anybody means.
    return not text.startswith(("/", ".", "~")) and "://" not in text


# The address of a file or folder, or a path in any spelling: `schemas/orders.avsc`.
FileText = Annotated[str, AfterValidator(lambda text: _check_address(text) if is_address(text) else text)]
# An address, or the path of a folder or file: `/data/orders`, `./orders.csv`, `s3a://bucket/orders`.
LocationText = Annotated[str, AfterValidator(str.strip), AfterValidator(_check_location)]

"""A secret once it is read: where it was found, what it grants, and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.secrets.properties import parse_properties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.secrets.manifest import Acl, SecretType

_IGNORED = str.maketrans("", "", "-_.")


class SecretValues(Mapping[str, SecretStr]):
    """The keys and values of a secret.

    A key is found as it is written, and else without regard to case, `-`, `_` and `.`: a variable's name cannot hold
    `accessKey` or `access.key`, and `ACCESS_KEY` means that.
    """

    def __init__(self, values: Mapping[str, SecretStr]) -> None:
        self._values = dict(values)
        self._folded = {_fold(key): key for key in reversed(self._values)}

    def __getitem__(self, key: str) -> SecretStr:
        """Return a value.

        Raises:
            KeyError: There is no such key.
        """
        if key in self._values:
            return self._values[key]
        return self._values[self._folded[_fold(key)]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"SecretValues({', '.join(self._values)})"


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as a back end holds it.

    Attributes:
        acl: What it grants; None when the back end does not say.
        type: How it is handed over; None when the back end does not say.
        place: Where it was found, for messages.
    """

    name: str
    values: Mapping[str, SecretStr]
    place: str
    acl: Acl | None = None
    type: SecretType | None = None
    workspace: str | None = None


def unpacked(secret: StoredSecret, kind: SecretType | None) -> SecretValues:
    """Return the pairs of a secret; a properties text under the secret's own name is split into its pairs.

    That is how `key-value-properties` are kept at rest: one key, named like the secret, that holds all pairs.

    Args:
        secret: What was found.
        kind: How it is handed over; None when nobody says. The text is then kept beside its pairs, because it may be
            a value that only looks like pairs, such as a token that ends with `=`.
    """
    values: dict[str, SecretStr] = {}
    for key, value in secret.values.items():
        pairs: dict[str, str] = {}
        if kind in {None, "key-value-properties"} and _fold(key) == _fold(secret.name):
            pairs = parse_properties(value.get_secret_value())
        if not pairs or kind is None:
            values[key] = value
        values |= {name: SecretStr(text) for name, text in pairs.items()}
    return SecretValues(values)


def _fold(key: str) -> str:
    return key.casefold().translate(_IGNORED)

"""Identifiers of resources, in both orders that people write.

`TYPE:VERSION:NAME[:WORKSPACE]` is what manifests and reports hold; `NAME:VERSION:TYPE[:WORKSPACE]` and
`NAME | VERSION | TYPE | WORKSPACE | …` are copied from the table of `get`, whose further columns do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dataos_dagster.manifests.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

FORM = "TYPE:VERSION:NAME[:WORKSPACE]"
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Identifier:
    """Which resource is meant."""

    kind: str
    version: str
    name: str
    workspace: str | None = None

    def __str__(self) -> str:
        return ":".join((self.kind, self.version, self.name, *((self.workspace,) if self.workspace else ())))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a text identifies, in either order.

        Which order it is shows in where the type stands. Where a name is a type's word too, the documented order wins.

        Raises:
            ValueError: The text has too few parts, or none of them is a type where one is expected.
        """
        separator = "|" if "|" in text else ":"
        parts = [part.strip() for part in text.split(separator)]
        if len(parts) < _SHORTEST or not all(parts[:_SHORTEST]):
            raise ValueError(f"{text!r} is no identifier of a resource: expected {FORM}")
        workspace = parts[_SHORTEST] if len(parts) > _SHORTEST and parts[_SHORTEST] else None
        first, version, third = parts[:_SHORTEST]
        if first.lower() in KINDS and separator == ":":
            return cls(first.lower(), version, third, workspace)
        if third.lower() in KINDS:
            return cls(third.lower(), version, first, workspace)
        if first.lower() in KINDS:
            return cls(first.lower(), version, third, workspace)
        raise ValueError(f"{text!r} is no identifier of a resource: {_neither(parts)}")


def _neither(parts: Sequence[str]) -> str:
    return f"neither {parts[0]!r} nor {parts[2]!r} is a type; types are {', '.join(KINDS)}"

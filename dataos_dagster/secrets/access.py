"""Access levels: which secret of several may be used for a read, and which for a write.

A credential that grants `rw` may serve a read; one that grants `r` never serves a write. Where several grant what is
needed, those that grant exactly that are used, so that a read runs with as little right as the project offers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.errors import Location, SecretNotFound
from dataos_dagster.redaction import register
from dataos_dagster.secrets.values import SecretValues

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import SecretStr

    from dataos_dagster.secrets.manifest import Acl

USES: Mapping[Acl, str] = {"r": "read", "rw": "write"}


@dataclass(frozen=True, slots=True)
class Credential:
    """Values that open something, and the level to which they do."""

    name: str
    acl: Acl
    values: Mapping[str, SecretStr]

    def serves(self, needed: Acl) -> bool:
        """Return whether these values may be used for a read (`r`) or a write (`rw`)."""
        return needed == "r" or self.acl == "rw"


def choose(needed: Acl, offered: Iterable[Credential], *, owner: str, location: Location | None = None) -> SecretValues:
    """Return the values to use; where several credentials of one level are offered, the first that has a key wins.

    They are masked in logs and errors from then on.

    Args:
        needed: `r` for a read, `rw` for a write.
        offered: What the owner refers to, in the manifest's order.
        owner: Who needs them, such as `depot 'ferrydb'`.
        location: Where the owner refers to them.

    Raises:
        SecretNotFound: None of them may be used; says what was found.
    """
    credentials = tuple(offered)
    serving = [credential for credential in credentials if credential.serves(needed)]
    exact = [credential for credential in serving if credential.acl == needed]
    chosen = exact or serving
    if not chosen:
        found = ", ".join(f"{credential.name} ({credential.acl})" for credential in credentials) or "no secret at all"
        raise SecretNotFound(
            f"{owner} needs an {needed} secret for a {USES[needed]}; found: {found}",
            hint=f"add a secret with acl: {needed} and refer to it; an r secret never serves a write",
            location=location,
        )
    merged: dict[str, SecretStr] = {}
    for credential in chosen:
        merged = {**credential.values, **merged}
    register(*merged.values())
    return SecretValues(merged)


def acl_of_name(name: str) -> Acl | None:
    """Return the level that a name speaks of by convention (`ferrydb-r`, `FERRYDB_RW`), or None."""
    last = name.replace("_", "-").rpartition("-")[2].lower()
    return {"r": "r", "rw": "rw"}.get(last)  # type: ignore[return-value]  # only those two come out of it

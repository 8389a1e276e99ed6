"""What a connector is called with: the same for reading and writing, whatever the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.requests import ReadRequest, WriteRequest

    Describe = Callable[[ReadRequest | WriteRequest], "ConnectorCall"]


@dataclass(frozen=True, slots=True)
class ConnectorCall:
    """One dataset, as a connector of Spark names it.

    Attributes:
        format: What stands behind `format`.
        options: Options that say which dataset, and how it is reached; they win over a manifest's.
        secrets: Options whose values are secret.
        defaults: Options that a manifest may set otherwise.
        ignored: Beginnings of a manifest's options, in lower case, that mean something to another store only.
        notes: What is done otherwise than asked, each a sentence.
    """

    format: str
    options: Mapping[str, str]
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def merged(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return all options, those of a manifest included. Holds secrets: never log it."""
        ours = dict(self.options) | {key: value.get_secret_value() for key, value in self.secrets.items()}
        taken = {key.lower() for key in ours}
        kept = {
            key: value
            for key, value in given.items()
            if key.lower() not in taken and not key.lower().startswith(self.ignored or ("\n",))
        }
        named = {key.lower() for key in kept}
        return {key: value for key, value in self.defaults.items() if key.lower() not in named} | kept | ours


@dataclass(frozen=True, slots=True)
class Connector:
    """A store behind a connector.

    Attributes:
        connectors: Short names of the connectors that Spark needs, as `dataos engines install spark --with` takes them.
        endpoints: `host:port` of its servers, any of which may answer; empty where there is nothing to ask.
        describe: Says how a dataset is called.
        conf: Spark properties, nothing secret.
        secret_conf: Spark properties whose values are secret.
        obstacle: Why no connector serves it with this version of Spark; empty when one does.
    """

    connectors: tuple[str, ...]
    endpoints: tuple[str, ...]
    describe: Describe
    conf: Mapping[str, str] = field(default_factory=dict)
    secret_conf: Mapping[str, SecretStr] = field(default_factory=dict)
    obstacle: str = ""


def dataset_of(request: ReadRequest | WriteRequest, what: str, *, collection: bool = True) -> tuple[str, str]:
    """Return collection and dataset of an address.

    Args:
        request: What is read or written.
        what: What the two are called in the store, for messages: `schema and table`.
        collection: The store has such a level; else the collection may be missing.

    Raises:
        DepotError: The address lacks one.
    """
    address = request.target.dataset
    if address is None or not address.path or (collection and not address.collection):
        raise DepotError(
            f"{request.target} names no {what}",
            hint="write dataos://depot:collection/dataset",
            location=request.location,
        )
    return address.collection or "", ".".join(address.path)

"""A Spark Connect endpoint: where a session goes to, and the child behind it when it is ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

    from dataos_dagster.engines.process import Child


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a Spark Connect server listens.

    Attributes:
        url: `sc://host:port`, without token.
        token: Bearer token, where the server knows one.
        child: The server's process when this process started it.
    """

    url: str
    token: SecretStr | None = None
    child: Child | None = None

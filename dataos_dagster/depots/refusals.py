"""What only a table of Iceberg can do, and other stores refuse before anything is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.requests import ReadRequest
from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from dataos_dagster.depots.requests import WriteRequest


def refuse_iceberg_only(
    request: ReadRequest | WriteRequest, store: str, hint: str = "use saveMode append or overwrite"
) -> None:
    """Refuse a write with merge clauses, a branch or a partition spec, which a store would leave out in silence.

    Args:
        request: What is asked of the store; reading asks for none of these.
        store: What it is, for the message: `a topic`.
        hint: What to do instead.

    Raises:
        DepotUnsupported: The request asks for one of them.
    """
    if isinstance(request, ReadRequest):
        return
    if request.merge is not None or request.branch is not None or request.partition_spec:
        raise DepotUnsupported(
            f"{request.target}: {store} knows neither merge clauses nor branches nor partition specs",
            hint=hint,
            location=request.location,
        )

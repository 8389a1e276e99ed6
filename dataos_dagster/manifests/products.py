"""Data products: manifests of another shape, made into that of all others.

A product says `entity: product`, keeps its body in `v1beta.data` (older ones: `v1alpha.data`), and may have keys beside
it that no other kind has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataos_dagster.manifests.draft import Draft

KIND = "data"

_BODY = re.compile(r"v\d+((alpha|beta)\d*)?")
# Beside the body in published manifests, though they speak of the product.
_KEYS = ("purpose", "collaborators", "refs", "useCases", "meta")


def rewrite_product(draft: Draft) -> None:
    """Make a data product's body the section `data`; leave every other manifest as it is."""
    data = draft.data
    body = next((key for key in data if _BODY.fullmatch(key)), None)
    if data.get("type") not in (None, KIND) and body is None:
        return
    if body is None and "entity" not in data:
        return
    if body is not None and KIND in draft.mapping((body,)):
        draft.move((body, KIND), (KIND,))
        data.pop(body)
    if data.get("type") is None:
        data["type"] = KIND
    if data.get("version") is None and body is not None:
        data["version"] = body
    data.pop("entity", None)
    if isinstance(data.get(KIND), dict):
        for key in _KEYS:
            if key in data:
                draft.move((key,), (KIND, key))

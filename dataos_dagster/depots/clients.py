"""Clients of stores for Python, each of which an extra of this package installs."""

from __future__ import annotations

import importlib
from typing import Any

from dataos_dagster.errors import DepotUnsupported


def client(module: str, store: str, extra: str, *, needed_by: str = "") -> Any:
    """Return a client's module.

    Args:
        module: Its name.
        store: What it talks to, for messages.
        extra: The extra that installs it.
        needed_by: What cannot be done without it; empty when that is everything.

    Raises:
        DepotUnsupported: It is not installed; says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        what = (
            f"{needed_by} needs the {store} client for Python, which" if needed_by else f"the {store} client for Python"
        )
        rest = "; jobs do not need it" if needed_by else ""
        raise DepotUnsupported(
            f"{what} is not installed", hint=f"pip install 'dataos-dagster[{extra}]'{rest}"
        ) from None

"""What a command says and how it ends when it cannot do its work."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from dataos_dagster.errors import AddressError, DataOSError, SelectionError, SettingsError, StepError

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED, USAGE = 1, 2
# 128 and the number of SIGINT, as shells have it.
INTERRUPTED = 130

# What was typed, or what the project is set to, is wrong: nothing was tried.
_USAGE = (AddressError, SelectionError, SettingsError)


@contextmanager
def reported(*, as_json: bool = False) -> Iterator[None]:
    """Turn an error of this package into a message and an exit status: 2 for wrong usage or settings, 1 for all others.

    Args:
        as_json: Say it as one JSON object on standard output, as the command's results are.
    """
    try:
        yield
    except DataOSError as error:
        if as_json:
            typer.echo(json.dumps({"error": error_json(error)}, ensure_ascii=False))
        else:
            typer.echo(f"error: {error}", err=True)
        raise typer.Exit(USAGE if isinstance(error, _USAGE) else FAILED) from None


def error_json(error: DataOSError) -> dict[str, Any]:
    """Return an error as JSON values."""
    return {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "location": str(error.location) if error.location else None,
        "step": error.step if isinstance(error, StepError) else None,
        "sql": error.sql if isinstance(error, StepError) else None,
        "retryable": error.retryable,
    }

"""The log of a service: put aside when it has grown, by whoever writes it, so that no line is lost."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# A log is put aside when it has grown to this, and so many of them are kept.
LOG_BYTES = 5_000_000
LOGS_KEPT = 5
_OUTPUT, _ERRORS = 1, 2
# Of a log, so much is looked at for its last lines.
_TAIL_BYTES = 1_000_000


def put_aside(log: Path, largest: int = LOG_BYTES, kept: int = LOGS_KEPT) -> bool:
    """Put a log aside when it has grown large: `log` becomes `log.1`, `log.1` becomes `log.2`, and so on.

    Whoever has it open goes on writing to what is `log.1` then.

    Returns:
        Whether it was put aside.
    """
    if not log.exists() or log.stat().st_size <= largest:
        return False
    for number in range(kept - 1, 0, -1):
        with suppress(FileNotFoundError):
            log.with_name(f"{log.name}.{number}").replace(log.with_name(f"{log.name}.{number + 1}"))
    log.replace(log.with_name(f"{log.name}.1"))
    return True


def turn_own_log(log: Path, largest: int = LOG_BYTES, kept: int = LOGS_KEPT) -> None:
    """Put aside the log that this process prints to when it has grown large, and print to a new one from then on.

    Args:
        log: Where the process prints to; nothing is done when it prints to somewhere else, such as a terminal.
        largest: Bytes that it may have.
        kept: So many of those put aside are kept.
    """
    if not _prints_to(log) or not put_aside(log, largest, kept):
        return
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for output in (_OUTPUT, _ERRORS):
        os.dup2(descriptor, output)
    os.close(descriptor)


def last_lines(log: Path, count: int) -> list[str]:
    """Return the last lines of a log, with those of the one before where it has fewer."""
    found: list[str] = []
    for file in (log, log.with_name(f"{log.name}.1")):
        if len(found) < count and file.exists():
            with file.open("rb") as opened:
                opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
                found = [*opened.read().decode("utf-8", "replace").splitlines(), *found]
    return found[-count:]


def _prints_to(log: Path) -> bool:
    with suppress(OSError):
        return all(os.path.samestat(log.stat(), os.fstat(output)) for output in (_OUTPUT, _ERRORS))
    return False

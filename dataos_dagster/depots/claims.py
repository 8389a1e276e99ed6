"""What a writer leaves where other projects see it, in stores that no lock file of one machine protects.

A catalog or a bucket is shared by projects on several hosts. Whoever is in the middle of a write there leaves a claim,
and what was begun under it is undone by its own project only: that one holds the lock file of the dataset and so knows
that the writer is dead. Everybody else waits, or says who is in the way.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Self, TypeVar

from dataos_dagster.depots.locks import Holder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dataos_dagster.settings import Settings

_IDENTITY_FILE = "project-id"
_PAUSE_SECONDS = 0.2
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Claim:
    """One write that is under way.

    Attributes:
        id: Of this write; no other one has it.
        project: Of the project's state folder, on its host.
        holder: The process that writes.
    """

    id: str
    project: str
    holder: Holder

    @classmethod
    def of(cls, holder: Holder, settings: Settings) -> Self:
        """Return a new claim of a process of a project."""
        return cls(uuid.uuid4().hex, project_token(settings.make_state_folder()), holder)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the claim that a text holds; None when it is none."""
        try:
            found = json.loads(text)
            return cls(found["id"], found["project"], Holder(**found["holder"]))
        except (ValueError, TypeError, KeyError):
            return None

    def as_text(self) -> str:
        """Return the claim as JSON."""
        return json.dumps(asdict(self))

    def is_of(self, settings: Settings) -> bool:
        """Return whether it was made by this project; its writer is dead when the caller holds the dataset's lock."""
        return self.project == project_token(settings.make_state_folder())

    def __str__(self) -> str:
        return f"{self.holder} of another project"


def in_the_way(look: Callable[[], _Found | None], seconds: float) -> _Found | None:
    """Wait while somebody is in the way, at most so long; return who still is.

    Args:
        look: Returns who is in the way, or None, after which the way is clear.
        seconds: How long to wait.
    """
    deadline = time.monotonic() + seconds
    while (other := look()) is not None and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311 - only so that two writers do not meet again
    return other


@cache
def project_token(state_folder: Path) -> str:
    """Return what tells a project's state folder from every other one, also from its own copies.

    The name of the host and the path are part of it: a folder that was copied is another project.
    """
    file = state_folder / _IDENTITY_FILE
    if not file.exists():
        made = state_folder / f"{_IDENTITY_FILE}.{uuid.uuid4().hex}"
        made.write_text(uuid.uuid4().hex, "ascii")
        with suppress(FileExistsError):
            os.link(made, file)  # whoever comes first decides, and nobody reads half a file
        made.unlink()
    kept = f"{file.read_text('ascii')}|{socket.gethostname()}|{state_folder.resolve()}"
    return hashlib.sha256(kept.encode()).hexdigest()[:32]

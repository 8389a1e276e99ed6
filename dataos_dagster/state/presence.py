"""Whether a project has a state database, told without loading what opens one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataos_dagster.settings import Settings

FILE_NAME = "state.db"


def has_state(settings: Settings) -> bool:
    """Return whether a state database is named by the settings, or is there in the project's folder."""
    return settings.state.url is not None or (settings.state_folder / FILE_NAME).exists()

"""Chromium, which shows the Dagster UI to the browser tests."""

from __future__ import annotations

import shutil

from .cache import installing
from .packages import apt_install

# Without these, a container has no sandbox to give, and the browser asks the network for things of its own.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str | None:
    """Return the path of a Chromium or Chrome."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def missing() -> str | None:
    """Return why there is no browser here, or None."""
    return None if executable() else "chromium is not installed"


def install() -> None:
    """Install the operating system's package."""
    with installing("chromium", "installing the package chromium"):
        apt_install("chromium")

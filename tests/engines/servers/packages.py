"""Install packages of the operating system (Debian and its relatives)."""

from __future__ import annotations

import os
import shutil
import subprocess


class InstallationFailed(Exception):
    """An engine could not be installed; the message says what was tried and what to do."""


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run a command of an installation and show its output only when it fails."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **(env or {})}, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise InstallationFailed(f"{command[0]} is not installed, and {' '.join(command)} needs it") from None
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise InstallationFailed(f"{' '.join(command)} ended with {done.returncode}:\n{tail}")


def apt_install(*names: str) -> None:
    """Install Debian packages, with their index brought up to date first."""
    if not shutil.which("apt-get"):
        raise InstallationFailed(f"apt-get is not here: install {', '.join(names)} by the means of this system")
    if os.geteuid() != 0:
        raise InstallationFailed(f"not root: run  sudo apt-get install {' '.join(names)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", env=quiet)
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names, env=quiet)

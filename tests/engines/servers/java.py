"""Java 17 or newer, which Spark and the Iceberg REST catalog run on."""

from __future__ import annotations

import re
import shutil
import subprocess

from .cache import installing
from .packages import apt_install

OLDEST = 17


def missing() -> str | None:
    """Return why there is no usable Java here, or None."""
    if not shutil.which("java"):
        return "java is not installed"
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', shown)
    if found is None:
        return f"java does not run: {shown.strip()[:200]}"
    return None if int(found.group(1)) >= OLDEST else f"java is version {found.group(1)}, {OLDEST} or newer is needed"


def install() -> None:
    """Install the operating system's Java, and Maven, by which jars are downloaded."""
    with installing("java", "installing the packages default-jdk-headless and maven"):
        apt_install("default-jdk-headless", "maven")

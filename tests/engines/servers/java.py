"""A Java that Spark and the Iceberg REST catalog run on."""

from __future__ import annotations

import re
import shutil
import subprocess

from dataos_dagster.engines.availability import MAXIMUM_JAVA, MINIMUM_JAVA

from .cache import installing
from .packages import apt_install


def missing() -> str | None:
    """Return why there is no usable Java here, or None."""
    if not shutil.which("java"):
        return "java is not installed"
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', shown)
    if found is None:
        return f"java does not run: {shown.strip()[:200]}"
    if MINIMUM_JAVA <= int(found.group(1)) <= MAXIMUM_JAVA:
        return None
    return f"java is version {found.group(1)}, one from {MINIMUM_JAVA} to {MAXIMUM_JAVA} is needed"


def install() -> None:
    """Install the operating system's Java, and Maven, by which jars are downloaded."""
    with installing("java", "installing the packages default-jdk-headless and maven"):
        apt_install("default-jdk-headless", "maven")

"""Driver and executor sizes of a Flare job."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from dataos_dagster.manifests.model import ManifestModel, ScalarText

_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b?)", re.IGNORECASE)


def spark_memory(text: str) -> str:
    """Return a memory size as Spark writes it: `1600Mi` is `1600m`, a bare `2048` is mebibytes."""
    found = _MEMORY.fullmatch(text.strip())
    return f"{found[1]}{found[2].lower() or 'm'}" if found else text


def _memory(text: str) -> str:
    if _MEMORY.fullmatch(text.strip()) is None:
        raise ValueError("a size of memory is a number and a unit: `1024m`, `2g`, `1600Mi`")
    return text


Memory = Annotated[ScalarText, AfterValidator(_memory)]


class DriverSize(ManifestModel):
    """What the driver may use."""

    core_limit: Annotated[ScalarText | None, Field(description="Upper bound of CPU; 1200m is 1.2 cores.")] = None
    cores: Annotated[int | None, Field(ge=1, description="Cores.")] = None
    memory: Annotated[Memory | None, Field(description="Memory; m and a bare number are mebibytes.")] = None

    @property
    def spark_memory(self) -> str | None:
        """Return the memory as Spark writes it, such as `1024m`."""
        return spark_memory(self.memory) if self.memory else None


class ExecutorSize(DriverSize):
    """What one executor may use, and how many there are."""

    instances: Annotated[int | None, Field(ge=0, description="Number of executors.")] = None

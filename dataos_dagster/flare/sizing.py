"""Sizing and Spark properties of a job: what the session is configured with.

Precedence, low to high: the project's settings, what connectors need, `driver` and `executor`, `sparkConf`. One setting
wins over all of them: `spark.driver.memory`, which says what heap the machine of the project gives to a Spark.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.engines.configuration import DEFAULT_HEAP, HEAP, memory_bytes
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.settings import EngineName

EXTENSIONS = "spark.sql.extensions"
_EXECUTOR_HEAP = "spark.executor.memory"
_SECRET_KEY = re.compile(r"secret|password|token|access[._-]?key|account\.key|credential|sas", re.IGNORECASE)
# Properties that change what SQL means. Sail ignores them, and its proofs were made with their defaults.
_MEANING = re.compile(
    r"spark\.sql\.(legacy\.|ansi\.|caseSensitive|mapKeyDedupPolicy|storeAssignmentPolicy|defaultUrlStreamHandlerFactory"
    r"|parquet\.(int96|datetime)RebaseMode|sources\.partitionOverwriteMode|columnNameOfCorruptRecord)"
)
_DEFAULTS = {
    "spark.sql.ansi.enabled": "false",
    "spark.sql.ansi.doublequotedidentifiers": "false",
    "spark.sql.casesensitive": "false",
    "spark.sql.mapkeydeduppolicy": "exception",
    "spark.sql.storeassignmentpolicy": "ansi",
    "spark.sql.sources.partitionoverwritemode": "static",
    "spark.sql.legacy.timeparserpolicy": "corrected",
}
_TIME_ZONE = "spark.sql.session.timeZone"


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a manifest asks of its engine.

    Attributes:
        conf: Spark properties, those of the executors included.
        secret_conf: Those whose key says that the value is secret.
        driver_memory: Such as `1024m`.
        heap: Of a Spark that is started here. On a cluster that is the driver; a local one is executor too, and has
            the larger of both sizes.
        driver_cores: Cores of a local engine.
        vetoes: Why an engine would not give the manifest's meaning.
    """

    conf: Mapping[str, str]
    secret_conf: Mapping[str, SecretStr]
    driver_memory: str | None
    heap: str | None
    driver_cores: int | None
    vetoes: Mapping[EngineName, tuple[str, ...]]


def sizing_of(spec: FlareSpec, *, master: str, project_conf: Mapping[str, str]) -> Sizing:
    """Return what a job's `driver`, `executor` and `sparkConf` come to.

    Args:
        spec: The job's `stackSpec`.
        master: Spark master of the settings. Executors exist on a cluster only: locally their cores and memory count
            towards those of the one process.
        project_conf: `engines.spark.conf` of the settings, which every session is given before the job's own.

    Raises:
        EngineUnavailable: A Spark property gives a size that is none.
    """
    local = master.startswith("local")
    conf = {} if local else executor_properties(spec)
    secret: dict[str, SecretStr] = {}
    for key, value in spec.spark_conf.items():
        if _SECRET_KEY.search(key):
            secret[key] = SecretStr(value)
        else:
            conf[key] = value
    driver_memory = conf.pop(HEAP, None) or spec.driver.spark_memory
    executor_memory = conf.get(_EXECUTOR_HEAP) or spec.executor.spark_memory
    return Sizing(
        conf=conf,
        secret_conf=secret,
        driver_memory=driver_memory,
        heap=_heap(driver_memory, executor_memory if local else None),
        driver_cores=_local_cores(spec) if local else spec.driver.cores,
        vetoes=_vetoes(spec.spark_conf, project_conf),
    )


def executor_properties(spec: FlareSpec) -> dict[str, str]:
    """Return the Spark properties of `driver` and `executor`, as they are on a cluster."""
    driver, executor = spec.driver, spec.executor
    properties = {
        "spark.kubernetes.driver.limit.cores": driver.core_limit,
        "spark.executor.cores": executor.cores,
        _EXECUTOR_HEAP: executor.spark_memory,
        "spark.executor.instances": executor.instances,
        "spark.kubernetes.executor.limit.cores": executor.core_limit,
    }
    return {key: str(value) for key, value in properties.items() if value is not None}


def merged_conf(*layers: Mapping[str, str]) -> dict[str, str]:
    """Return the properties of all layers, later ones winning; `spark.sql.extensions` is a list and adds up.

    Manifests set it to Iceberg's extension only, and another depot of the job may need its own.
    """
    conf: dict[str, str] = {}
    extensions: dict[str, None] = {}
    for layer in layers:
        conf.update(layer)
        extensions.update(dict.fromkeys(name.strip() for name in layer.get(EXTENSIONS, "").split(",") if name.strip()))
    if extensions:
        conf[EXTENSIONS] = ",".join(extensions)
    return conf


def _heap(driver: str | None, executor: str | None) -> str | None:
    """Return the heap of a Spark that is the driver, and the executor too where one is given; None for the usual one.

    An executor that is larger than the machine gets three quarters of its memory: what does not fit goes to the disk.
    """
    least = _bytes(HEAP, driver) if driver else DEFAULT_HEAP
    wanted = _bytes(_EXECUTOR_HEAP, executor) if executor else 0
    given = min(wanted, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4)
    return f"{given >> 20}m" if given > least else driver


def _bytes(name: str, text: str) -> int:
    try:
        return memory_bytes(text)
    except ValueError:
        raise EngineUnavailable(
            f"sparkConf sets {name} to {text!r}, which is no size of memory",
            hint="write a number and a unit: 1024m or 2g",
        ) from None


def _local_cores(spec: FlareSpec) -> int | None:
    asked = max(spec.driver.cores or 0, (spec.executor.cores or 0) * (spec.executor.instances or 1))
    return min(asked, os.cpu_count() or asked) or None


def _vetoes(spark_conf: Mapping[str, str], project_conf: Mapping[str, str]) -> dict[EngineName, tuple[str, ...]]:
    overridden = {key.lower() for key in spark_conf}
    inherited = {key: value for key, value in project_conf.items() if key.lower() not in overridden}
    reasons = [
        f"{source} {reason}"
        for source, conf in (("sparkConf", spark_conf), ("engines.spark.conf of dataos.yaml", inherited))
        for key, value in conf.items()
        if (reason := _reason_against_sail(key, value)) is not None
    ]
    return {"sail": tuple(reasons)} if reasons else {}


def _reason_against_sail(key: str, value: str) -> str | None:
    if key == _TIME_ZONE and value.upper() not in {"UTC", "+00:00"}:
        return f"sets the time zone {value}, and Sail writes timestamps in UTC only"
    if _MEANING.match(key) and _DEFAULTS.get(key.lower()) != value.strip().lower():
        return f"sets {key}, which Sail does not follow"
    if key.startswith("spark.hadoop.fs."):
        return f"configures storage ({key}), which Sail does not read"
    return None

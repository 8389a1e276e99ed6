"""How a session gets to know a lakehouse: Spark properties, connectors, variables of the engine's process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dataos_dagster.depots import object_stores
from dataos_dagster.depots.access import DEFAULT_REGION
from dataos_dagster.depots.requests import Requirements
from dataos_dagster.depots.requirements import SAIL_CATALOGS, join
from dataos_dagster.depots.s3 import HADOOP_AWS, s3a_conf, s3a_secrets, sail_s3
from dataos_dagster.engines.coordinates import coordinate_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.access import S3Access
    from dataos_dagster.depots.lakehouse.tables import Warehouse


ICEBERG = coordinate_of("iceberg")
ICEBERG_AWS = coordinate_of("iceberg-aws")
EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
# Properties of a catalog that reach Sail as variables of its process.
_S3_PROPERTIES = frozenset({"s3.access-key-id", "s3.secret-access-key", "s3.endpoint", "s3.region", "client.region"})
# Properties that say what Sail does anyway.
_SAME_ON_SAIL = {
    "type": "rest",
    "s3.path-style-access": "true",
    "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    "cache-enabled": "false",
}
_MEMORY_CATALOG = {"type": "memory", "name": "sail", "initial_database": ["default"]}


def requirements(warehouse: Warehouse) -> Requirements:
    """Return what sessions need to read and write the tables of a lakehouse."""
    from pydantic import SecretStr

    prefix = f"spark.sql.catalog.{warehouse.catalog}"
    conf = {"spark.sql.extensions": EXTENSIONS, prefix: "org.apache.iceberg.spark.SparkCatalog"}
    # A cached table would not show what another process, or another catalog of this session, has committed.
    conf[f"{prefix}.cache-enabled"] = "false"
    secret: dict[str, SecretStr] = {}
    packages = [ICEBERG]
    environment = sail_s3(warehouse.s3) if warehouse.s3 else {}
    if warehouse.rest is not None:
        rest = warehouse.rest
        conf |= {f"{prefix}.type": "rest", f"{prefix}.uri": rest.uri}
        conf |= {f"{prefix}.{key}": value for key, value in rest.plain_properties.items()}
        secret |= {f"{prefix}.{key}": value for key, value in rest.secret_properties.items()}
        if rest.warehouse:
            conf[f"{prefix}.warehouse"] = rest.warehouse
        if rest.token:
            secret[f"{prefix}.token"] = rest.token
        environment[SAIL_CATALOGS] = SecretStr(_sail_catalogs(warehouse))
        environment["SAIL_CATALOG__DEFAULT_CATALOG"] = SecretStr("sail")
        if warehouse.s3:
            packages.append(ICEBERG_AWS)
            conf |= {f"{prefix}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO"}
            conf |= {f"{prefix}.{key}": value for key, value in _s3_file_io(warehouse.s3).items()}
            secret |= {f"{prefix}.{key}": value for key, value in _s3_keys(warehouse.s3).items()}
        elif warehouse.root is not None and not warehouse.root.is_local:
            # Opened by Hadoop's connector, with the depot's own credentials, as its files are.
            conf |= {f"{prefix}.io-impl": "org.apache.iceberg.hadoop.HadoopFileIO"}
    elif warehouse.root is not None:
        conf |= {f"{prefix}.type": "hadoop", f"{prefix}.warehouse": warehouse.root.url("spark")}
        if warehouse.s3:
            packages += [HADOOP_AWS]
            secret |= s3a_secrets(warehouse.s3, warehouse.root.bucket)
            conf |= s3a_conf(warehouse.s3, warehouse.root.bucket)
    lake = Requirements(
        conf={"spark": conf, "connect": conf},
        secret_conf={"spark": secret, "connect": secret},
        packages=tuple(packages),
        environment={"sail": environment},
        vetoes={"sail": reasons} if (reasons := _sail_obstacles(warehouse)) else {},
    )
    store = warehouse.root if warehouse.root is not None and warehouse.s3 is None else None
    return join([lake, object_stores.requirements(store)]) if store is not None and not store.is_local else lake


def every_session() -> Requirements:
    """Return what every Spark is started with, whatever a job reads: so that one JVM serves all jobs of a run."""
    return Requirements(conf={"spark": {"spark.sql.extensions": EXTENSIONS}}, packages=(ICEBERG,))


def pyiceberg_properties(warehouse: Warehouse) -> dict[str, str]:
    """Return the properties with which pyiceberg opens a REST catalog. Holds secrets: never log it."""
    assert warehouse.rest is not None  # noqa: S101 - only asked of a warehouse behind a catalog
    rest = warehouse.rest
    found = {"type": "rest", "uri": rest.uri, **rest.plain_properties}
    found |= {key: value.get_secret_value() for key, value in rest.secret_properties.items()}
    if rest.warehouse:
        found["warehouse"] = rest.warehouse
    if rest.token:
        found["token"] = rest.token.get_secret_value()
    if warehouse.s3:
        found |= {key.replace("client.region", "s3.region"): value for key, value in _s3_file_io(warehouse.s3).items()}
        found |= {key: value.get_secret_value() for key, value in _s3_keys(warehouse.s3).items()}
    return found


def _sail_obstacles(warehouse: Warehouse) -> tuple[str, ...]:
    """Return what Sail's REST catalog is not given: it takes address, warehouse and token, and S3 from variables."""
    if warehouse.rest is None:
        return ()
    followed = _S3_PROPERTIES if warehouse.s3 else frozenset[str]()
    return tuple(
        f"Sail's REST catalog does not follow catalogs.{warehouse.name}.properties: {key}"
        for key in sorted(warehouse.rest.properties)
        if key not in followed and warehouse.rest.properties[key] != _SAME_ON_SAIL.get(key)
    )


def _sail_catalogs(warehouse: Warehouse) -> str:
    assert warehouse.rest is not None  # noqa: S101 - only asked of a warehouse behind a catalog
    entry = {"type": "iceberg-rest", "name": warehouse.catalog, "uri": warehouse.rest.uri}
    if warehouse.rest.warehouse:
        entry["warehouse"] = warehouse.rest.warehouse
    if warehouse.rest.token:
        entry["bearer_access_token"] = warehouse.rest.token.get_secret_value()
    # Written as inline tables of TOML, in which Sail's variables are read.
    return f"[{_toml(_MEMORY_CATALOG)}, {_toml(entry)}]"


def _toml(table: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}={json.dumps(value)}" for key, value in table.items()) + "}"


def _s3_file_io(s3: S3Access) -> dict[str, str]:
    found = {"client.region": s3.region or DEFAULT_REGION}
    if s3.endpoint:
        found |= {"s3.endpoint": s3.endpoint, "s3.path-style-access": str(s3.path_style).lower()}
    return found


def _s3_keys(s3: S3Access) -> dict[str, SecretStr]:
    if not s3.access_key or not s3.secret_key:
        return {}
    found = {"s3.access-key-id": s3.access_key, "s3.secret-access-key": s3.secret_key}
    return found | ({"s3.session-token": s3.session_token} if s3.session_token else {})

"""What sessions need to open object stores, and which connector that takes.

Sources of the properties: Hadoop, Azure Blob File System and WASB; Cloud Storage connector for Hadoop, Configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots import s3
from dataos_dagster.depots.access import AzureAccess, GcsAccess
from dataos_dagster.depots.requests import Requirements
from dataos_dagster.depots.spark_connectors import require_connectors
from dataos_dagster.engines.coordinates import coordinate_of

if TYPE_CHECKING:
    from dataos_dagster.depots.storage import Place

_GCS = {
    "spark.hadoop.fs.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
}
_AUTH = "spark.hadoop.fs.gs.auth.service.account"


def requirements(place: Place) -> Requirements:
    """Return what sessions need to open the files of a place; nothing for a local one."""
    access = place.access
    if isinstance(access, AzureAccess):
        secret = {f"spark.hadoop.fs.azure.account.key.{access.host}": access.key} if access.key else {}
        return Requirements(
            secret_conf={"spark": secret, "connect": secret},
            packages=(coordinate_of("abfss"),),
            vetoes={"sail": (f"Sail is not proven on Azure ({place})",)},
        )
    if isinstance(access, GcsAccess):
        return _gcs(place, access)
    return s3.requirements(place)


def require_connector(place: Place) -> None:
    """Check that Spark has the connector of a place's store.

    Raises:
        DepotUnsupported: It is not installed; says how to get it.
    """
    if isinstance(place.access, AzureAccess):
        require_connectors(place.access.scheme)
    elif isinstance(place.access, GcsAccess):
        require_connectors("gcs")


def _gcs(place: Place, access: GcsAccess) -> Requirements:
    account = access.account
    project = access.project or account.get("project_id")
    conf = _GCS | ({"spark.hadoop.fs.gs.project.id": project} if project else {})
    secret = {}
    if account and access.key is not None:
        from pydantic import SecretStr

        conf |= {f"{_AUTH}.enable": "true", f"{_AUTH}.email": account["client_email"]}
        secret = {
            f"{_AUTH}.private.key.id": SecretStr(account["private_key_id"]),
            f"{_AUTH}.private.key": SecretStr(account["private_key"]),
        }
    return Requirements(
        conf={"spark": conf, "connect": conf},
        secret_conf={"spark": secret, "connect": secret},
        packages=(coordinate_of("gcs"),),
        vetoes={"sail": (f"Sail is not proven on Google Cloud Storage ({place})",)},
    )

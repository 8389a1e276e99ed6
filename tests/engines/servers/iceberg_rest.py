"""Iceberg REST catalog: the reference server of the Iceberg project, its tables in the S3 server's bucket `warehouse`."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import cache_folder, installing
from .java import missing as java_missing
from .packages import InstallationFailed, run
from .process import HOST, ServerProcess, free_port, port_is_open

if TYPE_CHECKING:
    from .s3 import S3Server

VERSION = "1.10.0"
ARTIFACT = f"org.apache.iceberg:iceberg-open-api:{VERSION}"
BUCKET = "warehouse"
_MAIN_CLASS = "org.apache.iceberg.rest.RESTCatalogServer"


def missing() -> str | None:
    """Return why there is no REST catalog here, or None."""
    if reason := java_missing():
        return reason
    return None if _jar() else f"the jar of the Iceberg REST catalog {VERSION} is not downloaded"


def install() -> None:
    """Download the server with Maven."""
    if not shutil.which("mvn"):
        raise InstallationFailed("mvn is not installed: the Iceberg REST catalog comes as a Maven artifact")
    with installing("iceberg_rest", f"downloading the Iceberg REST catalog {VERSION} with Maven (212 MB)"):
        if _jar() is None:
            goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy"
            partial = _folder().with_suffix(".partial")
            run("mvn", "-q", "-B", goal, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={partial}")
            # Moved into place when it is whole: an interrupted copy is not taken for the server.
            partial.rename(_folder())


@dataclass(frozen=True)
class IcebergRESTServer:
    """A running catalog; whoever reads its tables needs the S3 account as well."""

    process: ServerProcess
    folder: Path
    port: int
    s3: S3Server

    @property
    def uri(self) -> str:
        """Return the address of the catalog."""
        return f"http://{HOST}:{self.port}"

    @property
    def warehouse(self) -> str:
        """Return where tables are, without a slash at the end."""
        return f"s3://{BUCKET}"

    @property
    def pyiceberg_properties(self) -> dict[str, str]:
        """Return the properties with which `pyiceberg.catalog.load_catalog` reaches tables and files."""
        return {
            "type": "rest",
            "uri": self.uri,
            "warehouse": self.warehouse,
            "s3.endpoint": self.s3.endpoint,
            "s3.access-key-id": self.s3.access_key,
            "s3.secret-access-key": self.s3.secret_key,
            "s3.region": self.s3.region,
        }

    def stop(self) -> None:
        """Stop the catalog and forget its tables; their files stay in the bucket."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_iceberg_rest(s3: S3Server) -> IcebergRESTServer:
    """Start an empty catalog over a bucket of the S3 server."""
    folder = Path(tempfile.mkdtemp(prefix="dataos-iceberg-rest-"))
    s3.create_bucket(BUCKET)
    port = free_port()
    # The server turns CATALOG_A_B__C into the catalog property a.b-c.
    environment = {
        "CATALOG_REST_PORT": str(port),
        "CATALOG_WAREHOUSE": f"s3://{BUCKET}",
        "CATALOG_URI": f"jdbc:sqlite:{folder}/catalog.db",
        "CATALOG_CATALOG__IMPL": "org.apache.iceberg.jdbc.JdbcCatalog",
        "CATALOG_IO__IMPL": "org.apache.iceberg.aws.s3.S3FileIO",
        "CATALOG_S3_ENDPOINT": s3.endpoint,
        "CATALOG_S3_PATH__STYLE__ACCESS": "true",
        "CATALOG_S3_ACCESS__KEY__ID": s3.access_key,
        "CATALOG_S3_SECRET__ACCESS__KEY": s3.secret_key,
        "AWS_REGION": s3.region,
    }
    command = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", str(_jar()), _MAIN_CLASS]
    process = ServerProcess.start("iceberg-rest", command, log=folder / "server.log", env=environment)
    process.wait_until(lambda: port_is_open(port))
    return IcebergRESTServer(process, folder, port, s3)


def _folder() -> Path:
    return cache_folder() / f"iceberg-rest-{VERSION}"


def _jar() -> Path | None:
    return next(iter(sorted(_folder().glob("iceberg-open-api-*.jar"))), None)

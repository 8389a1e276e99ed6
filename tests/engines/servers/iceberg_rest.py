"""Iceberg REST catalog: the reference server of the Iceberg project, its tables in the S3 server's bucket `warehouse`."""

from __future__ import annotations

import secrets
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
# The jar's own main class listens on every interface; the source beside this module does not, and wants a token.
_SOURCE = Path(__file__).with_name("IcebergRestServer.java")


def missing() -> str | None:
    """Return why there is no REST catalog here, or None."""
    if reason := java_missing():
        return reason
    if not shutil.which("javac"):
        return "javac is not installed: the server is started from its source"
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
    """A running catalog, which answers those who have its token; its tables need the S3 account as well."""

    process: ServerProcess
    folder: Path
    port: int
    token: str
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
    def setting(self) -> str:
        """Return what `dataos.yaml` says of it below `catalogs.NAME`, as a YAML flow mapping."""
        return f"{{uri: '{self.uri}', warehouse: '{self.warehouse}', token: '{self.token}'}}"

    @property
    def pyiceberg_properties(self) -> dict[str, str]:
        """Return the properties with which `pyiceberg.catalog.load_catalog` reaches tables and files."""
        return {
            "type": "rest",
            "uri": self.uri,
            "warehouse": self.warehouse,
            "token": self.token,
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
    port, token = free_port(), secrets.token_urlsafe()
    properties = {
        "warehouse": f"s3://{BUCKET}",
        "uri": f"jdbc:sqlite:{folder}/catalog.db",
        "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "jdbc.schema-version": "V1",
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "s3.endpoint": s3.endpoint,
        "s3.path-style-access": "true",
        "s3.access-key-id": s3.access_key,
        "s3.secret-access-key": s3.secret_key,
    }
    environment = {
        "TOKEN": token,
        "PROPERTIES": "\n".join(f"{name}={value}" for name, value in properties.items()),
        "AWS_REGION": s3.region,
    }
    command = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", str(_jar()), str(_SOURCE), str(port)]
    process = ServerProcess.start("iceberg-rest", command, log=folder / "server.log", env=environment)
    process.wait_until(lambda: port_is_open(port))
    return IcebergRESTServer(process, folder, port, token, s3)


def _folder() -> Path:
    return cache_folder() / f"iceberg-rest-{VERSION}"


def _jar() -> Path | None:
    return next(iter(sorted(_folder().glob("iceberg-open-api-*.jar"))), None)

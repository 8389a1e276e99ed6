"""S3: the Versity gateway, a real S3 interface over a local folder."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cache import cache_folder, installing
from .packages import InstallationFailed, run
from .process import HOST, ServerProcess, free_port, port_is_open

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"


def missing() -> str | None:
    """Return why there is no S3 server here, or None."""
    return None if _binary().exists() else f"versitygw {VERSION} is not built"


def install() -> None:
    """Build the gateway from its Go module."""
    if not shutil.which("go"):
        raise InstallationFailed("go is not installed: versitygw is built from its Go module (Go 1.25 or newer)")
    with installing("s3", f"building versitygw {VERSION} with go (45 s on two cores)"):
        if missing():
            run("go", "install", MODULE, env={"GOBIN": str(_binary().parent), "CGO_ENABLED": "0"})


@dataclass(frozen=True)
class S3Server:
    """A running server with one account."""

    process: ServerProcess
    folder: Path
    port: int
    access_key: str = "test-access-key"
    secret_key: str = "test-secret-key"
    region: str = "us-east-1"

    @property
    def endpoint(self) -> str:
        """Return the address of the server, with its scheme."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which AWS clients, Sail among them, find the server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT": self.endpoint,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        }

    def client(self) -> Any:
        """Return a boto3 client of the account."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        )

    def create_bucket(self, name: str) -> str:
        """Create a bucket, if it is not there yet, and return its name."""
        client = self.client()
        if name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write one object."""
        self.client().put_object(Bucket=bucket, Key=key, Body=body)

    def keys(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """Yield the keys below a prefix, in order."""
        for page in self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))

    def stop(self) -> None:
        """Stop the server and delete what it holds."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_s3() -> S3Server:
    """Start a server without any bucket."""
    folder = Path(tempfile.mkdtemp(prefix="dataos-s3-"))
    data, iam = folder / "data", folder / "metadata"
    data.mkdir()
    iam.mkdir()
    port = free_port()
    command = [
        str(_binary()),
        *("--access", S3Server.access_key, "--secret", S3Server.secret_key),
        *("--region", S3Server.region, "--port", f"{HOST}:{port}", "--quiet"),
        # A sidecar folder, because not every file system of a temporary folder has extended attributes.
        *("posix", "--sidecar", str(iam), str(data)),
    ]
    process = ServerProcess.start("versitygw", command, log=folder / "server.log")
    process.wait_until(lambda: port_is_open(port))
    return S3Server(process, folder, port)


def _binary() -> Path:
    return cache_folder() / "bin" / f"versitygw-{VERSION}" / "versitygw"

"""How each engine opens a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dataos_dagster.depots.access import DEFAULT_REGION
from dataos_dagster.depots.requests import Requirements

if TYPE_CHECKING:
    from pydantic import SecretStr

    from dataos_dagster.depots.access import S3Access
    from dataos_dagster.depots.storage import Place

# Of the same release as the Hadoop inside Spark 4.1.1.
HADOOP_AWS = "org.apache.hadoop:hadoop-aws:3.4.2"


def requirements(place: Place) -> Requirements:
    """Return what sessions need to open the files of a place; nothing for a local one."""
    if place.s3 is None:
        return Requirements()
    conf, secret = s3a_conf(place.s3, place.bucket), s3a_secrets(place.s3, place.bucket)
    return Requirements(
        conf={"spark": conf, "connect": conf},
        secret_conf={"spark": secret, "connect": secret},
        packages=(HADOOP_AWS,),
        environment={"sail": sail_s3(place.s3)},
    )


def sail_s3(s3: S3Access) -> dict[str, SecretStr]:
    """Return the variables by which a Sail process opens S3: one identity for its whole life."""
    from pydantic import SecretStr

    found: dict[str, SecretStr] = {"AWS_REGION": SecretStr(s3.region)} if s3.region else {}
    if s3.access_key and s3.secret_key:
        found.setdefault("AWS_REGION", SecretStr(DEFAULT_REGION))
        found |= {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
        found |= {"AWS_SESSION_TOKEN": s3.session_token} if s3.session_token else {}
    if s3.endpoint:
        found |= {key: SecretStr(s3.endpoint) for key in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL")}
        found["AWS_ALLOW_HTTP"] = SecretStr("true")
        found["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"] = SecretStr(str(not s3.path_style).lower())
    # Never empty, so that a bucket opened by the machine's own identity is told from no bucket at all.
    return found or {"AWS_ALLOW_HTTP": SecretStr("false")}


def s3a_conf(s3: S3Access, bucket: str) -> dict[str, str]:
    """Return the properties by which Spark's file reader opens one bucket, without its keys."""
    prefix = f"spark.hadoop.fs.s3a.bucket.{bucket}"
    conf = {
        "spark.hadoop.fs.s3a.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        f"{prefix}.endpoint.region": s3.region or DEFAULT_REGION,
    }
    if s3.endpoint:
        conf |= {
            f"{prefix}.endpoint": s3.endpoint,
            f"{prefix}.path.style.access": str(s3.path_style).lower(),
            f"{prefix}.connection.ssl.enabled": str(urlsplit(s3.endpoint).scheme == "https").lower(),
        }
    return conf


def s3a_secrets(s3: S3Access, bucket: str) -> dict[str, SecretStr]:
    """Return the keys by which Spark's file reader opens one bucket."""
    if not s3.access_key or not s3.secret_key:
        return {}
    prefix = f"spark.hadoop.fs.s3a.bucket.{bucket}"
    found = {f"{prefix}.access.key": s3.access_key, f"{prefix}.secret.key": s3.secret_key}
    return found | ({f"{prefix}.session.token": s3.session_token} if s3.session_token else {})

"""Apache Spark: a Connect server of the installed pyspark as a child process, on any master.

Its properties go through a file that only we can read, never through the command line, which every user of the machine
sees.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.engines.availability import require_java
from dataos_dagster.engines.class_archive import archive_option
from dataos_dagster.engines.configuration import HEAP
from dataos_dagster.engines.connectors import resolve
from dataos_dagster.engines.endpoint import Endpoint
from dataos_dagster.engines.process import Child
from dataos_dagster.engines.sail import child_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.engines.availability import Java
    from dataos_dagster.engines.configuration import ServerConfiguration
    from dataos_dagster.settings import SparkSettings

_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
_READY = re.compile(r"Spark Connect server started at: (\S+?):(\d+)\b")
# A JVM on a busy machine, a remote master, connectors to copy.
_START_SECONDS = 180.0
# A job may pause longer between two statements than the server's default of an hour.
_SESSION_TIMEOUT = "7d"

# A session of small jobs spends half of its CPU on compiling code that it runs once (10 jobs: 33 CPU s, of which
# HotSpot's second compiler has 10). It sets in after ten times as many calls; a long job's loops get there within
# milliseconds (TPC-H at scale 1: no slower). The parallel collector suits batches on heaps of a few gigabytes.
_LOCAL_JVM = (
    "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000"
    " -XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)
_COLLECTOR = "-XX:+UseParallelGC"
# With an archive in use, none is written.
_ARCHIVES = "-XX:ArchiveClassesAtExit"
_CHOOSES_COLLECTOR = re.compile(r"-XX:\+Use\w+GC\b")

# Its log is for those who look for the cause of a failure; INFO of everything is 10,000 lines for a small job.
_LOGGING = f"""\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{{HH:mm:ss}} %p %c{{1}}: %m%n%ex{{10}}
logger.server.name = {_SERVER}
logger.server.level = info
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
"""


def start_spark(configuration: ServerConfiguration, settings: SparkSettings, log: Path) -> Endpoint:
    """Start a Spark Connect server on a loopback port with a token of its own, and return its endpoint.

    Args:
        configuration: Static properties, connectors, credentials and size.
        settings: The project's master, connectors and properties.
        log: File that takes what it prints.

    Raises:
        EngineUnavailable: There is no Java for it, a connector cannot be had, or it did not start.
    """
    import pyspark

    java = require_java()
    jars = resolve((*settings.packages, *configuration.packages), settings.repositories)
    home, token = Path(pyspark.__file__).parent, SecretStr(secrets.token_urlsafe(32))
    environment = child_environment(dict(configuration.environment)) | {
        "SPARK_HOME": str(home),
        "JAVA_HOME": str(java.home),
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token.get_secret_value(),
        # Without these its Python workers never connect back.
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    with tempfile.TemporaryDirectory(prefix="dataos-spark-") as folder:
        logging = Path(folder, "log4j2.properties")
        logging.write_text(_LOGGING, "utf-8")
        properties = Path(folder, "spark.conf")
        properties.touch(mode=0o600)
        properties.write_text(_as_java_properties(_properties(configuration, settings, jars, logging, java)), "utf-8")
        command = [str(home / "bin" / "spark-submit"), "--class", _SERVER, "--properties-file", str(properties)]
        child = Child("Apache Spark", [*command, "spark-internal"], environment=environment, log=log)
        # The file goes as soon as the server has read it.
        found = child.wait_for(_READY, _START_SECONDS)
    # The client insists on TLS for any other spelling of this host when there is a token.
    return Endpoint(f"sc://localhost:{found.group(2)}", token, child)


def _properties(
    configuration: ServerConfiguration, settings: SparkSettings, jars: tuple[Path, ...], logging: Path, java: Java
) -> dict[str, str]:
    """Return all properties of a server; those of the settings and the session win over ours, except the endpoint's."""
    master = _master(settings.master, configuration.cores)
    given = settings.conf | dict(configuration.conf)
    given |= {key: value.get_secret_value() for key, value in configuration.secret_conf}
    properties = {
        "spark.app.name": "dataos",
        HEAP: f"{configuration.as_started.memory >> 20}m",
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir(), f"dataos-spark-warehouse-{os.getuid()}")),
        "spark.connect.session.manager.defaultSessionTimeout": _SESSION_TIMEOUT,
    }
    if master.startswith("local"):
        properties |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        properties["spark.sql.shuffle.partitions"] = str(_cores(master))
    properties |= given
    if jars:
        listed = [properties["spark.jars"]] if "spark.jars" in properties else []
        properties["spark.jars"] = ",".join([*listed, *(jar.as_uri() for jar in jars)])
    options = [f"-Dlog4j2.configurationFile={logging.as_uri()}"]
    options += _java_options(master, properties.get("spark.driver.extraJavaOptions", ""), archive_option(java))
    properties["spark.driver.extraJavaOptions"] = " ".join(options)
    return properties | {
        "spark.master": master,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": "0",
    }


def _java_options(master: str, given: str, archive: str | None = None) -> list[str]:
    """Return the JVM's options: ours for a local master, whose executor it is, then those given, which win."""
    ours = [_LOCAL_JVM] if master.startswith("local") else []
    if archive and _ARCHIVES not in given:
        ours.append(archive)
    # Two collectors are one too many for a JVM: it does not start.
    if ours and not _CHOOSES_COLLECTOR.search(given):
        ours.append(_COLLECTOR)
    return [*ours, *([given] if given else [])]


def _master(configured: str, cores: int) -> str:
    """Return the master; a local one takes the cores that a job asks for, as far as the machine has them."""
    if cores and configured.startswith("local["):
        return f"local[{min(cores, os.cpu_count() or cores)}]"
    return configured


def _cores(master: str) -> int:
    found = re.match(r"local\[(\d+)", master)
    return int(found.group(1)) if found else (os.cpu_count() or 1) if "*" in master else 1


def _as_java_properties(properties: Mapping[str, str]) -> str:
    """Return the text of a Java properties file, escaped as java.util.Properties reads it."""
    return "".join(f"{_escaped(key, ' =:#!')}={_escaped(value, '')}\n" for key, value in sorted(properties.items()))


def _escaped(text: str, special: str) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    for character in special:
        text = text.replace(character, f"\\{character}")
    return f"\\{text}" if text.startswith(" ") else text

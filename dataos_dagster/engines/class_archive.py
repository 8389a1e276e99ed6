"""An archive of Spark's classes as the JVM has them in memory, so that a local Spark starts in less time.

Reading and verifying 19,000 classes is a fifth of what a session of small jobs needs (26 CPU s instead of 20 for ten
jobs). The JVM can keep them in a file (HotSpot's class data sharing) and maps it when it starts; one that does not suit
the Java, the Spark or the class path at hand is left alone by the JVM itself.
"""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.engines.connectors import cache_folder
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from dataos_dagster.engines.availability import Java
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.settings import Settings

# Writing the archive takes some ten seconds at the end of the JVM; ten times that on a busy machine.
_WRITING_SECONDS = 120.0
# What most jobs do, so that its classes are in the archive: files, shuffles, windows, results.
# It works on rows of its own in a folder of its own; `{folder}` is that.
_WARM_UP = (
    """
    CREATE TEMPORARY VIEW made AS
    SELECT id, concat('r', id % 7) AS region, cast(id * 1.5 AS decimal(10, 2)) AS amount FROM range(1000)
    """,
    "INSERT OVERWRITE DIRECTORY '{folder}/csv' USING csv OPTIONS (header 'true') SELECT * FROM made",
    "INSERT OVERWRITE DIRECTORY '{folder}/parquet' USING parquet SELECT * FROM made",
    "CREATE TEMPORARY VIEW text USING csv OPTIONS (path '{folder}/csv', header 'true')",
    "CREATE TEMPORARY VIEW sample USING parquet OPTIONS (path '{folder}/parquet')",
    "SELECT cast(id AS int) AS id, region FROM text",
    "SELECT region, count(*) AS orders, sum(amount) AS total FROM sample GROUP BY region ORDER BY total",
    """
    SELECT a.id, upper(a.region) AS region, row_number() OVER (PARTITION BY a.region ORDER BY a.amount) AS place
    FROM sample a JOIN sample b ON a.id = b.id WHERE a.amount > 10 AND b.region IS NOT NULL
    """,
)


def archive_of(java: Java) -> Path:
    """Return where the archive for a Java and the installed Spark is, or would be."""
    import pyspark

    key = f"{java.version}\n{java.home}\n{pyspark.__version__}\n{Path(pyspark.__file__).parent}"
    return cache_folder() / "spark" / f"classes-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsa"


def archive_option(java: Java) -> str | None:
    """Return the JVM's option that makes it use the archive, or None when there is none yet."""
    archive = archive_of(java)
    return f"-XX:SharedArchiveFile={archive}" if archive.exists() else None


def write_archive(java: Java, settings: Settings) -> Path:
    """Start a Spark, let it do what jobs do, and keep its classes; takes half a minute and 200 MB.

    Args:
        java: The Java that Spark is started with.
        settings: Of the project: its Spark's own options hold.

    Raises:
        EngineUnavailable: Spark did not start, or left no archive.
    """
    from dataos_dagster.engines.session import SessionConfiguration, Sessions

    archive = archive_of(java)
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(f".{os.getpid()}")
    spark = settings.engines.spark
    options = f"{spark.conf.get('spark.driver.extraJavaOptions', '')} -XX:ArchiveClassesAtExit={unfinished}".strip()
    conf = spark.conf | {"spark.driver.extraJavaOptions": options}
    local = _with_spark(settings, conf)
    try:
        with Sessions(local) as sessions:
            session = sessions.get(SessionConfiguration("spark"))
            _warm_up(session)
            _end_in_good_order(session)
        if not unfinished.exists():
            raise EngineUnavailable("Spark left no archive of its classes", hint="it starts without, in more time")
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
    return archive


def _with_spark(settings: Settings, conf: dict[str, str]) -> Settings:
    """Return settings with these properties of Spark, on a local master."""
    spark = settings.engines.spark.model_copy(update={"conf": conf, "master": "local[2]"})
    return settings.model_copy(update={"engines": settings.engines.model_copy(update={"spark": spark})})


def _warm_up(session: EngineSession) -> None:
    with tempfile.TemporaryDirectory() as folder, session.failures():
        for statement in _WARM_UP:
            session.spark.sql(statement.format(folder=folder)).collect()


def _end_in_good_order(session: EngineSession) -> None:
    """Let the JVM end by itself: it writes the archive as it does, and would be killed before in the usual way."""
    process = session.process
    assert process is not None  # noqa: S101 - a Spark of the settings is a child
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    process.wait(_WRITING_SECONDS)

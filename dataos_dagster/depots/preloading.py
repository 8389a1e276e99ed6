"""Import what jobs import on the way, before several of them run at the same time.

Packages are imported where they are first needed, so that a command that needs none of them is quick. In threads that
goes wrong: some packages import their own modules in circles, and two threads that begin with different modules of one
wait for each other, or see a module that is half made.
"""

from __future__ import annotations

import importlib
from contextlib import suppress

# One module of each package whose modules import each other; it brings the others along.
PACKAGES = (
    "adbc_driver_postgresql.dbapi",
    "confluent_kafka.admin",
    "grpc",
    "pandas",
    "pyarrow.fs",
    "pyiceberg.catalog",
    "pyiceberg.exceptions",
    "pyiceberg.table",
    "pyiceberg.transforms",
    "pymysql",
    "pyspark.errors",
    "pyspark.sql.connect.client.retries",
    "pyspark.sql.connect.session",
    "pyspark.sql.functions",
    "pyspark.sql.pandas.types",
    "requests",
    "sqlglot.optimizer.qualify",
    "sqlglot.optimizer.scope",
)


def preload() -> None:
    """Import all packages that are installed and that reading, planning or writing imports later."""
    for name in PACKAGES:
        with suppress(ImportError):  # an extra that is not installed is needed by no job, or missed with a message
            importlib.import_module(name)

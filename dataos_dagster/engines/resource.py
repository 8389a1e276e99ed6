"""Engines in Dagster: `dagster-pyspark`'s resource on a Spark Connect endpoint.

For ops and assets of one's own beside the manifests' jobs: they get a session on the same engines, with the same
properties, and it ends with the run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg  # noqa: TC002 - Dagster reads the annotations of a resource's methods
from dagster_pyspark import LazyPySparkResource
from pydantic import Field, PrivateAttr

from dataos_dagster.engines.session import EngineSession, SessionConfiguration, Sessions
from dataos_dagster.settings import EngineName, load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkConnectResource(LazyPySparkResource):
    """`dagster-pyspark`'s lazy resource, on Sail, a local Spark or an existing cluster.

    The parent's way, `getOrCreate()`, returns the first session of the process whatever endpoint it is asked for, and a
    classic session shuts Spark Connect out of the process. So the session comes from `Sessions`; the engine starts when
    an op first asks for `spark_session`.

    Example:
        ```python
        @dg.asset
        def daily(spark: SparkConnectResource):
            return spark.spark_session.table("flights").count()
        ```
    """

    spark_config: dict[str, Any] = Field(default={}, description="Spark properties of the session.")
    engine: EngineName = Field(default="sail", description="sail, spark, or connect.")
    project: str = Field(default=".", description="Folder of the project whose settings hold.")
    packages: list[str] = Field(default=[], description="Connectors by Maven coordinate (Spark only).")

    _sessions: Sessions | None = PrivateAttr(default=None)

    @classmethod
    def _is_dagster_maintained(cls) -> bool:
        return False

    @property
    def session(self) -> EngineSession:
        """Return the session with its engine and process, starting it when it is the first time.

        Raises:
            EngineUnavailable: The engine is not installed, not configured, or did not start.
        """
        if self._sessions is None:
            self._sessions = Sessions(load_settings(Path(self.project)))
        return self._sessions.get(
            SessionConfiguration(
                self.engine,
                conf=tuple(sorted((key, str(value)) for key, value in self.spark_config.items())),
                packages=tuple(self.packages),
            )
        )

    @property
    def spark_session(self) -> SparkSession:
        """Return the Spark Connect session."""
        return self.session.spark

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """End the session and the engine behind it when the run ends."""
        del context
        if self._sessions is not None:
            self._sessions.close()
            self._sessions = None

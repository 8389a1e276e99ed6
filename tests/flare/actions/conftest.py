"""Fixtures of the tests of actions: one lakehouse that both engines write, and whose files are looked at."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import pytest

from dataos_dagster.address import Address
from dataos_dagster.depots.requests import ReadRequest, Target, WriteRequest
from tests.flare.conftest import SOMEBODY, FlareProject

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.workflows.results import ActionResult

TABLE = "dataos://lakehouse:retail/orders"
DAY = 24 * 3600


@dataclass
class Lake:
    """A table that one engine writes, and jobs with actions on another one."""

    writer: FlareProject
    jobs: FlareProject

    @property
    def folder(self) -> Path:
        """Return the folder of the table."""
        return self.jobs.folder / ".dataos" / "lakehouse" / "retail" / "orders"

    def write(
        self, sql: str, mode: Literal["append", "overwrite"] = "append", address: str = TABLE, **options: Any
    ) -> str | None:
        """Write the rows of a query to a table; return the snapshot."""
        request = WriteRequest(Target(Address.parse(address)), mode, **options)
        session = self.writer.session()
        return self.writer.context.door.write(session.spark.sql(sql), request, session, SOMEBODY).snapshot_id

    def rows(self, **options: Any) -> list[tuple[object, ...]]:
        """Return the rows of the table, or of one of its states, as both engines see them."""
        request = ReadRequest(Target(Address.parse(TABLE)), options=options)
        found = []
        for project in (self.jobs, self.writer):
            session = project.session()
            frame = project.context.door.read(request, session, SOMEBODY)
            found.append(sorted((tuple(row) for row in frame.collect()), key=repr))
        assert found[0] == found[1]
        return found[0]

    def snapshots(self) -> list[str]:
        """Return the ids of the snapshots that the table has, oldest first."""
        from dataos_dagster.depots.lakehouse.metadata import read_state
        from dataos_dagster.depots.storage import Place

        state = read_state(Place(str(self.folder)))
        assert state is not None
        return [str(found["snapshot-id"]) for found in state.raw["snapshots"]]

    def files(self) -> set[str]:
        """Return the data files in the table's folder, live or not."""
        return {str(file.relative_to(self.folder)) for file in self.folder.rglob("*.parquet")}

    def run(self, *actions: str, more: str = "") -> list[ActionResult]:
        """Run a job with these actions on the table, each one line of YAML, and return what came of them."""
        return list(self.jobs.run_job(self.job(*actions, more=more)).actions)

    def job(self, *actions: str, more: str = "") -> str:
        """Return the text of a job with these actions on the table."""
        listed = "\n".join(f"  - {action}" for action in actions)
        return f"inputs:\n  - {{name: orders, dataset: '{TABLE}', format: Iceberg}}\n{more}actions:\n{listed}\n"

    def age(self, days: float) -> None:
        """Make everything in the table's folder look as if it was last changed so many days ago."""
        moment = time.time() - days * DAY
        for file in self.folder.rglob("*"):
            if file.is_file():
                os.utime(file, (moment, moment))


@pytest.fixture(params=["sail", "spark"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, sessions: Sessions, spark_session: EngineSession) -> Lake:
    """Return a table that Sail writes, and then one that Spark writes; its actions run on Spark."""
    jobs = FlareProject(tmp_path, sessions, spark_session.engine)
    return Lake(replace(jobs, engine=request.param), jobs)


@pytest.fixture
def spark_lake(tmp_path: Path, sessions: Sessions, spark_session: EngineSession) -> Lake:
    """Return a table that Spark writes and maintains."""
    jobs = FlareProject(tmp_path, sessions, spark_session.engine)
    return Lake(jobs, jobs)


@pytest.fixture
def sail_lake(tmp_path: Path, sessions: Sessions, sail_session: EngineSession) -> Lake:
    """Return a table that Sail writes and maintains: for what needs no Spark."""
    jobs = FlareProject(tmp_path, sessions, sail_session.engine)
    return Lake(jobs, jobs)

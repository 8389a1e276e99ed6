"""Profiles of columns: what was found out about each, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from dataos_dagster.state.models import ColumnProfileRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataos_dagster.state.database import Database


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """One column of a profile.

    Attributes:
        statistics: What is known, as plain values: nulls, distinct, mean, bins and so on.
    """

    column: str
    type: str
    statistics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """The profile of a dataset by one run of a job; `profiled_at` is UTC."""

    dataset: str
    job: str
    run_id: str
    rows: int
    profiled_at: datetime
    columns: tuple[ColumnStatistics, ...]


class Profiles:
    """Keeps profiles.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, run_id: str, job: str, dataset: str, rows: int, columns: Sequence[ColumnStatistics]) -> None:
        """Store a profile; one that the same run of the job has stored before, as when it is retried, is replaced.

        Raises:
            StateError: The database cannot be written.
        """
        now = datetime.now(UTC)
        earlier = delete(ColumnProfileRow).where(ColumnProfileRow.run_id == run_id, ColumnProfileRow.job == job)
        with self._database.writing() as session:
            session.execute(earlier)
            session.add_all(
                ColumnProfileRow(
                    run_id=run_id,
                    job=job,
                    position=position,
                    dataset=dataset,
                    column=each.column,
                    type=each.type,
                    rows=rows,
                    statistics=dict(each.statistics),
                    profiled_at=now,
                )
                for position, each in enumerate(columns)
            )

    def latest(self, dataset: str) -> StoredProfile | None:
        """Return the newest profile of a dataset, or None when there is none.

        Raises:
            StateError: The database cannot be read.
        """
        of_dataset = select(ColumnProfileRow).where(ColumnProfileRow.dataset == dataset)
        with self._database.reading() as session:
            newest = session.scalars(of_dataset.order_by(ColumnProfileRow.profiled_at.desc()).limit(1)).first()
            if newest is None:
                return None
            same = of_dataset.where(ColumnProfileRow.run_id == newest.run_id, ColumnProfileRow.job == newest.job)
            found = session.scalars(same.order_by(ColumnProfileRow.position)).all()
        columns = tuple(ColumnStatistics(each.column, each.type, each.statistics) for each in found)
        return StoredProfile(dataset, newest.job, newest.run_id, newest.rows, newest.profiled_at, columns)

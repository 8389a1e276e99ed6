"""Tables of the state database. A change here needs a migration in `migrations/versions`; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, Boolean, DateTime, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always with its zone and always UTC; SQLite, which has no zones, stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone: whoever made it did not say which moment it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's moments their zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Root of all tables."""


class JobRunRow(Base):
    """One run of one job of a workflow."""

    __tablename__ = "job_runs"
    __table_args__ = (
        Index("job_runs_by_job", "job", "started_at"),
        Index("job_runs_by_start", "started_at"),
        Index("job_runs_by_dagster_run", "dagster_run_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(64), comment="Run that this job was part of.")
    dagster_run_id: Mapped[str | None] = mapped_column(String(64))
    job: Mapped[str] = mapped_column(String(512), comment="workspace/workflow/job")
    workspace: Mapped[str] = mapped_column(String(255))
    workflow: Mapped[str] = mapped_column(String(255))
    principal: Mapped[str] = mapped_column(String(255))
    engine: Mapped[str | None] = mapped_column(String(16))
    engine_reasons: Mapped[list[str]] = mapped_column(Json)
    inputs: Mapped[list[str]] = mapped_column(Json, comment="Addresses or standalone locations that were read.")
    outputs: Mapped[list[dict[str, Any]]] = mapped_column(Json, comment="What was written, in order.")
    rows: Mapped[int | None] = mapped_column(BigInteger, comment="Written by all outputs; null: no store said.")
    status: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text, comment="Message of the failure, without secrets.")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    host: Mapped[str] = mapped_column(String(255), comment="Machine of the process that runs it.")
    pid: Mapped[int] = mapped_column(Integer)
    process_started: Mapped[str] = mapped_column(String(128), comment="Tells a process from a later one of that pid.")


class RunRow(Base):
    """One run of jobs outside of Dagster."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_start", "started_at"),)

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    jobs: Mapped[list[str]] = mapped_column(Json, comment="Ids of the jobs that it was to do, in order.")
    status: Mapped[str] = mapped_column(String(16), comment="running, ended or interrupted")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    host: Mapped[str] = mapped_column(String(255), comment="Machine of the process that does it.")
    pid: Mapped[int] = mapped_column(Integer)
    process_started: Mapped[str] = mapped_column(String(128), comment="Tells a process from a later one of that pid.")


class ColumnProfileRow(Base):
    """One column in the profile of a dataset."""

    __tablename__ = "column_profiles"
    __table_args__ = (Index("column_profiles_by_dataset", "dataset", "profiled_at"),)

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    job: Mapped[str] = mapped_column(String(512), primary_key=True, comment="workspace/workflow/job")
    position: Mapped[int] = mapped_column(Integer, primary_key=True, comment="Of the column in the dataset.")
    dataset: Mapped[str] = mapped_column(String(1024))
    column: Mapped[str] = mapped_column(String(512))
    type: Mapped[str] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(BigInteger, comment="Rows that were looked at.")
    statistics: Mapped[dict[str, Any]] = mapped_column(Json)
    profiled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WatermarkRow(Base):
    """How far one key of an incremental input has read."""

    __tablename__ = "watermarks"

    job: Mapped[str] = mapped_column(String(512), primary_key=True, comment="workspace/workflow/job")
    input: Mapped[str] = mapped_column(String(255), primary_key=True)
    context: Mapped[str] = mapped_column(String(255), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    value: Mapped[str | None] = mapped_column(Text, comment="Null: the next run evaluates the key's query.")
    previous: Mapped[str | None] = mapped_column(Text, comment="Value before the last change; null: there was none.")
    origin: Mapped[str] = mapped_column(String(16), comment="run, set or rollback")
    run_id: Mapped[str | None] = mapped_column(String(64), comment="Run that stored the value.")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IntentRow(Base):
    """What the latest run of an incremental job is about to write, or has written."""

    __tablename__ = "intents"

    job: Mapped[str] = mapped_column(String(512), primary_key=True, comment="workspace/workflow/job")
    scope: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="Empty, or which override of the keys it is."
    )
    run_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16), comment="open, confirmed or abandoned")
    window: Mapped[list[dict[str, Any]]] = mapped_column(Json, comment="Values of the keys, by input.")
    advances: Mapped[list[dict[str, Any]]] = mapped_column(Json, comment="Values to store once all is written.")
    host: Mapped[str | None] = mapped_column(String(255), comment="Machine of the process at work; null: nobody is.")
    pid: Mapped[int | None] = mapped_column(Integer)
    process_started: Mapped[str | None] = mapped_column(String(128))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IntentOutputRow(Base):
    """One write of an intent."""

    __tablename__ = "intent_outputs"
    __table_args__ = (
        ForeignKeyConstraint(["job", "scope"], ["intents.job", "intents.scope"], ondelete="CASCADE"),
        Index("intent_outputs_by_intent", "job", "scope", "position"),
        Index("intent_outputs_by_dataset", "dataset", "status"),
    )

    token: Mapped[str] = mapped_column(
        String(32), primary_key=True, comment="Names the write wherever it leaves a mark."
    )
    job: Mapped[str] = mapped_column(String(512))
    scope: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(Integer)
    dataset: Mapped[str] = mapped_column(String(1024), comment="What is written, with its branch.")
    status: Mapped[str] = mapped_column(String(16), comment="planned, writing or written")
    before: Mapped[str | None] = mapped_column(
        String(64), comment="State of the dataset before the write, such as a snapshot's id."
    )
    marked: Mapped[bool] = mapped_column(Boolean, comment="The commit carries the token.")
    after: Mapped[str | None] = mapped_column(String(64), comment="State of the dataset that the write made.")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

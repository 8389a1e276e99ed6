"""Keep the runs of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, and not taken from the models: a migration stays what it was when the models move on.
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "job_runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("run_id", sa.String(64), nullable=False, comment="Run that this job was part of."),
        sa.Column("dagster_run_id", sa.String(64)),
        sa.Column("job", sa.String(512), nullable=False, comment="workspace/workflow/job"),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("workflow", sa.String(255), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("engine", sa.String(16)),
        sa.Column("engine_reasons", _JSON, nullable=False),
        sa.Column("inputs", _JSON, nullable=False, comment="Addresses or standalone locations that were read."),
        sa.Column("outputs", _JSON, nullable=False, comment="What was written, in order."),
        sa.Column("rows", sa.BigInteger(), comment="Written by all outputs; null: no store said."),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("error", sa.Text(), comment="Message of the failure, without secrets."),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT),
        sa.Column("host", sa.String(255), nullable=False, comment="Machine of the process that runs it."),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column(
            "process_started",
            sa.String(128),
            nullable=False,
            comment="Tells a process from a later one of that pid.",
        ),
    )
    op.create_index("job_runs_by_job", "job_runs", ["job", "started_at"])
    op.create_index("job_runs_by_start", "job_runs", ["started_at"])
    op.create_index("job_runs_by_dagster_run", "job_runs", ["dagster_run_id"])


def downgrade() -> None:
    """Drop the table and with it the history of runs."""
    op.drop_table("job_runs")

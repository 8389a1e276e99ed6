"""Keep which jobs a run was to do: those that it never began leave no record of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("jobs", _JSON, nullable=False, comment="Ids of the jobs that it was to do, in order."),
        sa.Column("status", sa.String(16), nullable=False, comment="running, ended or interrupted"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("host", sa.String(255), nullable=False, comment="Machine of the process that does it."),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column(
            "process_started", sa.String(128), nullable=False, comment="Tells a process from a later one of that pid."
        ),
    )
    op.create_index("runs_by_start", "runs", ["started_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("runs")

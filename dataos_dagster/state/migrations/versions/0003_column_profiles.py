"""Keep the profiles of columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "column_profiles",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("job", sa.String(512), primary_key=True, comment="workspace/workflow/job"),
        sa.Column("position", sa.Integer(), primary_key=True, comment="Of the column in the dataset."),
        sa.Column("dataset", sa.String(1024), nullable=False),
        sa.Column("column", sa.String(512), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="Rows that were looked at."),
        sa.Column("statistics", _JSON, nullable=False),
        sa.Column("profiled_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("column_profiles_by_dataset", "column_profiles", ["dataset", "profiled_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("column_profiles")

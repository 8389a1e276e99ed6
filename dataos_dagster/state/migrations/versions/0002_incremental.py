"""Keep how far incremental jobs have read, and the writes that are to happen exactly once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "watermarks",
        sa.Column("job", sa.String(512), primary_key=True, comment="workspace/workflow/job"),
        sa.Column("input", sa.String(255), primary_key=True),
        sa.Column("context", sa.String(255), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("value", sa.Text(), comment="Null: the next run evaluates the key's query."),
        sa.Column("previous", sa.Text(), comment="Value before the last change; null: there was none."),
        sa.Column("origin", sa.String(16), nullable=False, comment="run, set or rollback"),
        sa.Column("run_id", sa.String(64), comment="Run that stored the value."),
        sa.Column("changed_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "intents",
        sa.Column("job", sa.String(512), primary_key=True, comment="workspace/workflow/job"),
        sa.Column("scope", sa.String(64), primary_key=True, comment="Empty, or which override of the keys it is."),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False, comment="open, confirmed or abandoned"),
        sa.Column("window", _JSON, nullable=False, comment="Values of the keys, by input."),
        sa.Column("advances", _JSON, nullable=False, comment="Values to store once all is written."),
        sa.Column("host", sa.String(255), comment="Machine of the process at work; null: nobody is."),
        sa.Column("pid", sa.Integer()),
        sa.Column("process_started", sa.String(128)),
        sa.Column("changed_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "intent_outputs",
        sa.Column("token", sa.String(32), primary_key=True, comment="Names the write wherever it leaves a mark."),
        sa.Column("job", sa.String(512), nullable=False),
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(1024), nullable=False, comment="What is written, with its branch."),
        sa.Column("status", sa.String(16), nullable=False, comment="planned, writing or written"),
        sa.Column("before", sa.String(64), comment="State of the dataset before the write, such as a snapshot's id."),
        sa.Column("marked", sa.Boolean(), nullable=False, comment="The commit carries the token."),
        sa.Column("after", sa.String(64), comment="State of the dataset that the write made."),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["job", "scope"], ["intents.job", "intents.scope"], ondelete="CASCADE"),
    )
    op.create_index("intent_outputs_by_intent", "intent_outputs", ["job", "scope", "position"])
    op.create_index("intent_outputs_by_dataset", "intent_outputs", ["dataset", "status"])


def downgrade() -> None:
    """Drop the tables: incremental jobs read from their beginning again."""
    op.drop_table("intent_outputs")
    op.drop_table("intents")
    op.drop_table("watermarks")

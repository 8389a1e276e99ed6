"""Run migrations on the connection, and in the transaction, of whoever asks for them."""

from __future__ import annotations

from alembic import context

from dataos_dagster.state.models import Base
from dataos_dagster.state.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    # SQLite cannot alter a column: Alembic then copies the table.
    render_as_batch=True,
)
context.run_migrations()

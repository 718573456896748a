"""What Alembic runs: the migrations on the connection that `gateway.db.migrate` hands it."""

from __future__ import annotations

from alembic import context

from gateway.db import billing_tables  # noqa: F401 - enters its tables into the metadata
from gateway.db.tables import metadata

if context.is_offline_mode():
    context.configure(dialect_name=context.config.attributes["dialect"], target_metadata=metadata)
else:
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

"""Runs the migrations on the connection that store.migrate hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from adapter.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()

"""A key for each day, service and purpose, where there was one for each day; and what went to an archive file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Messages stay where they are, under the keys that they were sealed with: those have no service and no purpose."""
    op.create_table(
        "message_keys",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.execute(
        "INSERT INTO message_keys (name, day, service, purpose, generation, wrapped) "
        "SELECT day, day, '', '', 0, coalesce(wrapped, zeroblob(40)) FROM day_keys ORDER BY rowid"
    )
    op.create_index(
        "message_keys_compartment", "message_keys", ["day", "service", "purpose", "generation"], unique=True
    )
    op.drop_table("day_keys")
    op.execute("ALTER TABLE messages RENAME COLUMN day TO key_name")
    op.execute("ALTER TABLE messages ADD COLUMN archived_in INTEGER")
    op.create_index("messages_key_name", "messages", ["key_name"])


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

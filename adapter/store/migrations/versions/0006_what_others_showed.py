"""Checkpoints that other members showed of their records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "peer_checkpoints",
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("member", "size", "root"),
        sqlite_with_rowid=False,
    )
    op.create_index("peer_checkpoints_state", "peer_checkpoints", ["state", "member"])


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

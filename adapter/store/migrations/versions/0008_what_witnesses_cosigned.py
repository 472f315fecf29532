"""Cosignatures of neutral witnesses over checkpoints of the record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; a record that is there already is covered by the first cosignature that comes."""
    op.create_table(
        "cosignatures",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("vkey", sa.Text, nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("size", "vkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("cosignatures_vkey", "cosignatures", ["vkey", "size"])


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

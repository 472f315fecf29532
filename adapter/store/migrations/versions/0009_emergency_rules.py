"""Whom an emergency rule names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the rules that there are remain what they were."""
    op.add_column("access_rules", sa.Column("emergency_officials", sa.Text))


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

"""What an access rule lets out of an answer. A rule granted before says nothing of it and lets out all, as it did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("access_rules", sa.Column("fields", sa.Text))


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

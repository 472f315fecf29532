"""How far message ids were forgotten, so that a clock that is set back does not make an old message new."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; it is empty until ids are purged."""
    op.create_table("forgotten", sa.Column("expires_ms", sa.BigInteger, primary_key=True, autoincrement=False))


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

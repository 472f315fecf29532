"""The directory comes as a TUF repository: what is known of it, and what proves each version that was believed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables; the version and digest that are known stay, so that nothing older is believed."""
    op.add_column("directory_state", sa.Column("timestamp", sa.LargeBinary))
    op.add_column("directory_state", sa.Column("snapshot", sa.LargeBinary))
    op.add_column("directory_state", sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "directory_roots",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("octets", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "directory_versions",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("targets", sa.LargeBinary, nullable=False),
        sa.Column("root_version", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

"""Entries are found by official, by purpose, and by kind and outcome. Old ones say both already, in their text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, fill them from the text of each entry, and index them."""
    op.add_column("entries", sa.Column("official", sa.Text))
    op.add_column("entries", sa.Column("purpose", sa.Text))
    op.execute(
        "UPDATE entries SET official = json_extract(document, '$.official'), "
        "purpose = json_extract(document, '$.purpose') "
        "WHERE kind <> 'admin' AND json_extract(document, '$.in_reply_to') IS NULL"
    )
    for column in ("official", "purpose"):
        op.create_index(f"entries_{column}", "entries", [column], sqlite_where=sa.text(f"{column} IS NOT NULL"))
    op.create_index("entries_kind", "entries", ["kind", "outcome"])
    op.drop_index("entries_admin", "entries")


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")

"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the record, the exchanges, the archive, the access rules and the directory's state."""
    _record()
    _exchanges()
    _access()


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("a record is never taken back")


def _record() -> None:
    op.create_table(
        "entries",
        sa.Column("number", _number, primary_key=True, autoincrement=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("consumer", sa.Text),
        sa.Column("service", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("incident", sa.Text),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("entries_at_ms", "entries", ["at_ms"])
    for column in ("consumer", "service", "message_id", "incident"):
        op.create_index(f"entries_{column}", "entries", [column], sqlite_where=sa.text(f"{column} IS NOT NULL"))
    op.create_index("entries_admin", "entries", ["outcome"], sqlite_where=sa.text("kind = 'admin'"))
    op.create_table(
        "subjects",
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("number", _number, nullable=False),
        sa.PrimaryKeyConstraint("tag", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tile_hashes",
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("position", _number, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "position"),
        sqlite_with_rowid=False,
    )
    tree_head = op.create_table(
        "tree_head",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("size", _number, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(tree_head, [{"id": 1, "size": 0, "hashes": b""}])
    op.create_table(
        "checkpoints",
        sa.Column("size", _number, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
    )


def _exchanges() -> None:
    op.create_table(
        "exchanges",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("content_digest", sa.LargeBinary, nullable=False),
        sa.Column("request_number", _number, nullable=False),
        sa.Column("reply_number", _number),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "message_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "messages",
        sa.Column("number", _number, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", "direction"),
    )
    op.create_table(
        "day_keys",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary),
    )


def _access() -> None:
    op.create_table(
        "access_rules",
        sa.Column("granted_in", _number, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("operations", sa.Text),
        sa.Column("purposes", sa.Text),
        sa.Column("legal_basis_kinds", sa.Text),
        sa.Column("regulations", sa.Text),
        sa.Column("valid_from_ms", sa.BigInteger),
        sa.Column("valid_until_ms", sa.BigInteger),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    policy = op.create_table(
        "policy",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(policy, [{"id": 1, "version": 0}])
    op.create_table(
        "directory_state",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
    )

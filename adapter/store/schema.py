"""The tables, as SQLAlchemy sees them. The migrations make them; a test compares the two.

Times are whole milliseconds since 1970, UTC. What is personal is sealed (store.archive) or a keyed hash.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

SCHEMA_REVISION: Final = "0010"
"""The migration that this code works with; a test holds it equal to the newest one."""

APPLICATION_ID: Final = 0x49414450
"""Marks an SQLite file as ours ("IADP"; PRAGMA application_id)."""

metadata: Final = MetaData()

# SQLite counts rows with INTEGER only; elsewhere the record may outgrow 32 bits.
_Number: Final = BigInteger().with_variant(Integer(), "sqlite")

# --- the record ------------------------------------------------------------------------------------------------------

entries: Final = Table(
    "entries",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("message_id", Text),
    Column("consumer", Text),
    Column("service", Text),
    Column("outcome", Text),
    Column("incident", Text),
    Column("official", Text),
    Column("purpose", Text),
    Column("document", Text, nullable=False),
)
"""The leaves. document: canonical JSON (audit.document). leaf_hash: of its UTF-8 form. The rest: for searching."""

Index("entries_at_ms", entries.c.at_ms)
Index("entries_consumer", entries.c.consumer, sqlite_where=entries.c.consumer.is_not(None))
Index("entries_service", entries.c.service, sqlite_where=entries.c.service.is_not(None))
Index("entries_message_id", entries.c.message_id, sqlite_where=entries.c.message_id.is_not(None))
Index("entries_incident", entries.c.incident, sqlite_where=entries.c.incident.is_not(None))
Index("entries_official", entries.c.official, sqlite_where=entries.c.official.is_not(None))
Index("entries_purpose", entries.c.purpose, sqlite_where=entries.c.purpose.is_not(None))
Index("entries_kind", entries.c.kind, entries.c.outcome)

subjects: Final = Table(
    "subjects",
    metadata,
    Column("tag", Text, nullable=False),
    Column("number", _Number, nullable=False),
    PrimaryKeyConstraint("tag", "number"),
    sqlite_with_rowid=False,
)
"""Which entries are about whom: tag is a keyed hash (audit.subjects). Further tags: which open and close a review
(audit.reviews)."""

tile_hashes: Final = Table(
    "tile_hashes",
    metadata,
    Column("level", Integer, nullable=False),
    Column("position", _Number, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "position"),
    sqlite_with_rowid=False,
)
"""Roots of complete subtrees of 256**level leaves, from level 1 (C2SP tlog-tiles); level 0 is entries.leaf_hash."""

tree_head: Final = Table(
    "tree_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("size", _Number, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
)
"""One row: what appending needs (audit.merkle.CompactRange)."""

checkpoints: Final = Table(
    "checkpoints",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
"""A signed checkpoint (C2SP) for each committed batch of entries."""

time_stamps: Final = Table(
    "time_stamps",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("authority", Text, nullable=False),
    Column("directory_version", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
)
"""Tokens (RFC 3161, DER) over the note of the checkpoint of this size. at_ms: what the token says, rounded down.

directory_version: the one whose certificates the token was accepted by.
"""

time_stamp_duty: Final = Table(
    "time_stamp_duty",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("since_ms", BigInteger, nullable=False),
)
"""One row since the directory names a limit for time-stamps; none when it does not."""

cosignatures: Final = Table(
    "cosignatures",
    metadata,
    Column("size", _Number, nullable=False),
    Column("vkey", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("line", Text, nullable=False),
    PrimaryKeyConstraint("size", "vkey"),
    sqlite_with_rowid=False,
)
"""Cosignatures of witnesses over the checkpoint of this size. vkey: the witness's verifier key. at_s: whole seconds
since 1970, by the witness's clock. line: as it stands in a note (C2SP tlog-cosignature)."""

Index("cosignatures_vkey", cosignatures.c.vkey, cosignatures.c.size)

peer_checkpoints: Final = Table(
    "peer_checkpoints",
    metadata,
    Column("member", Text, nullable=False),
    Column("size", _Number, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("member", "size", "root"),
    sqlite_with_rowid=False,
)
"""Checkpoints that other members showed of their records (audit.peer_checkpoints), until a newer one is proven to
contain them. seen_ms: of the entry about the message that each came in first."""

Index("peer_checkpoints_state", peer_checkpoints.c.state, peer_checkpoints.c.member)

# --- exchanges and messages ------------------------------------------------------------------------------------------

exchanges: Final = Table(
    "exchanges",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("request_number", _Number, nullable=False),
    Column("reply_number", _Number),
    Column("expires_ms", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    PrimaryKeyConstraint("consumer", "message_id"),
    sqlite_with_rowid=False,
)
"""Reserved message ids (promise 3). owner: the run of `serve` and the worker that reserved it."""

forgotten: Final = Table(
    "forgotten",
    metadata,
    Column("expires_ms", BigInteger, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("expires_ms"),
)
"""The latest expiry among the message ids that were purged: one row, or none. What expires no later may be a replay."""

messages: Final = Table(
    "messages",
    metadata,
    Column("number", _Number, nullable=False),
    Column("direction", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("archived_in", _Number),
    PrimaryKeyConstraint("number", "direction"),
)
"""Messages as they went over the wire, sealed (store.archive) under a key of message_keys.

sealed: empty once the message was erased, or moved to an archive file; archived_in: the entry that says to which.
"""

Index("messages_key_name", messages.c.key_name)

message_keys: Final = Table(
    "message_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
"""The keys that messages are sealed under, wrapped: one for the messages of a day, a service and a purpose.

wrapped: overwritten with as many zero octets once destroyed. The row stays, so that the day gets no second key.
"""

Index(
    "message_keys_compartment",
    message_keys.c.day,
    message_keys.c.service,
    message_keys.c.purpose,
    message_keys.c.generation,
    unique=True,
)

# --- access and directory --------------------------------------------------------------------------------------------

access_rules: Final = Table(
    "access_rules",
    metadata,
    Column("granted_in", _Number, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("consumer", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("operations", Text),
    Column("purposes", Text),
    Column("legal_basis_kinds", Text),
    Column("regulations", Text),
    Column("valid_from_ms", BigInteger),
    Column("valid_until_ms", BigInteger),
    Column("granted_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("fields", Text),
    Column("emergency_officials", Text),
)
"""The rules in force. granted_in: the entry that says so. Lists are JSON; NULL means any.

emergency_officials: whom an emergency rule names; NULL: it is none.

fields: JSON of what the rule lets out of an answer, "*" for all of it; NULL: all of it, and nobody said so.
"""

policy: Final = Table(
    "policy",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
"""One row: grows by one with every change of the rules."""

directory_state: Final = Table(
    "directory_state",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("timestamp", LargeBinary),
    Column("snapshot", LargeBinary),
    Column("revision", BigInteger, nullable=False, server_default="0"),
)
"""One row: the highest directory version ever accepted (an older one is refused for ever), and the newest metadata of
the online keys. revision: grows with every change, so that workers do not overtake each other."""

directory_roots: Final = Table(
    "directory_roots",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("octets", LargeBinary, nullable=False),
)
"""The roots that followed the anchor, as they were published."""

directory_versions: Final = Table(
    "directory_versions",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("targets", LargeBinary, nullable=False),
    Column("root_version", BigInteger, nullable=False),
)
"""What proves each directory that was ever believed: the officers' signatures, and the root they were judged by."""

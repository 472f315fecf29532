"""What tests look at after an exchange: the records on both sides, and the same message once more."""

from __future__ import annotations

from adapter.audit.verify import verify_record
from adapter.crypto.note import NoteVerifier
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from examples.demo.peer_messages import PeerResponse, TlsIdentity, post_to_peer
from examples.federation.home import Home


def verified_size(home: Home) -> int:
    """Verify the whole record of an adapter and give the number of its entries."""
    vkey = NoteVerifier.parse(home.keyring.record.vkey)
    reader = LogReader(open_database(home.settings.database_url))
    return verify_record(reader, origin=str(home.plan.member), verifiers=(vkey,)).entries


def kept_request(consumer: Home, message_id: str) -> bytes:
    """The octets that the consumer's adapter sent under this id."""
    sent = consumer.record.about(message_id, kind="request-sent")
    return consumer.record.kept(sent.number, "request", consumer.keyring.archive_key).octets


def kept_reply(consumer: Home, message_id: str) -> bytes:
    """The octets that it got in reply."""
    received = consumer.record.about(message_id, kind="reply-received")
    return consumer.record.kept(received.number, "reply", consumer.keyring.archive_key).octets


def send_again(consumer: Home, provider: Home, message_id: str) -> PeerResponse:
    """The same message once more, over the consumer's own TLS identity."""
    keys = consumer.folder / "keys"
    identity = TlsIdentity(certificate=keys / "tls.pem", key=keys / "tls.key")
    return post_to_peer(provider.peer_address, kept_request(consumer, message_id), identity)

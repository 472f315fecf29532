"""The entry about an export of evidence: found by the exchange, and naming the file and who took it."""

from __future__ import annotations

from adapter.audit.exports import evidence_exported
from adapter.identifiers import MessageId
from tests.pki import NOW

EXCHANGE = MessageId("urn:uuid:0190b7f2-7c3e-7d1a-8f4b-3c2d1e0f9a8b")


def test_the_entry_of_an_export_names_the_file_the_officer_and_the_exchange() -> None:
    entry = evidence_exported(EXCHANGE, sha256="5e" * 32, octets=17_408, level="XAdES-B-LT", officer="karimova", at=NOW)
    assert entry.body["details"] == {"sha256": "5e" * 32, "octets": 17_408, "level": "XAdES-B-LT"}
    assert (entry.kind, entry.outcome, entry.body["officer"]) == ("admin", "evidence-exported", "karimova")
    assert entry.message_id == str(EXCHANGE)

"""All targets, in the order in which a message meets them."""

from __future__ import annotations

from tests.fuzz.model import Target
from tests.fuzz.targets import calls, documents, files, messages, records, streams, values

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        messages.GATE,
        messages.OPEN,
        streams.MULTIPART,
        values.HEADER_VALUES,
        values.IDENTIFIERS,
        calls.SOAP,
        calls.XROAD,
        calls.JSON,
        documents.WSDL_IMPORT,
        documents.SCHEMA,
        documents.BUNDLE,
        files.DIRECTORY,
        files.REGISTRATION,
        files.SETTINGS,
        records.EVIDENCE,
        records.CHECKPOINT,
        records.CERTIFICATE,
    )
}

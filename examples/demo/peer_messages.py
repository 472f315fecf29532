"""Peer messages as an attacker, or an insider, has them: captured, changed, stripped, or sealed with a stolen key.

Only for the demonstration and the tests: no part of an adapter can do any of this.
"""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.open import decrypt, verify
from adapter.envelope.faults import read_fault, reported_fault
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.names import DS, SOAP12_FAULT, WSSE, XENC
from adapter.stages import MessageKind, Peer, ReceivedMessage
from adapter.xmlsafe import DEFAULT_LIMITS

_TIMEOUT_S: Final = 30
_NAMESPACES: Final = {"ds": DS, "wsse": WSSE, "xenc": XENC}
_CIPHER_START: Final = b"<xenc:CipherValue>"


@dataclass(frozen=True, kw_only=True)
class TlsIdentity:
    """Whose adapter a connection claims to come from: the PEM files of a TLS key. The key is that member's secret."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class PeerResponse:
    """What a peer listener answered."""

    status: int
    octets: bytes


def post_to_peer(address: str, octets: bytes, identity: TlsIdentity) -> PeerResponse:
    """Post octets to a peer listener over mutual TLS 1.3. address: `https://host:port`.

    Whether the server is the right one is not asked: the attack is on the server.
    """
    place = urlsplit(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(identity.certificate, identity.key)
    connection = http.client.HTTPSConnection(place.hostname or "", place.port, timeout=_TIMEOUT_S, context=context)
    try:
        connection.request(
            "POST", "/peer", body=octets, headers={"Content-Type": "application/soap+xml; charset=utf-8"}
        )
        response = connection.getresponse()
        return PeerResponse(status=response.status, octets=response.read())
    finally:
        connection.close()


# --- changing a captured message -------------------------------------------------------------------------------------


def with_one_byte_changed(captured: bytes) -> bytes:
    """One base64 character of the encrypted Body is another one; everything else stays."""
    start = captured.rindex(_CIPHER_START) + len(_CIPHER_START)
    end = captured.index(b"<", start)
    at = start + (end - start) // 2
    other = b"B" if captured[at : at + 1] != b"B" else b"C"
    return captured[:at] + other + captured[at + 1 :]


def without_signature(captured: bytes) -> bytes:
    """The encrypted signature and the reference to it are taken out, as if it had never been signed."""
    root = etree.fromstring(captured)
    security = root.find(".//wsse:Security", _NAMESPACES)
    signature = None if security is None else security.find("xenc:EncryptedData", _NAMESPACES)
    if security is None or signature is None:
        raise ValueError("the captured message has no encrypted signature")
    for reference in security.iterfind(".//xenc:DataReference", _NAMESPACES):
        if reference.get("URI") == f"#{signature.get('Id')}":
            _remove(reference)
    _remove(signature)
    return etree.tostring(root)


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


# --- reading what came back ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PeerVerdict:
    """An answer, read. code: `answered`, or the code of the fault. is_signed: the fault came sealed for the sender."""

    code: str
    incident: str | None
    is_signed: bool


def read_verdict(octets: bytes, keys: DecryptionKeys | None) -> PeerVerdict:
    """What a peer listener said. keys: of the member that the message was sent for, to open a sealed answer with."""
    plain = reported_fault(octets, DEFAULT_LIMITS)
    if plain is not None:
        return PeerVerdict(code=plain.code, incident=plain.incident, is_signed=False)
    if keys is None:
        return PeerVerdict(code="sealed for somebody else", incident=None, is_signed=True)
    received = ReceivedMessage(
        octets=octets, received_at=datetime.now(UTC), peer=Peer(certificate_sha256=None, address="")
    )
    verified = verify(decrypt(gate(parse_message(received, DEFAULT_LIMITS), MessageKind.REPLY), keys))
    if verified.payload.tag != SOAP12_FAULT:
        return PeerVerdict(code="answered", incident=None, is_signed=True)
    fault = read_fault(verified.payload)
    return PeerVerdict(code=fault.code, incident=fault.incident, is_signed=True)

"""Documents that cost whoever reads them far more than whoever sends them. All fit into what one message may have."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from typing import Final

_SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
_SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"

_GZIP: Final = 31

Document = Callable[[bool], bytes]


def envelope(body: str, *, for_peers: bool, header: str = "") -> bytes:
    """An envelope as the listener expects it, with whatever in it."""
    namespace = _SOAP12 if for_peers else _SOAP11
    return (
        f'<s:Envelope xmlns:s="{namespace}" xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}" xmlns:xenc="{_XENC}" '
        f'xmlns:ds="{_DS}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def _million_attributes(for_peers: bool) -> bytes:  # noqa: FBT001  the shape of all of these
    many = " ".join(f'a{at}="1"' for at in range(1_000_000))
    return envelope(f"<r {many}/>", for_peers=for_peers)


def _deep(for_peers: bool) -> bytes:  # noqa: FBT001
    return envelope("<a>" * 100_000 + "</a>" * 100_000, for_peers=for_peers)


def _entities(for_peers: bool) -> bytes:  # noqa: FBT001
    levels = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, 12))
    return f'<!DOCTYPE r [<!ENTITY e0 "ha">{levels}]>'.encode() + envelope("<r>&e11;</r>", for_peers=for_peers)


def _namespaces(for_peers: bool) -> bytes:  # noqa: FBT001
    declared = "".join(f' xmlns:n{at}="urn:{"x" * 200}:{at}"' for at in range(9000))
    return envelope(f"<r{declared}>{'<n1:x/>' * 200_000}</r>", for_peers=for_peers)


def _ids(for_peers: bool) -> bytes:  # noqa: FBT001
    return envelope("".join(f'<r wsu:Id="i{at}"/>' for at in range(400_000)), for_peers=for_peers)


def _references(for_peers: bool) -> bytes:  # noqa: FBT001
    many = "".join(f'<xenc:DataReference URI="#i{at}"/>' for at in range(200_000))
    listed = f"<wsse:Security><xenc:ReferenceList>{many}</xenc:ReferenceList></wsse:Security>"
    return envelope("<r/>", for_peers=for_peers, header=listed)


def _signed_references(for_peers: bool) -> bytes:  # noqa: FBT001
    one = '<ds:Reference URI="#b"><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>'
    signed = (
        f"<wsse:Security><ds:Signature><ds:SignedInfo>{one * 100_000}</ds:SignedInfo></ds:Signature></wsse:Security>"
    )
    return envelope('<r wsu:Id="b"/>', for_peers=for_peers, header=signed)


def _certificates(for_peers: bool) -> bytes:  # noqa: FBT001
    huge = base64.b64encode(bytes(8_000_000)).decode()
    one = "<wsse:BinarySecurityToken>{}</wsse:BinarySecurityToken>"
    held = one.format(huge) + one.format("AAAA") * 50_000
    return envelope("<r/>", for_peers=for_peers, header=f"<wsse:Security>{held}</wsse:Security>")


def _elements(for_peers: bool) -> bytes:  # noqa: FBT001
    return envelope("<a/>" * 999_000, for_peers=for_peers)


DOCUMENTS: Final[Mapping[str, Document]] = {
    "a million attributes": _million_attributes,
    "depth 100,000": _deep,
    "entity expansion": _entities,
    "namespaces": _namespaces,
    "ids": _ids,
    "a large reference list": _references,
    "a signature of 100,000 references": _signed_references,
    "huge certificates, many certificates": _certificates,
    "a million elements": _elements,
}
"""By name, the document for the listener for peers (True) or for clients (False)."""

MANY_PARTS_TYPE: Final = 'multipart/related; type="text/xml"; boundary=b; start="<root>"'


def many_parts() -> bytes:
    """A message with 100,000 attachments."""
    root = b"--b\r\nContent-Type: text/xml\r\nContent-ID: <root>\r\n\r\n" + envelope("<r/>", for_peers=False) + b"\r\n"
    parts = b"".join(b"--b\r\nContent-ID: <p%d>\r\n\r\nx\r\n" % at for at in range(100_000))
    return root + parts + b"--b--\r\n"


def bomb() -> bytes:
    """A gibibyte of nothing, compressed: a mebibyte."""
    compressor = zlib.compressobj(9, wbits=_GZIP)
    zeros = bytes(1024 * 1024)
    return b"".join((*(compressor.compress(zeros) for _ in range(1024)), compressor.flush()))

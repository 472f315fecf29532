"""How a description says that binary content is sent beside the XML, if it says anything."""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.description_octets import read_document
from adapter.envelope.names import qname
from adapter.envelope.schema_own import SWA_REF
from adapter.envelope.wsdl_elements import resolve
from adapter.stages import Packaging

_MULTIPART_RELATED: Final = qname("http://schemas.xmlsoap.org/wsdl/mime/", "multipartRelated")
_MTOM_POLICIES: Final = (
    qname("http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization", "OptimizedMimeSerialization"),
    qname("http://www.w3.org/2007/08/soap12-mtom-policy", "MTOM"),
)
_EXPECTED_CONTENT_TYPES: Final = (
    qname("http://www.w3.org/2005/05/xmlmime", "expectedContentTypes"),
    qname("http://www.w3.org/2004/11/xmlmime", "expectedContentTypes"),
)
_REFERENCE_TO_PART: Final = qname(SWA_REF, "swaRef")
_HINTS: Final = (
    b"multipartRelated",
    b"OptimizedMimeSerialization",
    b"soap12-mtom-policy",
    b"expectedContentTypes",
    b"swaRef",
)


def packaging_of(description: ServiceDescription) -> Packaging:
    """MTOM when a policy or an expected content type asks for it, SWA for mime:multipartRelated or wsi:swaRef.

    INLINE when the description does not say. WSDL 1.1, 5; WS-I Attachments Profile 1.0, 4.4.
    """
    found = Packaging.INLINE
    for name, octets in description.documents.items():
        if not any(hint in octets for hint in _HINTS):
            continue
        root = read_document(octets, name)
        if next(root.iter(*_MTOM_POLICIES), None) is not None:
            return Packaging.MTOM
        if any(element.get(name) for element in root.iter("{*}*") for name in _EXPECTED_CONTENT_TYPES):
            return Packaging.MTOM
        if next(root.iter(_MULTIPART_RELATED), None) is not None or _has_reference_to_part(root):
            found = Packaging.SWA
    return found


def _has_reference_to_part(root: etree._Element) -> bool:
    declarations = root.iter(qname(names.XSD, "element"), qname(names.XSD, "attribute"))
    return any(resolve(declared, declared.get("type", "")) == _REFERENCE_TO_PART for declared in declarations)

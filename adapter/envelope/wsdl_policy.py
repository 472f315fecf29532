"""The WS-SecurityPolicy of the peer side: what a foreign stack must do to a message so that an adapter opens it.

WS-SecurityPolicy 1.2 (its namespace is that of 1.3 too; what 1.3 added has one of its own), attached as WS-Policy 1.5.
One thing has no standard
assertion: an algorithm suite with AES-GCM. The one that Apache CXF defines stands for it, because a stack that does not
know it must stop instead of sending what is refused.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.errors import InternalError
from adapter.xmlsafe import parse

POLICY: Final = "http://www.w3.org/ns/ws-policy"
_SECURITY_POLICY: Final = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
# What WS-SecurityPolicy 1.3 added: how an attachment is signed (4.1.1). In the namespace of 1.2 WSS4J does not see it.
_SECURITY_POLICY_13: Final = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200802"
_CXF_SUITES: Final = "http://cxf.apache.org/custom/security-policy"

PROTECTION: Final = "InteragencyProtection"
"""How every message is protected: for the binding."""
REQUEST_PARTS: Final = "InteragencyRequestParts"
"""What of a request is signed and encrypted: for the input of each operation."""
REPLY_PARTS: Final = "InteragencyReplyParts"
"""What of a reply is signed and encrypted: for the output of each operation."""


def _token(role: str, inclusion: str, reference: str = "") -> str:
    return (
        f'<sp:{role}><wsp:Policy><sp:X509Token sp:IncludeToken="{_SECURITY_POLICY}/IncludeToken/{inclusion}">'
        f"<wsp:Policy>{reference}<sp:WssX509V3Token11/></wsp:Policy></sp:X509Token></wsp:Policy></sp:{role}>"
    )


_BY_KEY_IDENTIFIER: Final = "<sp:RequireKeyIdentifierReference/>"
_PROTECTION: Final = (
    "<sp:AsymmetricBinding><wsp:Policy>"
    + _token("InitiatorSignatureToken", "AlwaysToRecipient")
    + _token("InitiatorEncryptionToken", "Never", _BY_KEY_IDENTIFIER)
    + _token("RecipientSignatureToken", "AlwaysToInitiator")
    + _token("RecipientEncryptionToken", "Never", _BY_KEY_IDENTIFIER)
    + f'<sp:AlgorithmSuite><wsp:Policy><cxf:CustomAlgorithmSuite xmlns:cxf="{_CXF_SUITES}"/></wsp:Policy>'
    "</sp:AlgorithmSuite>"
    "<sp:Layout><wsp:Policy><sp:Strict/></wsp:Policy></sp:Layout>"
    "<sp:IncludeTimestamp/><sp:EncryptSignature/><sp:ProtectTokens/><sp:OnlySignEntireHeadersAndBody/>"
    "</wsp:Policy></sp:AsymmetricBinding>"
    "<sp:Wss11><wsp:Policy><sp:MustSupportRefKeyIdentifier/><sp:RequireSignatureConfirmation/></wsp:Policy></sp:Wss11>"
)


def _header(local: str) -> str:
    return f'<sp:Header Name="{local}" Namespace="{names.ENVELOPE}"/>'


# Every operation, for no description can say that a message has no parts beside its envelope: a system may send any
# message as SwA, and an adapter carries base64 of the Body as a part. Without one, these demand nothing.
_SIGNED_ATTACHMENTS: Final = (
    _header("Attachments") + f'<sp:Attachments><sp13:ContentSignatureTransform xmlns:sp13="{_SECURITY_POLICY_13}"/>'
    "</sp:Attachments>"
)
_ENCRYPTED_ATTACHMENTS: Final = _header("Attachments") + "<sp:Attachments/>"


def _parts(*, signed: str, encrypted: str = "") -> str:
    """Which header blocks beside the Body and the attachments, in the order of WS-SecurityPolicy's schema."""
    return (
        f"<sp:SignedParts><sp:Body/>{signed}{_SIGNED_ATTACHMENTS}</sp:SignedParts>"
        f"<sp:EncryptedParts><sp:Body/>{encrypted}{_ENCRYPTED_ATTACHMENTS}</sp:EncryptedParts>"
    )


_REQUEST_PARTS: Final = _parts(signed=_header("Exchange") + _header("PersonalData"), encrypted=_header("PersonalData"))
_REPLY_PARTS: Final = _parts(signed=_header("Exchange"))
_POLICIES: Final = ((PROTECTION, _PROTECTION), (REQUEST_PARTS, _REQUEST_PARTS), (REPLY_PARTS, _REPLY_PARTS))


def policies() -> list[etree._Element]:
    """The three policies as new elements, each with its name as wsu:Id, for the top of a WSDL document."""
    return [
        parse(
            f'<wsp:Policy xmlns:wsp="{POLICY}" xmlns:sp="{_SECURITY_POLICY}" xmlns:wsu="{names.WSU}" wsu:Id="{name}">'
            f"<wsp:ExactlyOne><wsp:All>{assertions}</wsp:All></wsp:ExactlyOne></wsp:Policy>".encode(),
            error=InternalError,
        )
        for name, assertions in _POLICIES
    ]


def policy_reference(name: str) -> etree._Element:
    """A reference to one of these policies in the same document (WS-Policy 1.5 Attachment, 3.4)."""
    return etree.Element(names.qname(POLICY, "PolicyReference"), {"URI": f"#{name}"}, nsmap={"wsp": POLICY})

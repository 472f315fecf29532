"""How to mend what `lint` finds: one sentence for each rule, for an integrator."""

from __future__ import annotations

from typing import Final

WELL_FORMED: Final = "xml.well-formed"
LIMITS: Final = "xml.limits"
COMMENT: Final = "xml.comment"
SOAP: Final = "soap.envelope"
HEADER: Final = "profile.headers"
MUST_UNDERSTAND: Final = "soap.mustUnderstand"
EXCHANGE: Final = "profile.exchange"
ENCRYPTED_HEADER: Final = "profile.encrypted-header"
SECURITY: Final = "profile.security"
TOKEN: Final = "profile.token"  # noqa: S105  a rule's name
TIMESTAMP: Final = "profile.timestamp"
CONFIRMATION: Final = "profile.confirmation"
ENCRYPTED_KEY: Final = "profile.encrypted-key"
ENCRYPTED_SIGNATURE: Final = "profile.encrypted-signature"
ATTACHMENT: Final = "profile.attachment"
IDS: Final = "profile.ids"
BODY: Final = "profile.body"
PROFILE: Final = "profile"
CONTEXT: Final = "client.request-context"
OPERATION: Final = "service.operation"
XOP_INCLUDE: Final = "xop.include"
MULTIPART: Final = "multipart"
MEMBER: Final = "directory.member"
CERTIFICATE: Final = "directory.certificate"
DECRYPTION: Final = "security.decryption"
SIGNATURE: Final = "security.signature"
TRUST: Final = "security.trust"

MENDING: Final = {
    WELL_FORMED: "Send one well-formed XML 1.0 document in UTF-8 without a DOCTYPE.",
    LIMITS: "Make the message smaller, or ask the adapter's administrator for larger [limits].",
    COMMENT: "Leave comments and processing instructions out of a message.",
    SOAP: "Send a SOAP Envelope with at most one Header and one Body that holds exactly one element.",
    HEADER: "Send Exchange and Security once each, and beside them nothing but what is encrypted as EncryptedHeader.",
    MUST_UNDERSTAND: "Remove the header, or its mustUnderstand attribute if it is not needed.",
    EXCHANGE: "Write the Exchange block as xsd/envelope.xsd describes it.",
    ENCRYPTED_HEADER: "Encrypt the whole PersonalData element into one EncryptedData of Type #Element.",
    SECURITY: "Let Security hold the token, the Timestamp, the EncryptedKey and the encrypted signature, each once.",
    TOKEN: "Put one DER certificate, base64, into BinarySecurityToken with ValueType #X509v3.",
    TIMESTAMP: "Write Created and Expires in UTC with Z, at most five minutes apart.",
    CONFIRMATION: "Encrypt the SignatureConfirmation: an EncryptedData of its own, before that of the signature.",
    ENCRYPTED_KEY: "Use the key encryption of the recipient's suite and name every EncryptedData in ReferenceList.",
    ENCRYPTED_SIGNATURE: "Encrypt the whole ds:Signature into one EncryptedData of Type #Element, aes128-gcm.",
    ATTACHMENT: "Write one EncryptedData of Type #Attachment-Content-Only, aes128-gcm, with the cid: URI of its part.",
    IDS: "Give every element with an id one of its own: a reference must mean one element only.",
    BODY: "Encrypt the Body's content into one EncryptedData of Type #Content, aes128-gcm.",
    PROFILE: "Compare the message with the example beside xsd/envelope.xsd.",
    CONTEXT: "Write the RequestContext header as xsd/client.xsd describes it.",
    OPERATION: "Send the element that the WSDL names for the operation, in its namespace.",
    XOP_INCLUDE: "Let each xop:Include name another part by its cid: URI, alone in an element of type xs:base64Binary.",
    MULTIPART: "Send multipart/related: the envelope first, lines that end with CRLF, a Content-ID for each part.",
    MEMBER: "Use the member's registered name, or have it registered by the authority.",
    CERTIFICATE: "Sign with the key whose certificate the authority registered for this member.",
    DECRYPTION: "Encrypt for the recipient's agreement certificate in the directory, and send the octets unchanged.",
    SIGNATURE: "Sign Exchange, Timestamp, token, Body and PersonalData (or SignatureConfirmation), before encrypting.",
    TRUST: "Sign as the member that the Exchange header names, with a certificate of the directory.",
}

_BY_THE_SCHEMA: Final = {
    "cvc-complex-type.2.4": "Send the elements that the schema names, in its order and its namespace, and no others.",
    "cvc-complex-type.4": "Add the attribute.",
    "cvc-complex-type.3.2.1": "Leave the attribute out.",
    "cvc-complex-type.3.2.2": "Leave the attribute out.",
    "cvc-elt.1": "Send the element that the WSDL names, in its namespace.",
    "cvc-pattern-valid": "Write the value in the form that the pattern describes.",
    "cvc-enumeration-valid": "Use one of the listed values.",
    "cvc-datatype-valid": "Write the value as XML Schema writes this type (a date 2026-03-02, a decimal 1.5).",
    "cvc-minLength-valid": "Fill the value in.",
    "cvc-maxLength-valid": "Shorten the value.",
}
_SCHEMA: Final = "Change the element so that it fits the schema; the rule is that of XML Schema 1.0, appendix C."


def mending_for(rule: str) -> str:
    """The sentence for a rule of ours or of the schema language."""
    return MENDING.get(rule) or _BY_THE_SCHEMA.get(rule, _SCHEMA)

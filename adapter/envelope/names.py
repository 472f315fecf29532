"""Every namespace and algorithm identifier that appears on the wire, written once."""

from __future__ import annotations

from typing import Final

# --- namespaces ------------------------------------------------------------------------------------------------------
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
ENVELOPE: Final = "urn:interagency-adapter:envelope:1"
CLIENT: Final = "urn:interagency-adapter:client:1"
FAULT: Final = "urn:interagency-adapter:fault:1"
DIRECTORY: Final = "urn:interagency-adapter:directory:1"
CONSENT: Final = "urn:interagency-adapter:consent:1"
CONSENT_SERVICE: Final = "urn:interagency-adapter:consent-service:1"
USAGE: Final = "urn:interagency-adapter:usage:1"
ADAPTER_SERVICES: Final = "urn:interagency-adapter:services:1"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
DSIG_MORE: Final = "http://www.w3.org/2021/04/xmldsig-more#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
XML: Final = "http://www.w3.org/XML/1998/namespace"
WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
WSDL_SOAP11: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
WSDL_SOAP12: Final = "http://schemas.xmlsoap.org/wsdl/soap12/"

# --- algorithms ------------------------------------------------------------------------------------------------------
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
EDDSA_ED25519: Final = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"
ECDH_ES: Final = "http://www.w3.org/2009/xmlenc11#ECDH-ES"
X25519: Final = "http://www.w3.org/2021/04/xmldsig-more#x25519"
HKDF: Final = "http://www.w3.org/2021/04/xmldsig-more#hkdf"
HMAC_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
KW_AES128: Final = "http://www.w3.org/2001/04/xmlenc#kw-aes128"
RSA_OAEP: Final = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
MGF1_SHA256: Final = "http://www.w3.org/2009/xmlenc11#mgf1sha256"
AES128_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
SWA_SIGNATURE_TRANSFORM: Final = (
    "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform"
)
SWA_CIPHERTEXT_TRANSFORM: Final = (
    "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Ciphertext-Transform"
)
CURVE_P256: Final = "urn:oid:1.2.840.10045.3.1.7"

# --- types -----------------------------------------------------------------------------------------------------------
TYPE_ELEMENT: Final = "http://www.w3.org/2001/04/xmlenc#Element"
TYPE_CONTENT: Final = "http://www.w3.org/2001/04/xmlenc#Content"
SWA_CONTENT_ONLY: Final = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Only"
X509_V3: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
X509_SKI: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509SubjectKeyIdentifier"
)
BASE64_BINARY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"


def qname(namespace: str, local: str) -> str:
    """The `{namespace}local` form that lxml uses."""
    return f"{{{namespace}}}{local}"


# --- elements and attributes -----------------------------------------------------------------------------------------
SOAP12_ENVELOPE: Final = qname(SOAP12, "Envelope")
SOAP12_HEADER: Final = qname(SOAP12, "Header")
SOAP12_BODY: Final = qname(SOAP12, "Body")
SOAP12_FAULT: Final = qname(SOAP12, "Fault")
SOAP12_MUST_UNDERSTAND: Final = qname(SOAP12, "mustUnderstand")
SOAP11_ENVELOPE: Final = qname(SOAP11, "Envelope")
SOAP11_HEADER: Final = qname(SOAP11, "Header")
SOAP11_BODY: Final = qname(SOAP11, "Body")
SOAP11_FAULT: Final = qname(SOAP11, "Fault")
SOAP11_MUST_UNDERSTAND: Final = qname(SOAP11, "mustUnderstand")
EXCHANGE: Final = qname(ENVELOPE, "Exchange")
PERSONAL_DATA: Final = qname(ENVELOPE, "PersonalData")
ATTACHMENTS: Final = qname(ENVELOPE, "Attachments")
REQUEST_CONTEXT: Final = qname(CLIENT, "RequestContext")
SECURITY: Final = qname(WSSE, "Security")
BINARY_SECURITY_TOKEN: Final = qname(WSSE, "BinarySecurityToken")
SECURITY_TOKEN_REFERENCE: Final = qname(WSSE, "SecurityTokenReference")
TOKEN_REFERENCE: Final = qname(WSSE, "Reference")
KEY_IDENTIFIER: Final = qname(WSSE, "KeyIdentifier")
ENCRYPTED_HEADER: Final = qname(WSSE11, "EncryptedHeader")
SIGNATURE_CONFIRMATION: Final = qname(WSSE11, "SignatureConfirmation")
TIMESTAMP: Final = qname(WSU, "Timestamp")
WSU_ID: Final = qname(WSU, "Id")
SIGNATURE: Final = qname(DS, "Signature")
KEY_INFO: Final = qname(DS, "KeyInfo")
DIGEST_METHOD: Final = qname(DS, "DigestMethod")
ENCRYPTED_KEY: Final = qname(XENC, "EncryptedKey")
ENCRYPTED_DATA: Final = qname(XENC, "EncryptedData")
ENCRYPTION_METHOD: Final = qname(XENC, "EncryptionMethod")
XOP_INCLUDE: Final = qname(XOP, "Include")
XSI_TYPE: Final = qname(XSI, "type")

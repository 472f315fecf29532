"""Every namespace and algorithm identifier that appears on the wire, written once."""

from __future__ import annotations

from typing import Final

# --- namespaces ------------------------------------------------------------------------------------------------------
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
ENVELOPE: Final = "urn:interagency-adapter:envelope:1"
FAULT: Final = "urn:interagency-adapter:fault:1"
DIRECTORY: Final = "urn:interagency-adapter:directory:1"
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
CURVE_P256: Final = "urn:oid:1.2.840.10045.3.1.7"

# --- types -----------------------------------------------------------------------------------------------------------
TYPE_ELEMENT: Final = "http://www.w3.org/2001/04/xmlenc#Element"
TYPE_CONTENT: Final = "http://www.w3.org/2001/04/xmlenc#Content"
X509_V3: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
X509_SKI: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509SubjectKeyIdentifier"
BASE64_BINARY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"


def qname(namespace: str, local: str) -> str:
    """The `{namespace}local` form that lxml uses."""
    return f"{{{namespace}}}{local}"


SOAP12_ENVELOPE: Final = qname(SOAP12, "Envelope")
SOAP12_HEADER: Final = qname(SOAP12, "Header")
SOAP12_BODY: Final = qname(SOAP12, "Body")
SOAP12_FAULT: Final = qname(SOAP12, "Fault")
WSU_ID: Final = qname(WSU, "Id")

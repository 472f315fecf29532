"""How WSDL 1.1 names things: qualified names in values, and the SOAP extension elements of either version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_operations import QName
from adapter.stages import SoapVersion

SOAP_VERSIONS: Final = {names.WSDL_SOAP11: SoapVersion.SOAP11, names.WSDL_SOAP12: SoapVersion.SOAP12}


def wsdl(local: str) -> str:
    """The tag of a WSDL element."""
    return names.qname(names.WSDL, local)


def resolve(element: etree._Element, value: str) -> str:
    """A QName value as `{namespace}local`, with the prefixes in scope at the element."""
    prefix, _, local = value.strip().rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return qualified(namespace or "", local)


def qualified(namespace: str, local: str) -> QName:
    """`{namespace}local`, or the local name alone without a namespace."""
    return QName(names.qname(namespace, local) if namespace else local)


def local_name(name: str) -> str:
    """The local part of `{namespace}local`."""
    return name.rpartition("}")[2]


def namespace_of(element: etree._Element) -> str:
    """The namespace of an element, empty without one."""
    return etree.QName(element).namespace or ""


def soap_descendants(element: etree._Element, local: str) -> Iterator[etree._Element]:
    """The SOAP extension elements of this name, at any depth, in document order."""
    return element.iter(*(names.qname(namespace, local) for namespace in SOAP_VERSIONS))


def soap_child(element: etree._Element, local: str, *, deep: bool = False) -> etree._Element | None:
    """The SOAP extension element of either version; deep also finds it below mime:multipartRelated."""
    tags = [names.qname(namespace, local) for namespace in SOAP_VERSIONS]
    return next(element.iterdescendants(*tags) if deep else element.iterchildren(*tags), None)

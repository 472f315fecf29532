"""The operations of a service description, as values. Made by envelope.wsdl only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, NewType

from adapter.envelope.names import CLIENT, WSSE
from adapter.stages import SoapVersion

QName = NewType("QName", str)
"""A qualified name in the form `{namespace}local` (`local` alone without a namespace), as lxml writes tags."""


class Style(Enum):
    """How the Body is made (WSDL 1.1, 3.4 and 3.5): the style of the operation and the use of its parts."""

    DOCUMENT_LITERAL = "document/literal"
    RPC_LITERAL = "rpc/literal"
    RPC_ENCODED = "rpc/encoded"
    DOCUMENT_ENCODED = "document/encoded"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderPart:
    """A SOAP header that the binding declares for an operation (WSDL 1.1, 3.7).

    element is None for a literal part that names only a type: then nothing says how the header is called.
    is_encoded: its use is SOAP encoding, so nothing can check it.
    """

    element: QName | None
    name: str
    in_output: bool
    is_encoded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyPart:
    """A part of a message that stands in the Body (WSDL 1.1, 2.3.1): of an element or of a type, None for the other."""

    name: str
    element: QName | None
    type: QName | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One bound operation. soap_version and soap_action are what its port speaks.

    output_element is None for a one-way operation. faults: the elements that the operation declares as fault details.
    input_parts, output_parts: what the Body is made of; in the style rpc each is a child of the Body's element.
    version: what the binding says of it in the manner of X-Road (PR-MESS 3.2, table 2), else None.
    type_checked: the schema has a declaration for the Body's element, so `check_payload` can judge it.
    """

    name: str
    soap_version: SoapVersion
    soap_action: str
    style: Style
    input_element: QName
    output_element: QName | None
    faults: tuple[QName, ...] = ()
    headers: tuple[HeaderPart, ...] = ()
    input_parts: tuple[BodyPart, ...] = ()
    output_parts: tuple[BodyPart, ...] = ()
    version: str | None = None
    type_checked: bool = True

    @property
    def is_encoded(self) -> bool:
        """Whether the Body is SOAP-encoded: passed through as it is, with the elements that stand beside the first."""
        return self.style in (Style.RPC_ENCODED, Style.DOCUMENT_ENCODED)

    def carried_headers(self, *, in_output: bool) -> dict[str, HeaderPart]:
        """The headers that go along with the Body to the other side, by element."""
        return {
            header.element: header
            for header in self.headers
            if header.in_output is in_output and header.element is not None and is_carried(header.element)
        }


NOT_CARRIED: Final = frozenset(
    {
        # What these say holds for one hop, and between adapters the envelope says it.
        WSSE,
        "http://www.w3.org/2005/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/03/addressing",
        # The message protocol of X-Road 4.0: who asks whom stands in the Exchange header.
        "http://x-road.eu/xsd/xroad.xsd",
        "http://x-road.eu/xsd/representation.xsd",
        CLIENT,
    }
)
"""Namespaces whose headers end at the adapter that receives them, whatever a description declares."""


def is_carried(header: str) -> bool:
    """Whether a declared header of this name (`{namespace}local`) goes along with the Body."""
    return header.rpartition("}")[0].removeprefix("{") not in NOT_CARRIED


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """A SOAP port of the description: where the provider's system listens and what it speaks there."""

    name: str
    service: str
    binding: QName
    port_type: QName
    soap_version: SoapVersion
    address: str
    operations: tuple[Operation, ...]

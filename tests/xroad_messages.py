"""X-Road messages for tests, in the spelling of the protocol's own examples."""

from __future__ import annotations

from adapter.envelope.xroad import IDENTIFIERS, REPRESENTATION, XROAD
from tests.get_person import get_person

CLIENT = ("UZ", "GOV", "200000003", "benefits")
PROVIDER = ("UZ", "GOV", "200000001", "population")
MESSAGE_ID = "4894e35d-bf0f-44a6-867a-8e51f1daa7e0"
_PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")


def codes(*values: str | None) -> str:
    """The children of an identifier; None leaves one out."""
    return "".join(
        f"<id:{name}>{value}</id:{name}>" for name, value in zip(_PARTS, values, strict=False) if value is not None
    )


def client(*values: str | None, object_type: str = "SUBSYSTEM") -> str:
    return f'<xrd:client id:objectType="{object_type}">{codes(*(values or CLIENT))}</xrd:client>'


def service(*values: str | None, object_type: str = "SERVICE") -> str:
    shown = codes(*(values or (*PROVIDER, "GetPerson", "v1")))
    return f'<xrd:service id:objectType="{object_type}">{shown}</xrd:service>'


def field(name: str, text: str) -> str:
    return f"<xrd:{name}>{text}</xrd:{name}>"


PARTY = (
    "<repr:representedParty><repr:partyClass>COM</repr:partyClass><repr:partyCode>30210</repr:partyCode>"
    "</repr:representedParty>"
)
MANDATORY = {
    "client": client(),
    "service": service(),
    "id": field("id", MESSAGE_ID),
    "protocolVersion": field("protocolVersion", "4.0"),
}
"""The fields that have to be there."""


def fields(**other: str) -> str:
    """The good header fields; an argument replaces, adds or (empty) leaves out one of that name."""
    return "".join({**MANDATORY, "userId": field("userId", "UZ12345"), **other}.values())


def message(header: str | None = None, body: str | None = None) -> str:
    """A whole message; without arguments the good one, to GetPerson."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:xrd="{XROAD}" xmlns:id="{IDENTIFIERS}" xmlns:repr="{REPRESENTATION}">'
        f"<SOAP-ENV:Header>{fields() if header is None else header}</SOAP-ENV:Header>"
        f"<SOAP-ENV:Body>{get_person() if body is None else body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )

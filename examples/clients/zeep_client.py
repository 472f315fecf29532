"""A legacy system written with plain zeep. It knows the address of its own adapter's WSDL and nothing else.

    python -m examples.clients.zeep_client http://127.0.0.1:8080/service/UZ/GOV/.../GetPerson/v1?wsdl 30101900010014

The header RequestContext is declared in the WSDL that the adapter publishes, so zeep knows its type.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import requests
import zeep
from zeep.exceptions import Fault, TransportError
from zeep.helpers import serialize_object
from zeep.transports import Transport

_CONTEXT: Final = "{urn:interagency-adapter:client:1}RequestContext"
_OPERATIONS: Final = {"GetPerson": "Pinfl", "GetParcels": "OwnerPinfl"}


def ask(client: zeep.Client, pinfl: str, context: dict[str, Any] | None) -> tuple[str, object]:
    """Call the service's operation. context: the header's values; without one the adapter's settings must have them.

    Returns the operation's name and the answer.
    """
    operation = next(name for name in _OPERATIONS if name in dir(client.service))
    headers = [] if context is None else [client.get_element(_CONTEXT)(**context)]  # type: ignore[no-untyped-call]
    answer = getattr(client.service, operation)(**{_OPERATIONS[operation]: pinfl}, _soapheaders=headers)
    return operation, serialize_object(answer)  # type: ignore[no-untyped-call]


def open_client(wsdl: str, token: str | None = None) -> zeep.Client:
    """A zeep client for the WSDL. token: sent as a bearer token, where the adapter knows this system by one."""
    session = requests.Session()
    if token:
        session.headers["Authorization"] = f"Bearer {token}"
    transport = Transport(session=session, timeout=30, operation_timeout=60)  # type: ignore[no-untyped-call]
    return zeep.Client(wsdl, transport=transport)  # type: ignore[no-untyped-call]


def show(name: str, value: object, indent: str = "") -> None:
    """Print an answer for a person to read: one line for each value, blank ones left out."""
    if isinstance(value, dict):
        print(f"{indent}{name}")
        for key, inner in value.items():
            show(str(key), inner, indent + "  ")
    elif isinstance(value, list):
        for inner in value:
            show(name, inner, indent)
    elif value is not None:
        print(f"{indent}{name}: {value}")


def main() -> int:
    """The command line. 0: answered, 1: a fault, 2: nobody there."""
    parser = argparse.ArgumentParser(description="Ask a register through the agency's own adapter.")
    parser.add_argument("wsdl", help="the adapter's ?wsdl address of the service")
    parser.add_argument("pinfl", help="whom to ask about")
    parser.add_argument("--official", default="inspector-17")
    parser.add_argument("--purpose", default="social-benefit")
    parser.add_argument("--legal-basis-kind", default="law")
    parser.add_argument("--legal-basis", default="Law No. 395 of 2015, article 12")
    parser.add_argument("--no-context", action="store_true", help="send no header")
    parser.add_argument("--token-file", type=Path, help="file with this system's token")
    arguments = parser.parse_args()
    context = {
        "Official": arguments.official,
        "Purpose": arguments.purpose,
        "LegalBasis": {"_value_1": arguments.legal_basis, "kind": arguments.legal_basis_kind},
        "Subject": [{"_value_1": arguments.pinfl, "kind": "pinfl"}],
    }
    token = arguments.token_file.read_text(encoding="utf-8").strip() if arguments.token_file else None
    try:
        client = open_client(arguments.wsdl, token)
        operation, answer = ask(client, arguments.pinfl, None if arguments.no_context else context)
    except Fault as fault:
        print(f"fault {fault.code}: {fault.message}", file=sys.stderr)
        return 1
    except (requests.RequestException, TransportError) as cause:
        print(f"no answer: {cause}", file=sys.stderr)
        return 2
    show(f"{operation}Response", answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())

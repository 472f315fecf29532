"""Where the contracts (xsd/, wsdl/) and certificate profiles (keys/) are: in the wheel or the top folder.

They are read once, at start, by whoever compiles them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from adapter.errors import InternalError

_PACKAGE: Final = Path(__file__).resolve().parent
_PLACES: Final = (_PACKAGE / "_contracts", _PACKAGE.parent)
_FOLDERS: Final = ("xsd", "wsdl", "keys")


def contract_path(name: str) -> Path:
    """The file of a contract. name: as integrators see it, `xsd/envelope.xsd`.

    Raises InternalError when the installation lacks it, or the name leads anywhere else than into these folders.
    """
    folder, _, file = name.partition("/")
    if folder not in _FOLDERS or not file or ".." in file.split("/"):
        raise InternalError(f"{name} is not the name of a contract")
    for place in _PLACES:
        path = place / folder / file
        if path.is_file():
            return path
    raise InternalError(f"the contract {name} is missing from this installation")


def read_contract(name: str) -> bytes:
    """The octets of a contract. name: as for contract_path. Raises InternalError."""
    return contract_path(name).read_bytes()

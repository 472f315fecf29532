"""The one door to spyne.

spyne 2.14.0, its last release, brings an old copy of `six` whose lazy modules (`spyne.util.six.moves...`) Python 3.12
no longer loads; a finder that answers for these names with the modules of today's `six` mends that. Two of its modules
also want `cgi.parse_header`, which Python 3.13 has not; it is lent while they are imported.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import sys
import warnings
from collections.abc import Sequence
from email.message import Message
from types import ModuleType
from typing import Final

_OLD: Final = "spyne.util.six.moves"


class _SixMoves(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`spyne.util.six.moves.x` is `six.moves.x`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for the names that are missing, and for no other."""
        if fullname != _OLD and not fullname.startswith(f"{_OLD}."):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module of today's six."""
        return importlib.import_module(spec.name.replace(_OLD, "six.moves", 1))

    def exec_module(self, module: ModuleType) -> None:
        """It ran when it was imported under its own name."""


def _parse_header(line: str) -> tuple[str, dict[str, str]]:
    """What `cgi.parse_header` returned: a header's value and its parameters."""
    message = Message()
    message["content-type"] = line
    value, *parameters = message.get_params(failobj=[("", "")])
    return value[0], dict(parameters)


def _lend_cgi() -> bool:
    """Whether a module of that name was missing and is now lent."""
    if importlib.util.find_spec("cgi") is not None:
        return False
    lent = ModuleType("cgi")
    lent.__dict__["parse_header"] = _parse_header
    sys.modules["cgi"] = lent
    return True


sys.meta_path.insert(0, _SixMoves())
# What spyne's own source is warned of on newer Pythons (`cgi`, escapes in strings) helps nobody here.
_warnings: Final = warnings.catch_warnings()
_warnings.__enter__()
warnings.simplefilter("ignore")
_lent: Final = _lend_cgi()
# spyne logs the requests that it refuses and the exceptions of the service, values included.
logging.getLogger("spyne").setLevel(logging.CRITICAL + 1)

from spyne import Application, Fault, ServiceBase, rpc  # noqa: E402
from spyne.context import MethodContext  # noqa: E402
from spyne.error import ResourceNotFoundError  # noqa: E402
from spyne.interface.wsdl import Wsdl11  # noqa: E402
from spyne.model.binary import ByteArray  # noqa: E402
from spyne.model.complex import Array, ComplexModel, XmlAttribute  # noqa: E402
from spyne.model.primitive import AnyUri, Boolean, Date, DateTime, Decimal, Integer, Unicode  # noqa: E402
from spyne.protocol.soap import Soap11  # noqa: E402
from spyne.server import ServerBase  # noqa: E402
from spyne.server.wsgi import WsgiApplication  # noqa: E402

_warnings.__exit__(None, None, None)
if _lent:
    del sys.modules["cgi"]

__all__ = [
    "AnyUri", "Application", "Array", "Boolean", "ByteArray", "ComplexModel", "Date", "DateTime", "Decimal", "Fault",
    "Integer", "MethodContext", "ResourceNotFoundError", "ServerBase", "ServiceBase", "Soap11", "Unicode", "Wsdl11",
    "WsgiApplication", "XmlAttribute", "rpc",
]  # fmt: skip

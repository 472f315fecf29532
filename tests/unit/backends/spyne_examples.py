"""Spyne service classes as a provider might write them."""

import threading
from typing import Any

from adapter.backends.spyne_compat import ComplexModel, Fault, ResourceNotFoundError, ServiceBase, Unicode, rpc
from adapter.errors import DirectoryExpired, ProviderSystemDown

SECRET = "30101900010014"
released = threading.Event()


class Answer(ComplexModel):  # type: ignore[misc]
    __namespace__ = "urn:test:1"
    text = Unicode


class Example(ServiceBase):  # type: ignore[misc]
    @rpc(Unicode, _returns=Unicode)  # type: ignore[untyped-decorator]
    def Ask(ctx, how: str) -> Any:  # noqa: N802, N805
        match how:
            case "fault":
                raise Fault("Client.Closed", "The register is\n closed.")
            case "nothing":
                raise ResourceNotFoundError("key")
            case "crash":
                raise ValueError(f"no such key: {SECRET}")
            case "down":
                raise ProviderSystemDown("the mainframe sleeps")
            case "foreign":
                raise DirectoryExpired("not for a service to say")
            case "hang":
                released.wait(30)
            case "wrong type":
                return object()
        return f"you asked {how}"


class NotAService:
    pass

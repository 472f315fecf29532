"""A spyne application called in this process: octets of a SOAP 1.1 request in, octets of the answer out."""

from __future__ import annotations

from typing import Any

from adapter.backends.spyne_compat import (
    Application,
    Fault,
    MethodContext,
    ResourceNotFoundError,
    ServerBase,
    ServiceBase,
    Soap11,
)
from adapter.errors import AdapterError


class ServiceFault(Exception):
    """The service's function raised a spyne Fault on purpose. code and text are the service's own words."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


class ServiceFoundNothing(Exception):
    """The service's function raised spyne's ResourceNotFoundError."""


class ServiceBroken(Exception):
    """Anything else went wrong. Holds the name of the error's type only: its text may repeat values."""


class _Raised(Fault):  # type: ignore[misc]
    """Carries what the function raised through spyne, which keeps Faults and turns all else into text."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("Server", "")
        self.cause = cause


class _QuietApplication(Application):  # type: ignore[misc]
    """spyne's application, but what a function raises is kept as it is and not turned into text."""

    def call_wrapper(self, ctx: Any) -> Any:  # noqa: ANN401
        """Call the service's function."""
        try:
            return super().call_wrapper(ctx)
        except Exception as cause:  # noqa: BLE001  a service may raise anything
            raise _Raised(cause) from None


class _HttpServer(ServerBase):  # type: ignore[misc]
    """No server at all, but what the WSDL says of the transport."""

    transport = "http://schemas.xmlsoap.org/soap/http"


class InProcessService:
    """A service class that listens to one namespace. May be called from several threads."""

    def __init__(self, service: type[ServiceBase], namespace: str, name: str | None = None) -> None:
        self.application = _QuietApplication(
            [service], tns=namespace, name=name or service.__name__, in_protocol=Soap11(), out_protocol=Soap11()
        )
        self._server = _HttpServer(self.application)

    def call(self, octets: bytes, caller: object = None) -> bytes:
        """Run the function for the request's Body element.

        octets: a SOAP 1.1 envelope that we wrote ourselves. caller: what the function finds as `ctx.udc`.
        Raises ServiceFault, ServiceFoundNothing, ServiceBroken, and whatever AdapterError the function raised.
        """
        context = MethodContext(self._server, MethodContext.SERVER)
        context.in_string = [octets]
        context.udc = caller
        try:
            context = self._server.generate_contexts(context)[0]
            if context.in_error is None:
                self._server.get_in_object(context)
            if context.in_error is None:
                self._server.get_out_object(context)
            _raise_error(context)
            self._server.get_out_string(context)
            answer = b"".join(context.out_string)
        except (AdapterError, ServiceFault, ServiceFoundNothing, ServiceBroken):
            raise
        except Exception as cause:  # noqa: BLE001  whatever spyne meets while it reads or writes the service's types
            raise ServiceBroken(type(cause).__name__) from None
        return answer


def _raise_error(context: Any) -> None:  # noqa: ANN401
    if context.in_error is not None:
        raise ServiceBroken(type(context.in_error).__name__)
    if context.out_error is None:
        return
    raised = getattr(context.out_error, "cause", context.out_error)
    if isinstance(raised, AdapterError):
        raise raised
    if isinstance(raised, ResourceNotFoundError):
        raise ServiceFoundNothing
    if type(raised) is Fault:
        raise ServiceFault(str(raised.faultcode), str(raised.faultstring))
    raise ServiceBroken(type(raised).__name__)

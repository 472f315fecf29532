"""An information system that is a spyne service class, called in this process."""

from __future__ import annotations

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from adapter import xmlsafe
from adapter.backends.spyne_compat import (
    Application,
    Fault,
    MethodContext,
    ResourceNotFoundError,
    ServerBase,
    ServiceBase,
    Soap11,
)
from adapter.envelope.description import ServiceDescription
from adapter.envelope.soap import build_provider_request, parse_provider_answer
from adapter.errors import (
    AdapterError,
    NoSuchSubject,
    Problem,
    ProviderSystemFault,
    ProviderSystemInvalid,
    ProviderSystemTimeout,
    SettingsInvalid,
)
from adapter.stages import BackendAnswer, RecordedRequest, SoapVersion

_MAX_FAULT_TEXT_CHARS: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonBackendConfig:
    """handler: `module:Class` of the spyne service. timeout_s: for one answer, waiting for a thread included."""

    handler: str
    timeout_s: float = 20.0
    threads: int = 4
    max_answer_bytes: int = 32 * 1024 * 1024


class _UnexpectedError(Fault):  # type: ignore[misc]
    """The service raised something that is not a Fault. Its text may hold anything, so only its type is kept."""


class _QuietApplication(Application):  # type: ignore[misc]
    """spyne's application, but what the service raises is not turned into text."""

    def call_wrapper(self, ctx: Any) -> Any:  # noqa: ANN401
        """Call the service's function."""
        try:
            return super().call_wrapper(ctx)
        except Fault:
            raise
        except Exception as cause:  # noqa: BLE001  a service may raise anything
            raise _UnexpectedError("Server", type(cause).__name__) from None


class PythonBackend:
    """Implements ports.Backend. The service runs in threads of its own, never in the event loop.

    A thread cannot be stopped from outside: a service that hangs keeps its thread, and when all of them hang, every
    further request ends at its time-out.
    """

    def __init__(self, config: PythonBackendConfig, description: ServiceDescription) -> None:
        self._config = config
        self._server = ServerBase(_application(config.handler, description))
        self._limits = xmlsafe.XmlLimits(max_bytes=config.max_answer_bytes)
        self._threads = ThreadPoolExecutor(config.threads, thread_name_prefix="python-backend")

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        """Call the service's function for the Body's element.

        Raises ProviderSystemFault, NoSuchSubject (spyne's ResourceNotFoundError), ProviderSystemInvalid,
        ProviderSystemTimeout.
        """
        octets = build_provider_request(request.payload, SoapVersion.SOAP11)
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._call, octets)
        try:
            payload = await asyncio.wait_for(work, self._config.timeout_s)
        except TimeoutError:
            raise ProviderSystemTimeout(f"the service did not answer in {self._config.timeout_s} s") from None
        return BackendAnswer(payload=payload)

    async def close(self) -> None:
        """Stop the threads that are idle; one that runs ends with its call."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, octets: bytes) -> etree._Element:
        try:
            return parse_provider_answer(self._answer_octets(octets), self._limits)
        except AdapterError:
            raise
        except Exception as cause:  # noqa: BLE001  whatever spyne or the service's types raise while writing the answer
            raise ProviderSystemInvalid(f"the service's answer cannot be written: {type(cause).__name__}") from None

    def _answer_octets(self, octets: bytes) -> bytes:
        context = MethodContext(self._server, MethodContext.SERVER)
        context.in_string = [octets]
        context = self._server.generate_contexts(context)[0]
        if context.in_error is None:
            self._server.get_in_object(context)
        if context.in_error is None:
            self._server.get_out_object(context)
        if context.out_error is not None:
            raise _translated(context.out_error)
        self._server.get_out_string(context)
        return b"".join(context.out_string)


def _translated(fault: Any) -> AdapterError:  # noqa: ANN401
    """A Fault that the service raised on purpose carries its text on; anything else is named by its type only."""
    if isinstance(fault, _UnexpectedError):
        return ProviderSystemFault(f"the service raised {fault.faultstring}")
    if isinstance(fault, ResourceNotFoundError):
        return NoSuchSubject("the service found nothing")
    if type(fault) is not Fault:
        return ProviderSystemFault(f"the service or its framework refused the request: {type(fault).__name__}")
    text = " ".join(str(fault.faultstring).split())[:_MAX_FAULT_TEXT_CHARS]
    problem = Problem(
        line=0, column=0, element="Fault", rule=f"soap:{str(fault.faultcode)[:64]}", text=text or "No text."
    )
    return ProviderSystemFault("the service raised a fault", problems=(problem,))


def _application(handler: str, description: ServiceDescription) -> Application:
    """The service class as an application that listens in the namespace of the description. Raises SettingsInvalid."""
    module_name, _, class_name = handler.partition(":")
    try:
        service = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as cause:
        raise SettingsInvalid(f"{handler} cannot be imported: {type(cause).__name__}") from None
    if not (isinstance(service, type) and issubclass(service, ServiceBase)):
        raise SettingsInvalid(f"{handler} is not a spyne service class")
    namespaces = {etree.QName(operation.input_element).namespace or "" for operation in description.operations}
    if len(namespaces) != 1:
        raise SettingsInvalid("the description of a Python service must use one namespace for all requests")
    return _QuietApplication([service], tns=namespaces.pop(), in_protocol=Soap11(), out_protocol=Soap11())

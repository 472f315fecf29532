"""An information system that is a spyne service class, called in this process."""

from __future__ import annotations

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lxml import etree

from adapter import xmlsafe
from adapter.backends.spyne_call import InProcessService, ServiceBroken, ServiceFault, ServiceFoundNothing
from adapter.backends.spyne_compat import ServiceBase
from adapter.envelope.description import ServiceDescription
from adapter.envelope.soap import MAX_FAULT_TEXT_CHARS, build_provider_request, parse_provider_answer
from adapter.errors import (
    AdapterError,
    NoSuchSubject,
    Problem,
    ProviderSystemDown,
    ProviderSystemFault,
    ProviderSystemInvalid,
    ProviderSystemTimeout,
    SettingsInvalid,
)
from adapter.stages import BackendAnswer, RecordedRequest, SoapVersion

# What a service's function may raise on purpose, beside spyne's own Fault and ResourceNotFoundError.
_MAY_PASS = (NoSuchSubject, ProviderSystemDown, ProviderSystemFault, ProviderSystemInvalid, ProviderSystemTimeout)


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonBackendConfig:
    """handler: `module:Class` of the spyne service. timeout_s: for one answer, waiting for a thread included."""

    handler: str
    timeout_s: float = 20.0
    threads: int = 4
    max_answer_bytes: int = 32 * 1024 * 1024


class PythonBackend:
    """Implements ports.Backend. The service runs in threads of its own, never in the event loop.

    A thread cannot be stopped from outside: a service that hangs keeps its thread, and when all of them hang, every
    further request ends at its time-out.
    """

    def __init__(self, config: PythonBackendConfig, description: ServiceDescription) -> None:
        self._config = config
        self._service = _load(config.handler, description)
        self._limits = xmlsafe.XmlLimits(max_bytes=config.max_answer_bytes)
        self._threads = ThreadPoolExecutor(config.threads, thread_name_prefix="python-backend")

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        """Call the service's function for the Body's element.

        Raises ProviderSystemFault (a Fault on purpose carries its text, any other exception only its type),
        NoSuchSubject (spyne's ResourceNotFoundError), ProviderSystemInvalid, ProviderSystemTimeout.
        """
        octets = build_provider_request(request.payload, SoapVersion.SOAP11)
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._call, octets)
        try:
            payload, size = await asyncio.wait_for(work, self._config.timeout_s)
        except TimeoutError:
            raise ProviderSystemTimeout(f"the service did not answer in {self._config.timeout_s} s") from None
        return BackendAnswer(payload=payload, size=size)

    async def close(self) -> None:
        """Stop the threads that are idle; one that runs ends with its call."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, octets: bytes) -> tuple[etree._Element, int]:
        try:
            answer = self._service.call(octets)
        except ServiceFoundNothing:
            raise NoSuchSubject("the service found nothing") from None
        except ServiceFault as fault:
            raise _fault(fault) from None
        except ServiceBroken as broken:
            raise ProviderSystemFault(f"the service raised {broken}") from None
        except _MAY_PASS:
            raise
        except AdapterError as foreign:
            raise ProviderSystemFault(f"the service raised {type(foreign).__name__}") from None
        # What is no Exception (SystemExit, CancelledError) would end the event loop's task, or the worker with it.
        except BaseException as escape:  # noqa: BLE001
            raise ProviderSystemFault(f"the service raised {type(escape).__name__}") from None
        return parse_provider_answer(answer, self._limits), len(answer)


def _fault(fault: ServiceFault) -> ProviderSystemFault:
    text = " ".join(fault.text.split())[:MAX_FAULT_TEXT_CHARS]
    rule = f"soap:{fault.code[:64]}"
    problem = Problem(line=0, column=0, element="Fault", rule=rule, text=text or "No text.")
    return ProviderSystemFault("the service raised a fault", problems=(problem,))


def _load(handler: str, description: ServiceDescription) -> InProcessService:
    """The service class, listening in the namespace of the description. Raises SettingsInvalid."""
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
    return InProcessService(service, namespaces.pop())

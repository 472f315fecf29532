"""The adapter's own SOAP 1.1 services for the client systems of its agency (wsdl/adapter.wsdl)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Protocol

from lxml import etree

from adapter import xmlsafe
from adapter.backends import own_types as types
from adapter.backends.spyne_call import InProcessService, ServiceBroken, ServiceFault, ServiceFoundNothing
from adapter.backends.spyne_compat import ServiceBase, Wsdl11, rpc
from adapter.envelope import names
from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.schema import check_payload
from adapter.envelope.soap import build_provider_request
from adapter.envelope.xml_encoding import as_utf8
from adapter.errors import InternalError, MalformedMessage, NotSoap
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from adapter.stages import SoapVersion

CONTRACT: Final = "adapter.wsdl"
_PLACEHOLDER: Final = "http://localhost:8080/adapter"
_DOCUMENTATION: Final = (
    "The Interagency Adapter's own services for the systems of its agency. SOAP 1.1, document/literal; no header is "
    "needed. Who calls is known by certificate, token, password or address, as for every other service."
)
_KINDS: Final = (
    "types", "message", "portType", "binding", "service", "element", "complexType", "simpleType",
)  # fmt: skip
_BODY: Final = names.qname(names.SOAP11, "Body")
_REQUEST_LIMITS: Final = xmlsafe.XmlLimits(max_bytes=64 * 1024, max_depth=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberView:
    """An organisation. names: language tag to name."""

    id: MemberId
    names: Mapping[str, str]
    subsystems: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceView:
    """A service of the directory."""

    id: ServiceId
    title: str
    personal_data: bool
    regulations: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusView:
    """How the adapter is. The directory's values are None when there is no valid one."""

    member: MemberId
    software_version: str
    time: datetime
    ready: bool
    directory_version: int | None = None
    directory_issued: datetime | None = None
    directory_expires: datetime | None = None


class SiteView(Protocol):
    """What the own services tell of. Every method may block and may raise an AdapterError."""

    def members(self) -> Sequence[MemberView]:
        """All members of the directory."""

    def services(self) -> Sequence[ServiceView]:
        """All services of the directory."""

    def allowed_services(self, client: SubsystemId) -> Sequence[ServiceView]:
        """Those that this client system may call through this adapter."""

    def description(self, service: ServiceId) -> ServiceDescription:
        """A service's published description. Raises UnknownService."""

    def status(self) -> StatusView:
        """How the adapter is now."""


@dataclass(frozen=True, slots=True)
class _Caller:
    view: SiteView
    client: SubsystemId


class AdapterServices(ServiceBase):  # type: ignore[misc]
    """The functions. The docstrings of the operations are the contract's documentation."""

    @rpc(_returns=types.MemberModel.customize(**types.MANY), _out_variable_name="member")  # type: ignore[untyped-decorator]
    def listMembers(ctx: Any) -> list[types.MemberModel]:  # noqa: N802, N805
        """All members of the directory that the adapter holds."""
        return [
            types.MemberModel(
                id=str(member.id),
                name=[types.NameModel(language=tag, text=text) for tag, text in member.names.items()],
                subsystem=list(member.subsystems),
            )
            for member in _caller(ctx).view.members()
        ]

    @rpc(_returns=types.ServiceModel.customize(**types.MANY), _out_variable_name="service")  # type: ignore[untyped-decorator]
    def listServices(ctx: Any) -> list[types.ServiceModel]:  # noqa: N802, N805
        """All services of the directory, whoever may call them."""
        return [_service(service) for service in _caller(ctx).view.services()]

    @rpc(_returns=types.ServiceModel.customize(**types.MANY), _out_variable_name="service")  # type: ignore[untyped-decorator]
    def allowedServices(ctx: Any) -> list[types.ServiceModel]:  # noqa: N802, N805
        """The services that the calling system may ask for here. The provider decides on each request."""
        caller = _caller(ctx)
        return [_service(service) for service in caller.view.allowed_services(caller.client)]

    @rpc(  # type: ignore[untyped-decorator]
        types.ServiceName,
        _args=("service",),
        _returns=types.DescriptionModel.customize(**types.ALWAYS),
        _out_variable_name="description",
    )
    def getWsdl(ctx: Any, service: str) -> types.DescriptionModel:  # noqa: N802, N805
        """The WSDL and XSD documents of a service as its provider published them."""
        description = _caller(ctx).view.description(ServiceId.parse(service))
        return types.DescriptionModel(
            entry=description.entry,
            document=[
                types.DocumentModel(name=name, content=[octets])
                for name, octets in sorted(description.documents.items())
            ],
        )

    @rpc(_returns=types.StatusModel.customize(**types.ALWAYS), _out_variable_name="status")  # type: ignore[untyped-decorator]
    def getStatus(ctx: Any) -> types.StatusModel:  # noqa: N802, N805
        """Whether the adapter can carry exchanges, and which directory it holds."""
        status = _caller(ctx).view.status()
        return types.StatusModel(
            member=str(status.member),
            softwareVersion=status.software_version,
            time=status.time,
            ready=status.ready,
            directoryVersion=status.directory_version,
            directoryIssued=status.directory_issued,
            directoryExpires=status.directory_expires,
        )


def _caller(ctx: Any) -> _Caller:  # noqa: ANN401
    caller = ctx.udc
    if not isinstance(caller, _Caller):
        raise InternalError("an own service was called without a caller")
    return caller


def _service(service: ServiceView) -> types.ServiceModel:
    return types.ServiceModel(
        id=str(service.id),
        title=service.title,
        personalData=service.personal_data,
        regulation=list(service.regulations),
    )


def answer_own(octets: bytes, client: SubsystemId, view: SiteView, *, charset: str = "") -> bytes:
    """Answer one SOAP 1.1 request (untrusted) to the own services. Blocks: call it in a thread.

    client: the identified client system. Raises MalformedMessage, LimitExceeded, NotSoap, UnknownOperation,
    SchemaInvalid, and what the view raises; `envelope.faults` makes the Fault.
    """
    root = xmlsafe.parse(as_utf8(octets, charset=charset, error=MalformedMessage), _REQUEST_LIMITS)
    bodies = list(root.iterchildren(_BODY))
    if root.tag != names.qname(names.SOAP11, "Envelope") or len(bodies) != 1 or len(bodies[0]) != 1:
        raise NotSoap("not a SOAP 1.1 envelope with one Body element")
    payload = bodies[0][0]
    description = own_description()
    operation = description.operation_for(str(payload.tag))
    check_payload(description, payload, operation.input_element)
    try:
        return _service_in_process().call(build_provider_request(payload, SoapVersion.SOAP11), _Caller(view, client))
    except (ServiceFault, ServiceFoundNothing, ServiceBroken) as cause:
        raise InternalError(f"an own service failed: {type(cause).__name__} {cause}") from None


def own_contract(address: str = _PLACEHOLDER) -> bytes:
    """The WSDL of the own services. address: where they listen; a `?query` in it is left out."""
    there = xmlsafe.escape_attribute(address.partition("?")[0])
    return _contract().replace(_PLACEHOLDER.encode(), there.encode())


@cache
def _contract() -> bytes:
    """The contract with the placeholder in it, made once: spyne takes its time, and anybody may ask."""
    generator = Wsdl11(_service_in_process().application.interface)
    generator.build_interface_document(_PLACEHOLDER)
    root = xmlsafe.parse(generator.get_interface_document())
    _tidy(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


@cache
def own_description() -> ServiceDescription:
    """The same contract, read as any other service's."""
    return read_description({CONTRACT: own_contract()}.get, CONTRACT)


@cache
def _service_in_process() -> InProcessService:
    return InProcessService(AdapterServices, names.ADAPTER_SERVICES, "AdapterServices")


def _tidy(root: etree._Element) -> None:
    """The same contract as people write one: parts in the usual order, nothing that depends on the run."""
    for schema in root.iter(names.qname(names.XSD, "schema")):
        schema[:] = sorted(schema, key=lambda part: (_KINDS.index(etree.QName(part).localname), part.get("name", "")))
    for operation in root.iter(names.qname(names.WSDL, "operation")):
        if "parameterOrder" in operation.attrib:
            del operation.attrib["parameterOrder"]
    root[:] = sorted(root, key=lambda part: _KINDS.index(etree.QName(part).localname))
    documentation = etree.Element(names.qname(names.WSDL, "documentation"))
    documentation.text = _DOCUMENTATION
    root.insert(0, documentation)
    used = sorted({prefix for element in root.iter(etree.Element) for prefix in _value_prefixes(element)})
    etree.cleanup_namespaces(root, keep_ns_prefixes=used)
    etree.indent(root)


def _value_prefixes(element: etree._Element) -> list[str]:
    """Prefixes that attribute values of a WSDL use (types, messages, bindings)."""
    return [
        str(value).partition(":")[0]
        for key, value in element.attrib.items()
        if key in ("type", "element", "message", "binding", "base", "ref") and ":" in str(value)
    ]

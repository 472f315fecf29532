"""The types of the adapter's own SOAP services, as spyne models: wsdl/adapter.wsdl is generated from them."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from adapter.backends.spyne_compat import Boolean, ByteArray, ComplexModel, DateTime, Integer, Unicode
from adapter.envelope.names import ADAPTER_SERVICES

ALWAYS: Final = {"min_occurs": 1, "nillable": False}
MANY: Final = {"min_occurs": 0, "max_occurs": "unbounded", "nillable": False}


def _text(pattern: str, type_name: str, doc: str, **occurs: object) -> Any:  # noqa: ANN401
    """A restricted string of our namespace."""
    made = Unicode(pattern=pattern, type_name=type_name, doc=doc, **occurs)
    made.__namespace__ = ADAPTER_SERVICES
    return made


_SEGMENT: Final = "[A-Za-z0-9]([A-Za-z0-9._\\-]{0,62}[A-Za-z0-9])?"
MemberName: Final = _text(f"{_SEGMENT}(/{_SEGMENT}){{2}}", "MemberId", "instance/class/code", **ALWAYS)
ServiceName: Final = _text(
    f"{_SEGMENT}(/{_SEGMENT}){{5}}", "ServiceId", "instance/class/code/subsystem/service/version", **ALWAYS
)


class _Model(ComplexModel):  # type: ignore[misc]
    """All models are of our namespace."""

    __abstract__ = True
    __namespace__ = ADAPTER_SERVICES


class NameModel(_Model):
    """A name in one language."""

    __type_name__ = "Name"

    class Annotations(ComplexModel.Annotations):  # type: ignore[misc]
        """Goes into the contract."""

        doc = "A name in one language; language is a tag such as en, ru, uz, uz-Cyrl."

    _type_info: ClassVar = [("language", Unicode(**ALWAYS)), ("text", Unicode(**ALWAYS))]


class MemberModel(_Model):
    """An organisation of the directory."""

    __type_name__ = "Member"

    class Annotations(ComplexModel.Annotations):  # type: ignore[misc]
        """Goes into the contract."""

        doc = "An organisation of the directory, its names and the codes of its subsystems."

    _type_info: ClassVar = [
        ("id", MemberName),
        ("name", NameModel.customize(**MANY)),
        ("subsystem", Unicode(**MANY)),
    ]


class ServiceModel(_Model):
    """A service of the directory."""

    __type_name__ = "Service"

    class Annotations(ComplexModel.Annotations):  # type: ignore[misc]
        """Goes into the contract."""

        doc = "A service of the directory. personalData: a request must name a legal basis and the subject."

    _type_info: ClassVar = [
        ("id", ServiceName),
        ("title", Unicode(**ALWAYS)),
        ("personalData", Boolean(**ALWAYS)),
        ("regulation", Unicode(**MANY)),
    ]


class DocumentModel(_Model):
    """A WSDL or XSD document."""

    __type_name__ = "Document"

    class Annotations(ComplexModel.Annotations):  # type: ignore[misc]
        """Goes into the contract."""

        doc = "A WSDL or XSD document as its provider published it, octet for octet."

    _type_info: ClassVar = [("name", Unicode(**ALWAYS)), ("content", ByteArray(**ALWAYS))]


class DescriptionModel(_Model):
    """All documents of a service."""

    __type_name__ = "Description"

    class Annotations(ComplexModel.Annotations):  # type: ignore[misc]
        """Goes into the contract."""

        doc = "All documents of a service; entry is the name of the WSDL to begin with."

    _type_info: ClassVar = [
        ("entry", Unicode(**ALWAYS)),
        ("document", DocumentModel.customize(**MANY)),
    ]


class StatusModel(_Model):
    """How the adapter is."""

    __type_name__ = "Status"

    class Annotations(ComplexModel.Annotations):  # type: ignore[misc]
        """Goes into the contract."""

        doc = "How the adapter is: ready when it has a valid directory; the directory's numbers are absent without one."

    _type_info: ClassVar = [
        ("member", MemberName),
        ("softwareVersion", Unicode(**ALWAYS)),
        ("time", DateTime(**ALWAYS)),
        ("ready", Boolean(**ALWAYS)),
        ("directoryVersion", Integer(min_occurs=0, nillable=False)),
        ("directoryIssued", DateTime(min_occurs=0, nillable=False)),
        ("directoryExpires", DateTime(min_occurs=0, nillable=False)),
    ]

"""The services that this adapter provides: their settings, their contract, and the backend behind each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapter.app.expressions import check_expressions
from adapter.backends.assembly import build_backend, soap_packaging
from adapter.backends.usage import ABOUT_THE_SUBJECT, UsageDesk
from adapter.envelope.description import ServiceDescription, load_description
from adapter.errors import SettingsInvalid
from adapter.exchange.parts import NO_ATTACHMENTS, AttachmentBounds
from adapter.exchange.provider import ProvidedService
from adapter.exchange.validation import SubjectRule
from adapter.identifiers import MemberId, ServiceId
from adapter.pace import TransferBounds
from adapter.settings import ServiceSettings, load_service_settings
from adapter.settings.types import compile_xpath
from adapter.stages import Packaging

SETTINGS_FILE = "service.toml"
DESCRIPTION_FOLDER = "description"


def service_folders(services_dir: Path) -> tuple[Path, ...]:
    """The folders that hold a service, in the order of their names."""
    if not services_dir.is_dir():
        return ()
    return tuple(sorted(found.parent for found in services_dir.glob(f"*/{SETTINGS_FILE}")))


def load_service(folder: Path) -> tuple[ServiceSettings, ServiceDescription]:
    """One service's settings and contract, which fit together. Raises SettingsInvalid, DescriptionUnusable."""
    settings = load_service_settings(folder / SETTINGS_FILE)
    description = load_description(folder / DESCRIPTION_FOLDER, settings.wsdl)
    check_expressions(folder / SETTINGS_FILE, settings, description)
    return settings, description


def load_provided(
    services_dir: Path, own: MemberId, transfer: TransferBounds, desk: UsageDesk | None = None
) -> Mapping[ServiceId, ProvidedService]:
    """Every service, ready to answer. transfer: how slow a system's answer with attachments may come.

    desk: what knows our record, for a service that tells of it.

    Raises SettingsInvalid (also when two folders hold one service).
    """
    provided: dict[ServiceId, ProvidedService] = {}
    for folder in service_folders(services_dir):
        settings, description = load_service(folder)
        service = settings.service_id(own)
        if service in provided:
            raise SettingsInvalid(f"{folder / SETTINGS_FILE}: {service} is provided by another folder already")
        provided[service] = ProvidedService(
            description=description,
            backend=build_backend(settings, description, transfer, desk),
            subject_rule=_subject_rule(settings),
            attachments=_attachments(settings, description),
        )
    return provided


def _attachments(settings: ServiceSettings, description: ServiceDescription) -> AttachmentBounds:
    """Only systems that speak SOAP take any."""
    if settings.soap is None:
        return NO_ATTACHMENTS
    return AttachmentBounds(
        max_count=settings.soap.max_attachments,
        max_bytes=settings.soap.max_attachment_bytes,
        only_in_xml=soap_packaging(settings.soap, description) is Packaging.INLINE,
    )


def _subject_rule(settings: ServiceSettings) -> SubjectRule | None:
    if settings.usage is not None:
        return ABOUT_THE_SUBJECT
    if settings.subject_kind is None or settings.subject_xpath is None:
        return None
    return SubjectRule(kind=settings.subject_kind, xpath=compile_xpath(settings.subject_xpath, settings.namespaces))

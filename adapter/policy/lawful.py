"""What makes a transfer lawful at all, before any rule of access: checked alike by both adapters."""

from __future__ import annotations

from adapter.directory.model import Directory, DirectoryService
from adapter.errors import NoLegalBasis, UnknownPurpose, UnknownRegulation
from adapter.stages import PersonalData


def check_lawful(
    personal_data: PersonalData, regulation: str | None, service: DirectoryService, directory: Directory
) -> None:
    """What both adapters check alike: a known purpose, and a known kind of legal basis.

    A regulation that is named must be one that the register of e-services lists for this service, and where it lists
    some, one must be named (law on electronic government, articles 19, 20 and 27). A service that transfers personal
    data needs a legal basis and a subject. Raises UnknownPurpose, UnknownRegulation, NoLegalBasis.
    """
    if personal_data.purpose not in directory.purposes:
        raise UnknownPurpose("the purpose is not in the directory")
    basis = personal_data.legal_basis
    if basis is not None and basis.kind not in directory.legal_basis_kinds:
        raise UnknownPurpose("the kind of legal basis is not in the directory")
    if (regulation is not None or service.regulations) and regulation not in service.regulations:
        raise UnknownRegulation("the directory does not list this regulation for the service")
    if not service.personal_data:
        return
    if basis is None:
        raise NoLegalBasis("no legal basis for a service that transfers personal data")
    if not personal_data.subjects:
        raise NoLegalBasis("no subject for a service that transfers personal data")

"""What a directory says of a message in a file: is the sender a member, is the certificate the registered one."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509
from lxml import etree

from adapter.crypto.certificates import Purpose, check_chain, parse_certificate, sha256
from adapter.directory.model import Directory, Member
from adapter.envelope.gate_security import read_token
from adapter.envelope.lint import Examination
from adapter.envelope.lint_positions import find_positions
from adapter.envelope.lint_words import CERTIFICATE, MEMBER
from adapter.errors import AdapterError, Problem, SecurityFailed
from adapter.stages import GatedMessage, MessageKind


def check_security(examined: Examination, gated: GatedMessage, directory: Directory) -> Examination:
    """The examination with what the directory says of sender and certificate, as of the time that the message names."""
    problems: list[Problem] = []
    remarks = [*examined.remarks, "The signature is encrypted: checking it needs the recipient's keys (--keys)."]
    header = gated.claimed_header
    request = gated.kind is MessageKind.REQUEST
    claimed = header.claimed_consumer.member if request else header.service.subsystem.member
    try:
        directory.check_subsystem(header.claimed_consumer if request else header.service.subsystem)
        directory.service(header.service)
        member = directory.member(claimed)
        certificate, _ = parse_certificate(read_token(gated.token))
        _check_certificate(certificate, member)
        check_chain(certificate, directory.signing_cas, header.sent, Purpose.SIGNING)
    except AdapterError as refused:
        rule = MEMBER if refused.code.startswith("Unknown") else CERTIFICATE
        element = gated.exchange if rule == MEMBER else gated.token
        line, column = find_positions(gated.parsed.received.octets, gated.parsed.root).of(element)
        name = etree.QName(element).localname
        problems.append(Problem(line=line, column=column, element=name, rule=rule, text=f"{refused.reason}."))
    return replace(examined, problems=(*examined.problems, *problems), remarks=tuple(remarks))


def _check_certificate(certificate: x509.Certificate, member: Member) -> None:
    if sha256(certificate) not in {known.sha256 for known in member.signing}:
        raise SecurityFailed(f"the certificate is not registered as a signing certificate of {member.id}")

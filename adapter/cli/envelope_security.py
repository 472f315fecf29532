"""What a directory and the recipient's keys say of a message in a file: who signed it, and what is inside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509

from adapter.crypto.certificates import Purpose, check_chain, parse_certificate, sha256
from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.open import decrypt, verify
from adapter.directory.model import Directory, Member
from adapter.directory.trust import ChainCache, identify_signer
from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.carried import unwrap
from adapter.envelope.description import ServiceDescription
from adapter.envelope.lint import Examination
from adapter.envelope.lint_positions import UNKNOWN
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.errors import AdapterError, Problem, SecurityFailed
from adapter.stages import DecryptedMessage, GatedMessage, MessageKind, VerifiedMessage
from adapter.store.keyfiles import load_decryption_keys

_NO_KEYS = "The signature is encrypted: to check it, name the recipient's keys folder with --keys."


@dataclass(frozen=True, kw_only=True, slots=True)
class Judges:
    """What a message is judged by. keys: the recipient's, or None."""

    directory: Directory
    keys: DecryptionKeys | None
    description: ServiceDescription | None


def decryption_keys(folder: Path | None, passphrase_file: Path | None) -> DecryptionKeys | None:
    """The recipient's keys, if a folder was named. Raises KeyUnusable."""
    return None if folder is None else load_decryption_keys(folder, passphrase_file=passphrase_file)


def check_security(examined: Examination, gated: GatedMessage, judges: Judges) -> Examination:
    """The examination with what directory and keys say, as of the time at which the message says it was made."""
    created = gated.created
    found = _Found(examined, gated)
    found.attempt_sender(judges.directory, created)
    if judges.keys is None:
        return replace(examined, problems=found.all_of(), remarks=(*examined.remarks, _NO_KEYS))
    found.open(judges, created)
    return replace(examined, problems=found.all_of(), remarks=(*examined.remarks, *found.remarks))


class _Found:
    """The problems found so far, each at its element."""

    def __init__(self, examined: Examination, gated: GatedMessage) -> None:
        self._gated = gated
        self._places = examined.places
        self._problems = list(examined.problems)
        self.remarks: list[str] = []

    def all_of(self) -> tuple[Problem, ...]:
        """Those of the examination first."""
        return tuple(self._problems)

    def attempt_sender(self, directory: Directory, at: datetime) -> None:
        """Who the header says has sent it, and whether the certificate in the message is theirs."""
        header = self._gated.claimed_header
        sender = header.claimed_consumer if self._gated.kind is MessageKind.REQUEST else header.service.subsystem
        try:
            member = directory.check_subsystem(sender)
            directory.service(header.service)
        except AdapterError as unknown:
            self._note(names.EXCHANGE, words.MEMBER, unknown)
            return
        try:
            certificate, _ = parse_certificate(self._gated.certificate)
            _check_registered(certificate, member)
            check_chain(certificate, directory.signing_cas, at, Purpose.SIGNING)
        except AdapterError as refused:
            self._note(names.BINARY_SECURITY_TOKEN, words.CERTIFICATE, refused)

    def open(self, judges: Judges, at: datetime) -> None:
        """Decrypt, verify, find the signer, and look at the Body; each only if the step before went well."""
        decrypted = self._decrypted(judges)
        verified = None if decrypted is None else self._verified(decrypted)
        if verified is None:
            return
        try:
            signer = identify_signer(verified, directory=judges.directory, at=at, chains=ChainCache())
            self.remarks.append(f"Signed by {signer}, in suite {verified.suite}.")
        except AdapterError as refused:
            self._note(names.BINARY_SECURITY_TOKEN, words.TRUST, refused)
        self._check_body(verified, judges.description)

    def _decrypted(self, judges: Judges) -> DecryptedMessage | None:
        try:
            return decrypt(self._gated, judges.keys or DecryptionKeys(()))
        except AdapterError as refused:
            self._note(names.SOAP12_BODY, words.DECRYPTION, refused)
            return None

    def _verified(self, decrypted: DecryptedMessage) -> VerifiedMessage | None:
        try:
            return verify(decrypted)
        except AdapterError as refused:
            self._note(names.BINARY_SECURITY_TOKEN, words.SIGNATURE, refused)
            return None

    def _check_body(self, verified: VerifiedMessage, description: ServiceDescription | None) -> None:
        if description is None:
            self.remarks.append("The Body was not compared with a service description: name one with --wsdl.")
            return
        try:
            content = unwrap(verified.payload)
            is_reply = verified.kind is MessageKind.REPLY
            named = verified.header.operation
            operation = description.operation(named, None if is_reply else str(content.body.tag))
            check_with_attachments(
                description, verified.payload, content, operation, verified.attachments, in_output=is_reply
            )
        except AdapterError as refused:
            self._problems += refused.problems
            if not refused.problems:
                self._note(names.SOAP12_BODY, words.OPERATION, refused)

    def _note(self, tag: str, rule: str, refused: AdapterError) -> None:
        line, column = self._places.get(tag, UNKNOWN)
        name = tag.rpartition("}")[2]
        text = f"{refused.reason[:1].upper()}{refused.reason[1:]}."
        self._problems.append(Problem(line=line, column=column, element=name, rule=rule, text=text))


def _check_registered(certificate: x509.Certificate, member: Member) -> None:
    if sha256(certificate) not in {known.sha256 for known in member.signing}:
        raise SecurityFailed(f"the certificate is not registered as a signing certificate of {member.id}")

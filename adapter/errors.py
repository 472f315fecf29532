"""The one family of errors. Inside, an exception with a code; outside, `envelope.faults` maps it to a SOAP Fault.

Every class below is one row of the closed catalogue (`docs/errors.md` is generated from it). What a stranger may read
is fixed by the class: `text` never carries a value taken from a message. The full reason is `reason`; it goes to the
record and never to the wire. Only reasons that concern the adapter's own files, database and directory are logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Blame(Enum):
    """Whose side has to act before the same request can succeed."""

    CLIENT_SYSTEM = "client-system"
    CONSUMER_ADAPTER = "consumer-adapter"
    NETWORK = "network"
    PROVIDER_ADAPTER = "provider-adapter"
    PROVIDER_SYSTEM = "provider-system"
    DIRECTORY = "directory"
    OPERATOR = "operator"


class Retry(Enum):
    """Whether the same request may succeed later without anybody changing anything."""

    NO = "no"
    LATER = "later"
    CHECK_FIRST = "check-first"
    """Only after somebody found out whether the request took effect: it may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong with a document, in words, without any value taken from it.

    line and column count from 1; 0 means that the document gives no position. pointer: of a JSON document (RFC 6901);
    it may repeat names that the sender made up, so it goes back to the sender and nowhere else.
    """

    line: int
    column: int
    element: str
    rule: str
    text: str
    pointer: str = ""


class AdapterError(Exception):
    """Base of every error that this program raises on purpose.

    reason: the full internal reason, for the record and for an administrator; never for whoever sent the message.
    problems: findings that may be shown to whoever sent the document.
    wait_s: seconds after which it is worth to ask again, where that can be said of the error in general.
    """

    code: ClassVar[str] = ""
    blame: ClassVar[Blame]
    retry: ClassVar[Retry] = Retry.NO
    text: ClassVar[str] = ""
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    wait_s: ClassVar[int | None] = None

    def __init__(
        self, reason: str = "", *, problems: tuple[Problem, ...] = (), retry_after_s: int | None = None
    ) -> None:
        """retry_after_s: seconds until the same request may succeed, where that is known better than wait_s says."""
        super().__init__(reason or self.text)
        self.reason = reason or self.text
        self.problems = problems
        self.retry_after_s = self.wait_s if retry_after_s is None else retry_after_s


# --- what the client system sent -------------------------------------------------------------------------------------


class _ClientError(AdapterError):
    blame = Blame.CLIENT_SYSTEM
    http_status = 500  # SOAP 1.1 (6.2) wants 500 for every fault; a SOAP 1.2 listener maps Sender faults to 400.


class MalformedMessage(_ClientError):
    code = "MalformedMessage"
    text = "The message is not well-formed XML in an allowed encoding, or contains a document type declaration."


class LimitExceeded(_ClientError):
    code = "LimitExceeded"
    text = "The message is larger, deeper or has more parts than this adapter accepts."


class NotSoap(_ClientError):
    code = "NotSoap"
    text = "The message is not a SOAP 1.1 or SOAP 1.2 envelope with exactly one element in its Body."


class MalformedJson(_ClientError):
    code = "MalformedJson"
    text = "The request is not a JSON object in UTF-8 of the type application/json, or names a member twice."


class HeaderNotUnderstood(_ClientError):
    code = "HeaderNotUnderstood"
    text = "A header marked mustUnderstand is not known to this adapter."


class ClientNotIdentified(_ClientError):
    code = "ClientNotIdentified"
    text = "The calling system could not be identified by certificate, token, password or address."
    http_status = 401


class ClientNotAllowed(_ClientError):
    code = "ClientNotAllowed"
    text = "The calling system is not allowed to use this service through this adapter."
    http_status = 403


class UnknownService(_ClientError):
    code = "UnknownService"
    text = "There is no such service in the directory or at this adapter."
    http_status = 404


class UnknownOperation(_ClientError):
    code = "UnknownOperation"
    text = "The service has no operation for this Body element."


class ContextMissing(_ClientError):
    code = "ContextMissing"
    text = (
        "The request does not say who asks and for which purpose: send the RequestContext header (JSON: context; "
        "X-Road: userId says who asks)."
    )


class ContextInvalid(_ClientError):
    code = "ContextInvalid"
    text = "The RequestContext header (JSON: context) does not have the form that its schema requires."


class XRoadHeaderInvalid(_ClientError):
    code = "XRoadHeaderInvalid"
    text = "An X-Road header of the request is missing, repeated, not supported or has a wrong form."


class UnknownPurpose(_ClientError):
    code = "UnknownPurpose"
    text = "The purpose or the kind of legal basis named in the request is not in the directory."


class UnknownRegulation(_ClientError):
    code = "UnknownRegulation"
    text = "The regulation named in the request is not one that the directory lists for this service, or none is named."


class NoLegalBasis(_ClientError):
    code = "NoLegalBasis"
    text = "The service transfers personal data and the request names no legal basis or no subject."


class ConsentIssuerUnknown(_ClientError):
    code = "ConsentIssuerUnknown"
    text = (
        "The consent that the request names is not written ISSUER/ID, or the directory names no such issuer for this "
        "kind of legal basis."
    )


class ConsentUnknown(_ClientError):
    code = "ConsentUnknown"
    text = "The issuer has no consent with the id that the request names."


class ConsentRevoked(_ClientError):
    code = "ConsentRevoked"
    text = "The person has taken the consent back."


class ConsentExpired(_ClientError):
    code = "ConsentExpired"
    text = "The term of the consent is over."


class ConsentNotYetValid(_ClientError):
    code = "ConsentNotYetValid"
    text = "The term of the consent has not begun."


class ConsentOfAnotherSubject(_ClientError):
    code = "ConsentOfAnotherSubject"
    text = "The consent is not that of exactly the person whom the request is about."


class ConsentForAnotherConsumer(_ClientError):
    code = "ConsentForAnotherConsumer"
    text = "The consent does not let this consumer, the party that it represents, or its country have the data."


class ConsentForAnotherPurpose(_ClientError):
    code = "ConsentForAnotherPurpose"
    text = "The consent is not for the purpose of the request."


class ConsentForOtherData(_ClientError):
    code = "ConsentForOtherData"
    text = "The consent is not for this service, or for no field that the access rule lets out."


class InvalidIdentifier(_ClientError):
    code = "InvalidIdentifier"
    text = "An identifier in the request has a wrong form or a wrong check digit."


class SubjectMismatch(_ClientError):
    code = "SubjectMismatch"
    text = "The person asked about in the Body is not among the subjects that the request declares."


class AttachmentsInvalid(_ClientError):
    code = "AttachmentsInvalid"
    text = "The message is not a multipart/related message with an envelope and attachments that fit together."


class AttachmentInfected(_ClientError):
    code = "AttachmentInfected"
    text = "The provider's adapter looked for malware in an attachment of the request and found some."


class TooManyRequests(_ClientError):
    code = "TooManyRequests"
    text = (
        "The calling system asked more often, or was refused more often, than this adapter allows one system; "
        "ask again when the time named in the answer is over."
    )
    retry = Retry.LATER
    http_status = 429
    wait_s = 1


class SchemaInvalid(_ClientError):
    code = "SchemaInvalid"
    text = "The Body is not valid against the service's schema."


# --- the consumer's adapter ------------------------------------------------------------------------------------------


class _ConsumerAdapterError(AdapterError):
    blame = Blame.CONSUMER_ADAPTER


class EnvelopeRefused(_ConsumerAdapterError):
    code = "EnvelopeRefused"
    text = "The message does not have the structure that the common envelope requires."
    http_status = 400


class SecurityFailed(_ConsumerAdapterError):
    """The one public answer to every cryptographic failure (promise 7)."""

    code = "SecurityFailed"
    text = "The security of the message could not be verified."
    http_status = 400


class PeerMismatch(_ConsumerAdapterError):
    code = "PeerMismatch"
    text = "The connection was not made by the adapter that serves the member named in the message."
    http_status = 403


class UnknownMember(_ConsumerAdapterError):
    code = "UnknownMember"
    text = "The member or subsystem named in the message is not in the directory."
    http_status = 403


class NotForUs(_ConsumerAdapterError):
    code = "NotForUs"
    text = "The message names a service that another adapter provides."
    http_status = 400


class MessageExpired(_ConsumerAdapterError):
    code = "MessageExpired"
    text = "The message is expired, not yet valid, or its lifetime is longer than allowed."
    http_status = 400


class MessageIdReused(_ConsumerAdapterError):
    code = "MessageIdReused"
    text = "A message with this id and another content was received before."
    http_status = 409


class MessageInProgress(_ConsumerAdapterError):
    code = "MessageInProgress"
    text = "A message with this id is being answered; ask again with the same message."
    retry = Retry.LATER
    http_status = 409


class AccessDenied(_ConsumerAdapterError):
    code = "AccessDenied"
    text = "No access rule allows this request."
    http_status = 403


class PeerTooManyRequests(_ConsumerAdapterError):
    code = "PeerTooManyRequests"
    text = (
        "The consumer's adapter asked more often, or was refused more often, than the provider's allows one adapter; "
        "ask again when the time named in the answer is over."
    )
    retry = Retry.LATER
    http_status = 429
    wait_s = 1


class TimeStampOverdue(_ConsumerAdapterError):
    """The consumer's own record has not been time-stamped for longer than the directory allows."""

    code = "TimeStampOverdue"
    text = (
        "The record of the consumer's adapter has waited for a time-stamp longer than the directory allows; until it "
        "gets one, nothing with personal data is asked. Other exchanges go on."
    )
    retry = Retry.LATER
    http_status = 503
    wait_s = 60


class DeliveryNotRecorded(_ConsumerAdapterError):
    """The provider has answered: unlike RecordUnavailable, something may have taken effect."""

    code = "DeliveryNotRecorded"
    text = "The provider answered, but the answer could not be recorded by the consumer's adapter and is withheld."
    retry = Retry.CHECK_FIRST
    http_status = 503


class AnswerNotScanned(_ConsumerAdapterError):
    """The provider has answered: unlike ScanUnavailable, something may have taken effect."""

    code = "AnswerNotScanned"
    text = "The provider answered, but nobody could look for malware in the answer's attachments; it is withheld."
    retry = Retry.CHECK_FIRST
    http_status = 503


class AnswerNotHeld(_ConsumerAdapterError):
    """The provider has answered: unlike Overloaded, something may have taken effect."""

    code = "AnswerNotHeld"
    text = "The provider answered with more or larger attachments than the consumer's adapter has room for."
    retry = Retry.CHECK_FIRST
    http_status = 503


# --- the network -----------------------------------------------------------------------------------------------------


class _NetworkError(AdapterError):
    blame = Blame.NETWORK
    retry = Retry.LATER
    http_status = 502


class PeerUnreachable(_NetworkError):
    code = "PeerUnreachable"
    text = "The provider's adapter could not be reached."


class PeerTimeout(_NetworkError):
    code = "PeerTimeout"
    text = "The provider's adapter did not answer in time or broke off; whether the request took effect is not known."
    retry = Retry.CHECK_FIRST
    http_status = 504


class RequestIncomplete(_NetworkError):
    code = "RequestIncomplete"
    text = "The request was not received completely in the time allowed."
    http_status = 408


# --- the provider's adapter ------------------------------------------------------------------------------------------


class _ProviderAdapterError(AdapterError):
    blame = Blame.PROVIDER_ADAPTER


class PeerAnswerInvalid(_ProviderAdapterError):
    code = "PeerAnswerInvalid"
    text = "The provider's adapter sent an answer that could not be verified."
    http_status = 502


class PeerRefused(_ProviderAdapterError):
    code = "PeerRefused"
    text = "The provider's adapter refused the message before it could verify who sent it."
    http_status = 502


class OutcomeUnknown(_ProviderAdapterError):
    code = "OutcomeUnknown"
    text = "An earlier attempt with this message id was interrupted; whether it took effect is not known."
    retry = Retry.CHECK_FIRST
    http_status = 409


class AnswerNotKept(_ProviderAdapterError):
    code = "AnswerNotKept"
    text = (
        "The request was answered before; the answer had attachments, which are not kept to be sent again, or its "
        "time to be kept is over."
    )
    retry = Retry.CHECK_FIRST
    http_status = 409


class ScanUnavailable(_ProviderAdapterError):
    code = "ScanUnavailable"
    text = "Nobody could look for malware in the attachments of the request, so it was not carried out."
    retry = Retry.LATER
    http_status = 503


class RecordUnavailable(_ProviderAdapterError):
    code = "RecordUnavailable"
    text = "The exchange could not be recorded, so it was not carried out."
    retry = Retry.LATER
    http_status = 503


class ProviderTimeStampOverdue(_ProviderAdapterError):
    """TimeStampOverdue, of the provider's record."""

    code = "ProviderTimeStampOverdue"
    text = (
        "The record of the provider's adapter has waited for a time-stamp longer than the directory allows; until it "
        "gets one, it answers nothing with personal data. Other exchanges go on."
    )
    retry = Retry.LATER
    http_status = 503
    wait_s = 60


class AnswerNotRecorded(_ProviderAdapterError):
    """The information system has answered: unlike RecordUnavailable, something may have taken effect."""

    code = "AnswerNotRecorded"
    text = "The request was carried out, but its answer could not be recorded and is withheld."
    retry = Retry.CHECK_FIRST
    http_status = 503


class AnswerNotReleasable(_ProviderAdapterError):
    """The information system has answered, and its rule of access lets out less than the schema wants."""

    code = "AnswerNotReleasable"
    text = (
        "The request was carried out, but its answer cannot be cut down to the fields that the access rule "
        "lets out and stay valid, so it is withheld."
    )


class Overloaded(_ProviderAdapterError):
    code = "Overloaded"
    text = "The adapter is at its limit of simultaneous requests."
    retry = Retry.LATER
    http_status = 503
    wait_s = 1


class InternalError(_ProviderAdapterError):
    code = "InternalError"
    text = "The adapter met an unexpected error; its operators find it by the incident id."


# --- the provider's information system -------------------------------------------------------------------------------


class _ProviderSystemError(AdapterError):
    blame = Blame.PROVIDER_SYSTEM
    http_status = 502


class ProviderSystemDown(_ProviderSystemError):
    code = "ProviderSystemDown"
    text = "The provider's information system could not be reached."
    retry = Retry.LATER
    http_status = 503


class ProviderSystemTimeout(_ProviderSystemError):
    code = "ProviderSystemTimeout"
    text = "The provider's information system did not answer in time; whether the request took effect is not known."
    retry = Retry.CHECK_FIRST
    http_status = 504


class ProviderSystemInvalid(_ProviderSystemError):
    code = "ProviderSystemInvalid"
    text = "The provider's information system answered with something that is not a valid reply of the service."


class ProviderSystemFault(_ProviderSystemError):
    """The information system answered with a SOAP Fault of its own; that fault's text is in the problems."""

    code = "ProviderSystemFault"
    text = "The provider's information system answered with a fault."
    http_status = 500


class AnswerInfected(_ProviderSystemError):
    code = "AnswerInfected"
    text = "The consumer's adapter looked for malware in an attachment of the answer and found some."


class NoSuchSubject(_ProviderSystemError):
    code = "NoSuchSubject"
    text = "The provider's information system holds no data for this request."
    http_status = 500


# --- the directory ---------------------------------------------------------------------------------------------------


class _DirectoryError(AdapterError):
    blame = Blame.DIRECTORY
    http_status = 503


class DirectoryUnavailable(_DirectoryError):
    code = "DirectoryUnavailable"
    text = "There is no valid directory, so nobody can be trusted."
    retry = Retry.LATER


class DirectoryExpired(_DirectoryError):
    code = "DirectoryExpired"
    text = "The directory is past its expiry, so nobody can be trusted."
    retry = Retry.LATER


class RefusedBecause(Enum):
    """Why what a repository of the directory answered was not believed: for the log, the figures and `doctor`."""

    SIGNATURE = "signature"
    """Fewer good signatures than the threshold, or by other keys."""
    ROLLBACK = "rollback"
    """Older than what is known already."""
    FREEZE = "freeze"
    """The time-stamp or the snapshot has expired: somebody shows yesterday's repository, or nobody renews it."""
    FORK = "fork"
    """Another content under a version that is known already."""
    MISMATCH = "mismatch"
    """Files of different versions together, or a file that is not the one that the metadata names."""
    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    """Not in the form of TUF metadata or of xsd/directory.xsd, or it contradicts itself."""
    ROOT_EXPIRED = "root-expired"
    CLOCK = "clock"
    """Issued in the future, by our clock."""


class DirectoryRefused(_DirectoryError):
    code = "DirectoryRefused"
    text = "A directory was refused: wrong signature, wrong form, or older than the one already known."

    def __init__(
        self,
        reason: str = "",
        *,
        because: RefusedBecause = RefusedBecause.MALFORMED,
        problems: tuple[Problem, ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(reason, problems=problems, retry_after_s=retry_after_s)
        self.because = because


class StatusUnavailable(_DirectoryError):
    """The directory demands a status, and there is none that is fresh: nothing is known against the certificate."""

    code = "StatusUnavailable"
    text = "Whether a certificate was revoked cannot be learnt from its authority at the moment."
    retry = Retry.LATER
    wait_s = 30


class StatusOutdated(StatusUnavailable):
    """One status that came is too old, from the future or no status at all; another may be better."""

    code = "StatusOutdated"
    text = "What is known of a certificate's revocation is out of date."


class ConsentInvalid(_DirectoryError):
    """The one public answer to whatever is wrong with the signature of a statement (promise 7)."""

    code = "ConsentInvalid"
    text = "The statement of consent is not one that its issuer signed."


class ConsentUnavailable(_DirectoryError):
    """What is known of the status is older than the directory allows, and the issuer does not answer."""

    code = "ConsentUnavailable"
    text = "Whether the consent holds cannot be learnt from its issuer at the moment."
    retry = Retry.LATER
    wait_s = 30


# --- the operator at the command line --------------------------------------------------------------------------------


class _OperatorError(AdapterError):
    blame = Blame.OPERATOR
    exit_code = 2


class SettingsInvalid(_OperatorError):
    code = "SettingsInvalid"
    text = "The settings file has a mistake."


class KeyUnusable(_OperatorError):
    code = "KeyUnusable"
    text = "A key or certificate file is missing, unsafe or does not fit."
    exit_code = 3


class KeyUnreachable(KeyUnusable):
    """A key that was good when the adapter started; its token does not answer now."""

    code = "KeyUnreachable"
    text = "The adapter cannot reach its keys at the moment."
    retry = Retry.LATER
    http_status = 503


class NotIssuedBecause(Enum):
    """Why there is no certificate from a CA that was asked by ACME: for the log, the figures and `doctor`."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    """The CA said no, or did not find the answer to its challenge."""
    MALFORMED = "malformed"
    """Not what RFC 8555 lets a CA say, too large, or it leads to another host."""


class CertificateNotIssued(_OperatorError):
    code = "CertificateNotIssued"
    text = "The certificate authority did not issue a certificate."
    retry = Retry.LATER
    exit_code = 9

    def __init__(
        self,
        reason: str = "",
        *,
        problems: tuple[Problem, ...] = (),
        because: NotIssuedBecause = NotIssuedBecause.MALFORMED,
    ) -> None:
        super().__init__(reason, problems=problems)
        self.because = because


class StoreUnusable(_OperatorError):
    code = "StoreUnusable"
    text = "The database is missing, locked, full, damaged or of another version."
    exit_code = 4


class DescriptionUnusable(_OperatorError):
    code = "DescriptionUnusable"
    text = "The service description (WSDL or XSD) cannot be used."
    exit_code = 5


class RecordBroken(_OperatorError):
    code = "RecordBroken"
    text = "The record is not what its checkpoints say: something was changed or removed."
    exit_code = 6


class EvidenceInvalid(_OperatorError):
    code = "EvidenceInvalid"
    text = "The evidence does not prove what it claims."
    exit_code = 7


class CommandRefused(_OperatorError):
    code = "CommandRefused"
    text = "The command cannot be carried out as it was given."


class ApprovalNeeded(_OperatorError):
    code = "ApprovalNeeded"
    text = "The act needs the approval of two officers; it was not done."
    retry = Retry.LATER
    exit_code = 8


def catalogue() -> tuple[type[AdapterError], ...]:
    """Every concrete error class, in the order of this file: the closed catalogue."""
    found: list[type[AdapterError]] = []

    def walk(parent: type[AdapterError]) -> None:
        for child in parent.__subclasses__():
            if child.code:
                found.append(child)
            walk(child)

    walk(AdapterError)
    return tuple(found)

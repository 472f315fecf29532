"""The faults of trust that `adapter doctor` can name: a closed table, each with a code for scripts and a sentence.

The sentence says what is wrong in general and is translated; which file, key or entry it is, and what to do, stands in
the finding. Each has a case that is injected into a working installation (tests/unit/cli/test_trust_faults.py), and a
row in docs/doctor.md.
"""

from __future__ import annotations

from enum import Enum


class TrustFault(Enum):
    """A code, which stays, and its sentence."""

    KEY_MISSING = ("key-missing", "A key that the adapter needs is not there.")
    KEY_UNREADABLE = ("key-unreadable", "A private key or its certificate cannot be read.")
    KEY_OPEN = ("key-open-to-others", "Others on this machine can read a private key.")
    KEY_OF_OTHER_USE = ("key-of-other-use", "A private key or its certificate is for another use.")
    KEY_WEAK = ("key-weak", "A private key is too weak, or of a kind that no suite has.")
    KEY_OVER = ("key-over", "Every key of one purpose was retired or revoked.")
    KEY_OVER_IN_SETTINGS = ("key-over-in-settings", "The settings name a key that was retired or revoked.")
    TOKEN_UNREACHABLE = ("token-unreachable", "The token that holds the keys cannot be reached.")
    TOKEN_KEY_UNUSABLE = ("token-key-unusable", "The token lacks a key, or does not let it do what it is for.")
    CERTIFICATE_MISSING = ("certificate-missing", "A private key has no certificate yet.")
    CERTIFICATE_OF_OTHER_KEY = ("certificate-of-other-key", "A certificate does not fit its private key.")
    CERTIFICATE_EXPIRED = ("certificate-expired", "A certificate of this adapter has expired.")
    CERTIFICATE_ENDS_SOON = ("certificate-ends-soon", "A certificate of this adapter expires soon.")
    CERTIFICATE_NOT_YET = ("certificate-not-yet-valid", "A certificate of this adapter is not valid yet.")
    RENEWAL_FAILED = ("renewal-failed", "The TLS certificate could not be renewed by ACME.")
    CERTIFICATE_REVOKED = ("certificate-revoked", "The CA has revoked a certificate of this adapter.")
    STATUS_UNAVAILABLE = ("status-unavailable", "Nobody says whether a certificate of this adapter is revoked.")
    STATUS_REFUSED = ("status-refused", "What is said of a certificate's status cannot be believed.")
    MEMBER_UNKNOWN = ("member-unknown", "The directory does not know this member.")
    NOT_REGISTERED = ("certificate-not-registered", "The directory names another certificate than this adapter has.")
    REVOKED_STILL_NAMED = ("revoked-key-registered", "The directory still names a key that was revoked here.")
    RECORD_KEY_OTHER = ("record-key-not-registered", "The directory names another record key than this adapter has.")
    CA_NOT_NAMED = ("ca-not-in-directory", "The directory does not name the CA of a certificate of this adapter.")
    CA_OF_OTHER_USE = ("ca-for-other-use", "The CA of a certificate of this adapter may not issue it for this use.")
    PATH_REFUSED = ("certificate-path-refused", "The path from a certificate of this adapter to its CA is not good.")
    SUITE_ENDED = ("suite-ended", "The directory has ended the suite of this member.")
    ENDED = ("ended", "Something that this adapter depends on has ended.")
    ENDS_SOON = ("ends-soon", "Something that this adapter depends on ends soon.")
    DIRECTORY_IN_GRACE = ("directory-in-grace", "The directory has expired, and its grace is running.")
    DIRECTORY_EXPIRED = ("directory-expired", "The directory has expired, and nothing is believed any more.")
    DIRECTORY_FROZEN = ("directory-frozen", "The directory's time-stamp is not renewed, or yesterday's is shown.")
    DIRECTORY_ROLLED_BACK = (
        "directory-rolled-back",
        "An older or a second directory is shown instead of the known one.",
    )
    DIRECTORY_OF_OTHERS = (
        "directory-of-another-authority",
        "The anchor and the directory are of different authorities.",
    )
    DIRECTORY_UNSIGNED = ("directory-signature-missing", "The directory lacks good signatures of enough officers.")
    DIRECTORY_BROKEN = ("directory-broken", "The directory is incomplete, too large, or not in its form.")
    DIRECTORY_UNAVAILABLE = ("directory-unavailable", "The directory cannot be read at its addresses.")
    MIRROR_REFUSED = ("mirror-refused", "One mirror of the directory shows what cannot be believed.")
    CLOCK_OFF = ("clock-off", "The clock of this machine is wrong.")
    STAMP_OVERDUE = ("time-stamp-overdue", "The record has waited too long for a time-stamp.")
    STAMP_REFUSED = ("time-stamp-refused", "A time-stamp authority does not stamp, or its stamp is not believed.")
    RECORD_BROKEN = ("record-broken", "The record was changed.")
    SETTINGS_REFUSED = ("settings-refused", "The settings contradict themselves or have mistakes.")
    OFFICERS_UNFIT = ("officers-not-two", "The officers of the approvals are not different people with different keys.")
    APPROVALS_DIFFER = ("approvals-differ", "The settings ask for other approvals than are in force.")
    PEER_UNREACHABLE = ("peer-unreachable", "A peer does not answer at the address that the directory names.")
    PEER_OF_OTHERS = ("peer-other-certificate", "A peer's address shows a TLS certificate that is not registered.")

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence

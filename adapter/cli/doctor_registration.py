"""What `adapter doctor` compares: this adapter's keys and services with what the directory says of its member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509

from adapter.app.provided import load_service, service_folders
from adapter.audit.key_life import LifeState
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.key_files import KeyFile, KeyState, use_of
from adapter.cli.own_record import record_signer
from adapter.cli.token_keys import survey_all
from adapter.cli.trust_faults import TrustFault
from adapter.crypto.certificates import Purpose, check_chain
from adapter.directory.model import Directory, Member
from adapter.errors import SecurityFailed
from adapter.settings import Settings

_AGAIN: Final = "adapter registration, and hand it to the authority"
_AT_ONCE: Final = (
    "adapter registration, hand it to the authority at once, and tell the CA: until then others believe it."
)
_SHORT: Final = 12
_CURRENT: Final = frozenset({KeyState.READY, KeyState.EXPIRES_SOON})


def look_at_registration(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Whether the directory knows this member with these certificates and services, and the CAs that issued them."""
    member = directory.members.get(settings.member)
    if member is None:
        said = f"directory version {directory.version} does not name {settings.member}"
        yield fail("registered", said, _AGAIN, TrustFault.MEMBER_UNKNOWN)
        return
    keys = survey_all(settings, now)
    for purpose, known in registered_certificates(member).items():
        own = [key for key in keys if key.purpose == purpose and key.certificate is not None]
        yield from _of_purpose(purpose, known, own, member)
        for key in own:
            if key.fingerprint in known and key.state in _CURRENT and not key.is_over:
                yield _path(key, member, directory, now)
    yield from _record_key(settings, member)
    for folder in service_folders(settings.adapter.services_dir):
        service = load_service(folder)[0].service_id(settings.member)
        if service not in directory.services:
            yield warn("registered service", f"{service} is not in the directory: nobody can call it", _AGAIN)


def registered_certificates(member: Member) -> dict[str, frozenset[str]]:
    """The fingerprints that the directory has of a member, hexadecimal, by purpose."""
    listed = {"signing": member.signing, "agreement": member.agreement, "tls": member.adapter.tls_certificates}
    return {purpose: frozenset(one.sha256.hex() for one in known) for purpose, known in listed.items()}


def _of_purpose(purpose: str, known: frozenset[str], own: Sequence[KeyFile], member: Member) -> Iterator[Finding]:
    what = f"registered {purpose}"
    for key in own:
        if key.fingerprint in known and key.life is not None and key.life.state is LifeState.REVOKED:
            said = f"the directory still names {key.name}, which was revoked here on {key.life.since:%Y-%m-%d}"
            yield fail(what, said, _AT_ONCE, TrustFault.REVOKED_STILL_NAMED)
    if any(key.fingerprint in known and not key.is_over for key in own):
        yield ok(what, f"the directory names our certificate (suite {member.suite})")
        return
    ours = ", ".join(
        f"{key.path.with_suffix('.pem').name} ({_short(key.fingerprint)})" for key in own if not key.is_over
    )
    if ours:
        theirs = ", ".join(_short(one) for one in sorted(known)) or "none"
        found = f"the directory names none of our certificates: ours is {ours}, there it is {theirs}"
        yield fail(what, found, _AGAIN, TrustFault.NOT_REGISTERED)


def _short(fingerprint: str) -> str:
    return f"{fingerprint[:_SHORT]}…"


def _record_key(settings: Settings, member: Member) -> Iterator[Finding]:
    ours = record_signer(settings).vkey
    if member.record_vkey is None:
        yield warn(
            "registered record", "the directory names no record key of ours", _AGAIN, TrustFault.RECORD_KEY_OTHER
        )
    elif member.record_vkey != ours:
        named = member.record_vkey.split("+")[1]
        said = (
            f"the directory names record key {named}, record.key is {ours.split('+')[1]}: nobody believes this record"
        )
        mend = f"Restore the record key of the backup, or a new one: {_AGAIN}"
        yield fail("registered record", said, mend, TrustFault.RECORD_KEY_OTHER)


# --- the path to a CA -------------------------------------------------------------------------------------------------


def _path(key: KeyFile, member: Member, directory: Directory, now: datetime) -> Finding:
    what, use = f"path {key.purpose}", use_of(key, member)
    certificate = key.certificate
    if certificate is None:  # never: whoever has a fingerprint has one
        return ok(what, key.name)
    right, other = directory.signing_cas, directory.tls_cas
    if use is Purpose.TLS:
        right, other = other, right
    try:
        chain = check_chain(certificate, right, now=now, purpose=use)
    except SecurityFailed as refused:
        return _refused(key, certificate, (right, other), refused)
    return ok(what, f"{key.path.with_suffix('.pem').name}, issued by {_common_name(chain[1])}")


def _refused(
    key: KeyFile,
    certificate: x509.Certificate,
    cas: tuple[Sequence[x509.Certificate], Sequence[x509.Certificate]],
    refused: SecurityFailed,
) -> Finding:
    what, file = f"path {key.purpose}", key.path.with_suffix(".pem").name
    issuer = certificate.issuer.rfc4514_string()
    right, other = ({ca.subject.public_bytes() for ca in some} for some in cas)
    named = certificate.issuer.public_bytes()
    if named in right:
        mend = "Ask the CA that issued it, and the authority that names that CA."
        return fail(what, f"{file}: {refused.reason} (issued by {issuer})", mend, TrustFault.PATH_REFUSED)
    renew = (
        "Have it certified by a CA of the directory (adapter keys csr, import), or ask the authority to name that CA."
    )
    if named in other:
        kind = "TLS" if key.purpose != "tls" else "signing and agreement"
        said = f"{file} was issued by {issuer}, which the directory names for {kind} certificates only"
        return fail(what, said, renew, TrustFault.CA_OF_OTHER_USE)
    said = f"{file} was issued by {issuer}, which the directory does not name, or no longer"
    return fail(what, said, renew, TrustFault.CA_NOT_NAMED)


def _common_name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string().partition(",")[0]

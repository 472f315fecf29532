"""What `adapter doctor` says of this adapter's own keys: where each is, its certificate, its life; what lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509

from adapter.app.renewal_failure import last_failure
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.key_files import KeyFile, KeyState
from adapter.cli.token_keys import survey_all
from adapter.cli.trust_faults import TrustFault
from adapter.directory.expiry import of_certificate
from adapter.settings import Settings

_NEEDED: Final = ("signing", "agreement", "tls", "record", "archive")
_USABLE: Final = frozenset({KeyState.READY, KeyState.EXPIRES_SOON})
_IN_FOLDER: Final = "Put the right file there with mode 600, or restore the backup."
_MEND: Final = {
    TrustFault.TOKEN_UNREACHABLE: "Look at the token, its PIN, and the table [token] of the settings (docs/keys.md).",
    TrustFault.TOKEN_KEY_UNUSABLE: "Compare [[token.key]] of the settings with the token's keys (docs/keys.md).",
    TrustFault.KEY_WEAK: "adapter keys create makes one of a suite; then csr, import, registration.",
}


def look_at_keys(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every key file, the folder's mode, and what is missing."""
    folder = settings.adapter.keys_dir
    keys = survey_all(settings, now)
    if folder.is_dir() and folder.stat().st_mode & 0o077:
        yield warn("keys folder", f"{folder} is open to others", f"chmod 700 {folder}", TrustFault.KEY_OPEN)
    for key in keys:
        if not key.is_over:
            yield _finding(key, now, others_serve=any(_serves(one) and one != key for one in _like(key, keys)))
    yield from _over_in_settings(settings, keys)
    for purpose in _NEEDED:
        yield from _lacking(settings, purpose, [key for key in keys if key.purpose == purpose])


def look_at_renewal(settings: Settings) -> Iterator[Finding]:
    """What became of the last renewal of the TLS certificate, where a CA renews it by ACME."""
    if settings.acme is None:
        return
    failure = last_failure(settings)
    if failure is None:
        yield ok("renewal", f"by ACME at {settings.acme.url}; none has failed since the last one that went well")
        return
    found = f"not renewed on {failure.at:%Y-%m-%d %H:%M} UTC: {failure.reason}"
    yield warn("renewal", found, "adapter keys renew tries again; ask the CA.", TrustFault.RENEWAL_FAILED)


def _like(key: KeyFile, keys: Sequence[KeyFile]) -> list[KeyFile]:
    return [other for other in keys if other.purpose == key.purpose]


def _serves(key: KeyFile) -> bool:
    return key.state in _USABLE and not key.is_over


def _lacking(settings: Settings, purpose: str, keys: Sequence[KeyFile]) -> Iterator[Finding]:
    if any(not key.is_over for key in keys):
        return
    create = f"adapter keys create --purpose {purpose} --name NEW, then csr, import, registration"
    over = [key for key in keys if key.life is not None]
    if not over:
        found, create = f"there is none in {settings.adapter.keys_dir}", f"adapter keys create --purpose {purpose}"
        yield fail(f"key {purpose}", found, create, TrustFault.KEY_MISSING)
        return
    said = ", ".join(f"{key.name} was {key.life.state.value} on {key.life.since:%Y-%m-%d}" for key in over if key.life)
    yield fail(f"key {purpose}", f"{said}; there is no other", create, TrustFault.KEY_OVER)


def _over_in_settings(settings: Settings, keys: Sequence[KeyFile]) -> Iterator[Finding]:
    named = {one.label for one in settings.token.key} if settings.token is not None else frozenset[str | None]()
    for key in keys:
        if key.in_token and key.is_over and key.life is not None and key.label in named:
            found = f"[[token.key]] {key.label}: it was {key.life.state.value} on {key.life.since:%Y-%m-%d}"
            mend = f"Take its table out of the settings, then `adapter keys destroy {key.label}`."
            yield warn("settings", found, mend, TrustFault.KEY_OVER_IN_SETTINGS)


def _finding(key: KeyFile, now: datetime, *, others_serve: bool) -> Finding:
    """others_serve: another key of the purpose can do what this one cannot, so that it is no more than a warning."""
    what, name = f"key {key.purpose}", key.name
    if key.state is KeyState.UNUSABLE:
        fault = key.fault or TrustFault.KEY_UNREADABLE
        return fail(what, key.reason, _MEND.get(fault, _IN_FOLDER), fault)
    if key.state is KeyState.WAITING:
        mend = f"adapter keys csr {key.purpose}, then adapter keys import"
        say = warn if others_serve else fail
        return say(what, f"{name} has no certificate", mend, TrustFault.CERTIFICATE_MISSING)
    if key.certificate is None:
        return ok(what, name)
    return _of_period(key, key.certificate, now, warn if others_serve else fail)


def _of_period(key: KeyFile, certificate: x509.Certificate, now: datetime, say: Callable[..., Finding]) -> Finding:
    what, name = f"key {key.purpose}", key.name
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    renew = f"adapter keys rotate {key.purpose} --name NEW"
    if key.state is KeyState.NOT_YET:
        found = f"{name}: its certificate is not valid yet, but from {begins:%Y-%m-%d %H:%M} UTC"
        return say(what, found, "Wait, or look at this machine's clock.", TrustFault.CERTIFICATE_NOT_YET)
    if key.state is KeyState.EXPIRED:
        found = f"{name}: its certificate has expired on {ends:%Y-%m-%d %H:%M} UTC"
        return say(what, found, renew, TrustFault.CERTIFICATE_EXPIRED)
    days = of_certificate(what, name, certificate, renew).threshold(now)
    if days is not None:
        found = f"{name}: its certificate ends on {ends:%Y-%m-%d}, within {days} day(s)"
        return warn(what, found, renew, TrustFault.CERTIFICATE_ENDS_SOON)
    return ok(what, f"{name}, certificate until {ends:%Y-%m-%d}")

"""`adapter keys create` and `adapter keys csr`: keys, in files or made in the token, and their certificate requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from rich.text import Text

from adapter.app.own_token import open_token
from adapter.audit.key_life import KeyFacts, LifeState
from adapter.cli.approval_gate import Asking, Mandate, OfficerKeyOption, OfficerOption
from adapter.cli.files import confirm_overwrite, make_folder, read_octets, write_octets
from adapter.cli.key_files import CERTIFIED, KeyFile, create_key, key_path, key_paths
from adapter.cli.key_office import KeyOffice
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, Suite, YesOption
from adapter.cli.output import Output
from adapter.cli.own_record import ARCHIVE_KEY_FILE
from adapter.contracts import read_contract
from adapter.crypto.keys import key_id
from adapter.crypto.requests import RequestProfile, build_request, build_request_elsewhere
from adapter.errors import CommandRefused
from adapter.settings import Settings
from adapter.store.key_lives import Step
from adapter.store.keyfiles import KeyPurpose, load_private_key
from adapter.store.token import KeyName
from adapter.store.token_making import MadeKey, make_in_token

_MAX_REQUEST_BYTES = 64 * 1024


class Purpose(StrEnum):
    """What a key is for."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    TLS = "tls"
    RECORD = "record"
    ARCHIVE = "archive"


class CertifiedPurpose(StrEnum):
    """What a key with a certificate is for."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    TLS = "tls"


NameOption = Annotated[
    str,
    typer.Option("--name", help="Which key of that purpose, when there are several: 2027, say.", show_default=False),
]
OrganisationOption = Annotated[
    str, typer.Option(help="Name of the organisation, for the subject of the request.", show_default=False)
]


def create(
    *,
    purpose: Annotated[
        list[Purpose] | None, typer.Option(help="What for; may be repeated.", show_default="every one that is missing")
    ] = None,
    suite: Annotated[Suite, typer.Option(help="Suite of signing and agreement keys.")] = Suite.P256,
    name: NameOption = "",
    in_token: Annotated[
        bool, typer.Option("--pkcs11", help="Make it inside the token of the settings; it never leaves it.")
    ] = False,
    organisation: Annotated[
        str | None, typer.Option(help="With --pkcs11: name of the organisation, for the request.", show_default=False)
    ] = None,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Make keys. An existing key is never overwritten; a passphrase file is named in the settings.

    In a token a key signs its own certificate request while it is made: an agreement key never signs again.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    folder = office.settings.adapter.keys_dir
    wanted = purpose or [one for one in Purpose if not key_path(folder, one, name).exists()]
    what = NewKeys(purposes=tuple(wanted), suite=suite, name=name, in_token=in_token, organisation=organisation)
    paths = make_keys(office, what)
    if in_token:
        output.result([str(path) for path in paths], *(Text(f"Made in the token; request {path}") for path in paths))
        output.remark("Next: send the request to the CA, then `adapter keys import CERTIFICATE`.")
        return
    output.result([str(path) for path in paths], *(Text(f"Made {path}") for path in paths))
    if not paths:
        output.remark("Every key is there already; --name makes another one beside it.")
    elif any(one.value in {certified.value for certified in CertifiedPurpose} for one in wanted):
        output.remark("Next: `adapter keys csr PURPOSE`, send it to the CA, then `adapter keys import CERTIFICATE`.")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKeys:
    """Keys that are to be made. organisation: for the request of a key in the token."""

    purposes: tuple[Purpose, ...]
    suite: Suite
    name: str
    in_token: bool = False
    organisation: str | None = None


def make_keys(office: KeyOffice, new: NewKeys) -> list[Path]:
    """Make and enter them; gives their files, or the files of their requests. Raises KeyUnusable, CommandRefused."""
    what = {
        "purposes": sorted(purpose.value for purpose in new.purposes),
        "name": new.name,
        "suite": new.suite.value,
        "token": new.in_token,
        "organisation": new.organisation,
    }
    mandate = office.mandate("key-create", what)
    if new.in_token:
        return [_create_in_token(office, one, new, mandate) for one in new.purposes]
    settings = office.settings.adapter
    paths = create_keys(
        settings.keys_dir, new.purposes, new.suite, name=new.name, passphrase_file=settings.passphrase_file
    )
    _enter_made(office, new.purposes, new.name, mandate)
    return paths


def create_keys(
    folder: Path, purposes: Sequence[Purpose], suite: Suite, *, name: str, passphrase_file: Path | None
) -> list[Path]:
    """Make the folder (0700) and these keys (0600). Raises KeyUnusable, CommandRefused."""
    make_folder(folder, mode=0o700)
    paths = []
    for purpose in purposes:
        archive = purpose is Purpose.ARCHIVE
        path = folder / ARCHIVE_KEY_FILE if archive else key_path(folder, purpose, name)
        create_key(path, None if archive else KeyPurpose(purpose.value), suite.value, passphrase_file=passphrase_file)
        paths.append(path)
    return paths


def _enter_made(office: KeyOffice, purposes: Sequence[Purpose], name: str, mandate: Mandate) -> None:
    """Before `adapter init` has made the record, keys are judged by what is seen of them."""
    if not office.has_record:
        return
    titles = {key_path(office.settings.adapter.keys_dir, purpose, name).stem for purpose in purposes}
    _enter_all(office, [key for key in office.all_keys() if key.title in titles], mandate)


def enter_new_keys(office: KeyOffice) -> None:
    """Enter every key file that has no certificate yet and that the record does not know: made just before it was.

    One with a certificate is left to what is seen of it: it may be in use since before there were entries about keys.
    Raises StoreUnusable, KeyUnusable.
    """
    if office.has_record:
        _enter_all(office, [key for key in office.all_keys() if key.certificate is None], office.plain_mandate())


def _enter_all(office: KeyOffice, keys: Sequence[KeyFile], mandate: Mandate) -> None:
    certified = {purpose.value for purpose in CERTIFIED}
    made = [key for key in keys if key.purpose in certified and key.key_id and not key.in_token and key.life is None]
    if made:
        office.enter(
            *(Step(facts=office.facts(key), to=LifeState.MADE, details={"suite": key.suite}) for key in made),
            mandate=mandate,
        )


def _create_in_token(office: KeyOffice, purpose: Purpose, new: NewKeys, mandate: Mandate) -> Path:
    """The request's file. Raises CommandRefused, KeyUnusable."""
    settings = office.settings
    if purpose.value not in ("signing", "agreement"):
        raise CommandRefused("a token holds signing and agreement keys; TLS, record and archive keys are files")
    if new.organisation is None:
        raise CommandRefused("--organisation is needed: the key signs its request while it is made")
    office.database  # noqa: B018  raises: such a key is found again by its entry
    title = key_path(settings.adapter.keys_dir, purpose.value, new.name).stem
    token = open_token(settings, writable=True)
    try:
        made = make_in_token(
            token,
            KeyName(label=title, id=sha256(title.encode()).digest()[:8]),
            suite=new.suite.value,
            signs=purpose is Purpose.SIGNING,
            request=_request_maker(settings, CertifiedPurpose(purpose.value), new.organisation),
        )
    finally:
        token.close()
    facts = KeyFacts(key_id=key_id(made.public), purpose=purpose.value, name=title, place=str(token))
    return _keep_request(office, facts, made, new.suite, mandate)


def _request_maker(
    settings: Settings, purpose: CertifiedPurpose, organisation: str
) -> Callable[[PublicKeyTypes, Callable[[bytes], bytes]], bytes]:
    profile = profile_of(purpose)

    def make(public: PublicKeyTypes, sign: Callable[[bytes], bytes]) -> bytes:
        return build_request_elsewhere(
            profile, public_key=public, sign=sign, member=settings.member, organisation=organisation
        )

    return make


def _keep_request(office: KeyOffice, facts: KeyFacts, made: MadeKey, suite: Suite, mandate: Mandate) -> Path:
    folder = office.settings.adapter.keys_dir
    make_folder(folder, mode=0o700)
    path = folder / f"{facts.name}.csr"
    write_octets(path, made.request)
    office.enter(
        Step(facts=facts, to=LifeState.MADE, details={"suite": suite.value}),
        Step(facts=facts, to=LifeState.REQUESTED, details={"request_sha256": sha256(made.request).hexdigest()}),
        mandate=mandate,
    )
    return path


def profile_of(purpose: CertifiedPurpose) -> RequestProfile:
    """The profile in keys/ of this purpose."""
    return RequestProfile.parse(read_contract(f"keys/{purpose.value}.toml").decode())


def csr(
    purpose: Annotated[CertifiedPurpose, typer.Argument(help="Which key.", show_default=False)],
    *,
    organisation: OrganisationOption,
    host: Annotated[list[str] | None, typer.Option(help="DNS name of the peer listener (TLS).")] = None,
    name: NameOption = "",
    to: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", show_default="standard output")] = None,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
) -> None:
    """Write a certificate request by the profile in keys/: PKCS #10, or a signed note for an X25519 key.

    A key in the token made its request when it was made; that one is written. The certificate authority that the
    directory names decides what it issues.
    """
    output, office = Output.of(), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    path = key_path(office.settings.adapter.keys_dir, purpose, name)
    request = request_of(office, path, purpose, organisation, tuple(host or ()))
    if to is not None:
        confirm_overwrite(to, yes=yes)
    enter_requested(office, path.stem, request)
    if to is None:
        output.results.file.write(request.decode())
        return
    write_octets(to, request)
    output.remark(f"Written to {to}; send it to the certificate authority that the directory names.")


def request_of(
    office: KeyOffice, path: Path, purpose: CertifiedPurpose, organisation: str, hosts: tuple[str, ...]
) -> bytes:
    """The request for the key of this file, or of this name in the token. Raises KeyUnusable, CommandRefused."""
    settings, beside = office.settings, path.with_suffix(".csr")
    if not path.exists() and beside.exists():
        return read_octets(beside, what="request", max_bytes=_MAX_REQUEST_BYTES)
    key = load_private_key(path, KeyPurpose(purpose.value), passphrase_file=settings.adapter.passphrase_file)
    return build_request(
        profile_of(purpose),
        private_key=key,
        member=settings.member,
        organisation=organisation,
        hosts=hosts,
        vouching_key=_vouching_key(settings) if isinstance(key, x25519.X25519PrivateKey) else None,
    )


def enter_requested(office: KeyOffice, title: str, request: bytes) -> None:
    """Enter that a certificate was asked for; for a key that has one already this is a new request, and no step.

    Raises CommandRefused: the key was retired, revoked or destroyed.
    """
    key: KeyFile = office.find(title)
    if key.is_over:
        raise CommandRefused(
            f"{title} is {office.state(key).value} and asks for no certificate any more: "
            f"`adapter keys rotate {key.purpose} --name NEW` makes another key"
        )
    if not office.has_record or office.state(key) not in (LifeState.MADE, LifeState.REQUESTED):
        return
    step = office.step(key, LifeState.REQUESTED, request_sha256=sha256(request).hexdigest())
    office.enter(step, mandate=office.plain_mandate())


def _vouching_key(settings: Settings) -> ed25519.Ed25519PrivateKey | None:
    """The signing key that stands up for a key that cannot sign."""
    for path in reversed(key_paths(settings.adapter.keys_dir, KeyPurpose.SIGNING.value)):
        key: PrivateKeyTypes = load_private_key(
            path, KeyPurpose.SIGNING, passphrase_file=settings.adapter.passphrase_file
        )
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key
    return None

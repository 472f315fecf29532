"""`adapter keys renew`: the TLS certificate by ACME (RFC 8555), from the new key to the old one's end.

Each run takes the steps that can be taken and says what comes after. The running adapter runs this very command as a
process of its own (app.renewing), so that what a CA sends is never read by a process that answers messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from rich.text import Text

from adapter.app.keyring import own_tls_key
from adapter.app.one_worker import WorkerLock
from adapter.app.renewal import Act, Plan, RenewalRule, next_name, plan
from adapter.app.renewal_failure import RenewalFailure, forget_failure, keep_failure
from adapter.audit.key_life import LifeState
from adapter.cli.approval_gate import Asking, Mandate, OfficerKeyOption, OfficerOption
from adapter.cli.files import read_octets, write_octets
from adapter.cli.key_certificates import take_issued
from adapter.cli.key_files import KeyFile, create_key
from adapter.cli.key_import import hosts_of
from adapter.cli.key_life import activate_key, retire_key
from adapter.cli.key_office import KeyOffice
from adapter.cli.key_requests import CertifiedPurpose, NewKeys, Purpose, enter_requested, make_keys, profile_of
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, Suite, now_utc
from adapter.cli.output import Output, good, when
from adapter.cli.registration import registration_with_tls, wait_for_workers
from adapter.crypto.keys import key_id
from adapter.crypto.requests import build_host_request
from adapter.directory.model import Directory
from adapter.errors import AdapterError, CommandRefused, KeyUnusable
from adapter.settings.acme_section import AcmeSettings
from adapter.store.keyfiles import KeyPurpose, load_certificate, load_private_key
from adapter.transport.acme_challenge import answering
from adapter.transport.acme_place import AcmeAccount, AcmePlace

_LOCK_FILE: Final = "renewal-command.lock"
_PROPOSAL: Final = Path("renewal") / "registration.xml"
_MAX_REQUEST_BYTES: Final = 64 * 1024
_MAX_STEPS: Final = 5


def renew(
    *,
    now: Annotated[bool, typer.Option("--now", help="Renew although there is time.")] = False,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Renew the TLS certificate by ACME at the CA of [acme], and say what comes after. Run it as often as you like.

    When a third of its life is left: make a key, order a certificate for the same hosts, check it like `import`, and
    write the registration for the authority. When the directory names it and every peer knows it: activate it.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    if office.settings.acme is None:
        raise CommandRefused("the settings have no table [acme]: `adapter keys rotate tls` renews by hand")
    lock = WorkerLock(office.settings.adapter.data_dir / _LOCK_FILE)
    if not lock.acquire():
        raise CommandRefused("the certificate is being renewed at this moment")
    try:
        renewal = _Renewal(office, office.settings.acme, output, always=now)
        done = renewal.advance()
        proposal, following = renewal.proposal(), renewal.following()
        forget_failure(office.settings)
    except AdapterError as failure:
        keep_failure(office.settings, RenewalFailure.of(failure, now_utc()))
        raise
    finally:
        lock.release()
    output.result(
        {"done": done, "next": following, "registration": None if proposal is None else str(proposal)},
        *(Text.assemble(good(one)) for one in done),
    )
    if proposal is not None:
        output.remark(
            f"Written {proposal}: hand it to the authority on a way by which it knows that it comes from you."
        )
    output.remark(f"Next: {following}")


class _Renewal:
    """One run of the command."""

    def __init__(self, office: KeyOffice, acme: AcmeSettings, output: Output, *, always: bool) -> None:
        """Raises AdapterError: there is no directory, by which a certificate could be judged."""
        self._office = office
        self._acme = acme
        self._output = output
        self._always = always
        self._directory: Directory = office.directory()
        self._rule = RenewalRule.of(office.settings)
        self._hosts = hosts_of(self._shown()[1])
        office.note_directory(self._directory, Mandate(officer="adapter"))

    def advance(self) -> list[str]:
        """Take the steps that can be taken now; gives what was done. Raises AdapterError."""
        done: list[str] = []
        for _ in range(_MAX_STEPS):
            coming = self._plan()
            if not coming.is_due(now_utc()):
                break
            done += self._take(coming)
            self._always = False
        return done

    def following(self) -> str:
        """What comes next, in words."""
        coming = self._plan()
        name = "" if coming.life is None else coming.life.facts.name
        match coming.act:
            case Act.REGISTER:
                return f"the authority registers the certificate of {name}"
            case Act.MAKE if coming.at is not None:
                return f"nothing until {when(coming.at)}"
            case act if coming.at is not None:
                return f"{act.value} {name}, not before {when(coming.at)}"
            case act:
                return f"{act.value} {name}"

    def proposal(self) -> Path | None:
        """What the authority has to enter, written; None when the directory says it already. Raises KeyUnusable."""
        file = self._office.settings.adapter.data_dir / _PROPOSAL
        octets = registration_with_tls(self._office.settings, self._directory)
        if octets is None:
            file.unlink(missing_ok=True)
            return None
        wait_for_workers(self._office.all_keys(), self._output)
        write_octets(file, octets)
        return file

    def _plan(self) -> Plan:
        key, certificate = self._shown()
        return plan(self._office.lives, shown=key, certificate=certificate, rule=self._rule, always=self._always)

    def _shown(self) -> tuple[str, x509.Certificate]:
        """The key that is shown to peers now, and its certificate."""
        certificate = load_certificate(own_tls_key(self._office.settings, self._office.lives).certificate_file)
        return key_id(certificate.public_key()), certificate

    def _take(self, coming: Plan) -> Iterator[str]:
        office = self._office
        match coming.act:
            case Act.MAKE:
                yield from self._settle_shown()
                name = next_name(office.lives, frozenset(key.title for key in office.all_keys()))
                made = make_keys(office, NewKeys(purposes=(Purpose.TLS,), suite=Suite.P256, name=name))
                yield f"Made {made[0]}"
            case Act.ORDER:
                key = self._key_of(coming)
                certificate = self._order(key)
                yield f"Certified {key.title}, valid until {when(certificate.not_valid_after_utc)}"
            case Act.ACTIVATE:
                number, retiring = activate_key(office, self._key_of(coming), wait=False, output=self._output)
                yield f"Activated {self._key_of(coming).title}, record {number}"
                yield from (f"Retiring: {one}" for one in retiring)
            case Act.RETIRE:
                key = self._key_of(coming)
                yield f"Retired {key.title}, record {retire_key(office, key, wait=False, output=self._output)}"
            case Act.REGISTER:
                raise CommandRefused("the authority registers certificates")  # never due

    def _key_of(self, coming: Plan) -> KeyFile:
        if coming.life is None:
            raise CommandRefused("there is no key")
        return self._office.find(coming.life.facts.name)

    def _settle_shown(self) -> Iterator[str]:
        """An adapter's first key needs no activation. It gets one now, so that it can retire when another follows."""
        key, _ = self._shown()
        life = self._office.lives.get(key)
        if life is not None and life.state is LifeState.REGISTERED:
            found = self._office.find(life.facts.name)
            number, _ = activate_key(self._office, found, wait=False, output=self._output, in_use=True)
            yield f"Activated {found.title}, record {number}"

    def _order(self, key: KeyFile) -> x509.Certificate:
        """Raises CertificateNotIssued, KeyUnusable, SettingsInvalid."""
        # Here, so that neither `adapter serve` nor another command loads it: it is large, and reads what strangers say.
        from adapter.transport.acme_client import obtain_certificate  # noqa: PLC0415

        acme, account = self._acme, self._account()
        request = self._request(key)
        if self._office.state(key) is LifeState.MADE:  # once, not at every attempt
            enter_requested(self._office, key.title, request)
        place = AcmePlace(
            url=acme.url, ca_file=acme.ca_file, timeout_s=acme.timeout_s, order_timeout_s=acme.order_timeout_s
        )
        issued = obtain_certificate(place, account, request, self._answer)
        return take_issued(self._office, self._office.find(key.title), issued, self._directory, self._hosts)

    def _answer(self, answers: Mapping[str, str]) -> AbstractContextManager[object]:
        return answering(self._acme.address, self._acme.port, answers)

    def _request(self, key: KeyFile) -> bytes:
        """The request of this key: the one that was made at an earlier attempt, or a new one."""
        beside = key.path.with_suffix(".csr")
        if beside.exists():
            return read_octets(beside, what="request", max_bytes=_MAX_REQUEST_BYTES)
        passphrase_file = self._office.settings.adapter.passphrase_file
        private = load_private_key(key.path, KeyPurpose.TLS, passphrase_file=passphrase_file)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise KeyUnusable(f"{key.path} is not a P-256 key")
        profile = profile_of(CertifiedPurpose.TLS)
        request = build_host_request(profile, private_key=private, hosts=sorted(self._hosts))
        write_octets(beside, request)
        return request

    def _account(self) -> AcmeAccount:
        """The account's key, made when there is none. Raises KeyUnusable."""
        path, passphrase_file = self._acme.account_key_file, self._office.settings.adapter.passphrase_file
        made = not path.exists()
        if made:
            create_key(path, KeyPurpose.ACCOUNT, "", passphrase_file=passphrase_file)
        key = load_private_key(path, KeyPurpose.ACCOUNT, passphrase_file=passphrase_file)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeyUnusable(f"{path} is not a P-256 key")
        if made:
            said = {"key": key_id(key.public_key()), "name": path.name}
            self._office.enter_act("acme-account-key-made", said, self._office.plain_mandate())
        return AcmeAccount(key=key, contact=self._acme.contact, terms_agreed=self._acme.terms_agreed)

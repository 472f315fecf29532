"""`adapter keys activate`, `retire`, `revoke` and `destroy`: the steps in the life of a key, each an entry."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from adapter.app.kept_statuses import kept_revocation
from adapter.app.own_token import open_token
from adapter.audit.key_life import KeyFacts, LifeState, check_step, in_order_of_use
from adapter.cli.approval_gate import Asking, Mandate, OfficerKeyOption, OfficerOption
from adapter.cli.files import confirm
from adapter.cli.key_files import KeyFile, KeyState, use_of
from adapter.cli.key_office import IN_FILE, KeyOffice
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, now_utc
from adapter.cli.output import Output, bad, good, when
from adapter.directory.model import Directory
from adapter.errors import CommandRefused, KeyUnusable
from adapter.store.keyfiles import destroy_file
from adapter.store.token import KeyName
from adapter.store.token_making import destroy_in_token

KeyArgument = Annotated[
    str,
    typer.Argument(metavar="KEY", help="Its name, signing-2027, or a fingerprint's first digits.", show_default=False),
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait until it may be done, and do it then.")]
_FIT_TO_USE = frozenset({KeyState.READY, KeyState.EXPIRES_SOON})


class Reason(StrEnum):
    """Why a key is revoked (RFC 5280, 5.3.1, in its words)."""

    KEY_COMPROMISE = "key-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION = "cessation-of-operation"


def activate(
    key: KeyArgument,
    *,
    wait: WaitOption = False,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Use a key that the directory names: to sign, or for new connections. The one used until now begins to retire.

    Refused until every peer has had the time to read the directory that names its certificate ([keys] spread_s), and
    when its CA has revoked it, as far as the running adapter has learnt.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    chosen = office.find(key)
    number, retiring = activate_key(office, chosen, wait=wait, output=output)
    output.result(
        {"activated": chosen.title, "retiring": retiring, "record": number},
        Text.assemble(good("Activated "), f"{chosen.title}, record {number}"),
        *(Text(f"Retiring: {name}") for name in retiring),
    )
    output.remark(
        "Running workers use it within a second. Next: `adapter registration`, which no longer names the retiring key."
    )


def activate_key(
    office: KeyOffice, key: KeyFile, *, wait: bool, output: Output, in_use: bool = False
) -> tuple[int, list[str]]:
    """The number of the entry, and the names of the keys that retire. Raises CommandRefused, KeyUnusable.

    in_use: the key is an adapter's first one and used already; only that is entered, whatever its CA says of it.
    """
    if key.state not in _FIT_TO_USE:
        raise KeyUnusable(f"{key.title} cannot be used: {key.reason or key.state.value}")
    directory = office.directory()
    office.note_directory(directory, Mandate(officer="adapter"))
    key = office.find(key.title)
    state = office.state(key, directory)
    if state is LifeState.CERTIFIED:
        raise CommandRefused(
            f"directory version {directory.version}, which this adapter has, does not name the certificate of "
            f"{key.title}: `adapter registration`, and hand it to the authority"
        )
    step = office.step(key, LifeState.ACTIVE, directory)
    check_step(step.facts, state, LifeState.ACTIVE)
    if not in_use:
        _check_not_revoked(office, key, directory)
    if state is LifeState.REGISTERED and key.life is not None:
        seen = key.life.in_directory_since or now_utc()
        _until(
            seen + timedelta(seconds=office.settings.keys.spread_s),
            wait=wait,
            output=output,
            why="peers may not know it yet",
        )
    mandate = office.mandate("key-activate", {"key": key.key_id, "name": key.title})
    others = [
        other
        for other in office.all_keys()
        if other.purpose == key.purpose
        and other.key_id
        and other.key_id != key.key_id
        and office.state(other, directory) is LifeState.ACTIVE
    ]
    first = _first_in_use(office, key)
    before = [office.step(one, LifeState.ACTIVE, directory) for one in first]
    retiring = [*first, *others]
    after = [office.step(other, LifeState.RETIRING, directory, followed_by=key.key_id) for other in retiring]
    number = office.enter(*before, step, *after, mandate=mandate)
    return number + len(before), [other.title for other in retiring]


def _check_not_revoked(office: KeyOffice, key: KeyFile, directory: Directory) -> None:
    """Raises KeyUnusable: the running adapter keeps an answer of the CA's responder that says so."""
    settings = office.settings
    if key.certificate is None:
        return
    use = use_of(key, directory.member(settings.member))
    revoked_at = kept_revocation(settings, key.certificate, use, directory, now_utc())
    if revoked_at is not None:
        raise KeyUnusable(
            f"the CA revoked the certificate of {key.title} on {when(revoked_at)}, and peers refuse it: `adapter keys "
            f"revoke {key.title}`, then `adapter keys rotate {key.purpose} --name NEW`"
        )


def _first_in_use(office: KeyOffice, key: KeyFile) -> list[KeyFile]:
    """The adapter's first key, when this one follows it: used since the directory names it, and never activated."""
    held = {one.key_id: one for one in office.all_keys() if one.purpose == key.purpose and one.certificate is not None}
    for key_id in in_order_of_use(held, office.lives, key.purpose)[:1]:
        if key_id != key.key_id and office.state(held[key_id]) is LifeState.REGISTERED:
            return [held[key_id]]
    return []


def retire(
    key: KeyArgument,
    *,
    wait: WaitOption = False,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """End the use of a key that another one has followed. Refused while a peer may still need it.

    That is: while the directory names it, and then for as long as peers may have an older one and messages live.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    chosen = office.find(key)
    number = retire_key(office, chosen, wait=wait, output=output)
    output.result(
        {"retired": chosen.title, "record": number},
        Text.assemble(good("Retired "), f"{chosen.title}, record {number}"),
    )
    output.remark("What is in the archive stays readable. `adapter keys destroy` ends it for good.")


def retire_key(office: KeyOffice, key: KeyFile, *, wait: bool, output: Output) -> int:
    """The number of the entry. Raises CommandRefused."""
    directory = office.directory()
    check_step(office.facts(key), office.state(key, directory), LifeState.RETIRED)
    office.note_directory(directory, Mandate(officer="adapter"))
    key = office.find(key.title)
    left = None if key.life is None else key.life.left_directory
    if left is None:
        raise CommandRefused(
            f"directory version {directory.version} still names {key.title}, and peers use it: `adapter registration` "
            "names it no longer; hand that to the authority first"
        )
    settings = office.settings
    until = left + timedelta(seconds=settings.keys.spread_s + settings.timing.message_lifetime_s)
    _until(until, wait=wait, output=output, why="a message on its way may need it")
    mandate = office.mandate("key-retire", {"key": key.key_id, "name": key.title})
    return office.enter(office.step(key, LifeState.RETIRED), mandate=mandate)


def _until(at: datetime, *, wait: bool, output: Output, why: str) -> None:
    """Raises CommandRefused: it is too early, and nobody wants to wait."""
    left_s = (at - now_utc()).total_seconds()
    if left_s <= 0:
        return
    if not wait:
        raise CommandRefused(f"not before {when(at + timedelta(seconds=1))}: {why}; --wait waits until then")
    output.remark(f"Waiting until {when(at + timedelta(seconds=1))}: {why}.")
    time.sleep(left_s)


def revoke(
    key: KeyArgument,
    *,
    reason: Annotated[Reason, typer.Option(help="Why.", show_default=False)],
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Stop using a key now. What others believe of it only the authority and the CA can end: tell both."""
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    chosen = office.find(key)
    step = office.step(chosen, LifeState.REVOKED, reason=reason.value)
    check_step(step.facts, office.state(chosen), LifeState.REVOKED)
    what = {"key": chosen.key_id, "name": chosen.title, "reason": reason.value}
    number = office.enter(step, mandate=office.mandate("key-revoke", what))
    output.result(
        {"revoked": chosen.title, "record": number},
        Text.assemble(bad("Revoked "), f"{chosen.title}, record {number}"),
    )
    output.remark(
        "This adapter stops using it within a second. Until the directory changes, others believe it: take the "
        f"certificate (`adapter keys export {chosen.title}`) to the authority, which strikes it off "
        "(`adapter authority revoke`), and tell the CA."
    )
    if not any(_may_follow(other, chosen) for other in office.all_keys()):
        output.remark(bad(f"There is no other {chosen.purpose} key: exchanges are refused until there is one."))


def _may_follow(other: KeyFile, revoked: KeyFile) -> bool:
    return other.purpose == revoked.purpose and not other.is_over and other.certificate is not None


def destroy(
    key: KeyArgument,
    *,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Destroy a retired or revoked key: its file is overwritten and removed, or its object in the token destroyed.

    The certificate stays, for whoever verifies old evidence. Backups are not reached by this.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    facts, found = _facts_of(office, key)
    before = office.lives[facts.key_id].state if found is None else office.state(found)
    check_step(facts, before, LifeState.DESTROYED)
    if not yes:
        confirm(f"Destroy {facts.name} for good?", refusal=f"{facts.name} was left as it is")
    mandate = office.mandate("key-destroy", {"key": facts.key_id, "name": facts.name})
    _destroy(office, facts, found)
    number = office.enter_life(facts, LifeState.DESTROYED, mandate=mandate)
    output.result(
        {"destroyed": facts.name, "record": number},
        Text.assemble(bad("Destroyed "), f"{facts.name}, record {number}"),
    )


def _facts_of(office: KeyOffice, name: str) -> tuple[KeyFacts, KeyFile | None]:
    """A key whose file is gone already, by a destruction that was cut off, is known to the record."""
    try:
        found = office.find(name)
    except CommandRefused:
        for life in office.lives.values():
            if life.facts.name == name.removesuffix(".key") and life.state is not LifeState.DESTROYED:
                return life.facts, None
        raise
    return office.facts(found), found


def _destroy(office: KeyOffice, facts: KeyFacts, found: KeyFile | None) -> None:
    if found is None:
        return
    if facts.place == IN_FILE:
        destroy_file(found.path)
        return
    token = open_token(office.settings, writable=True)
    try:
        destroy_in_token(token, KeyName(label=facts.name))
    finally:
        token.close()

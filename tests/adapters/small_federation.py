"""Federations for tests: members that all provide GetPerson, in front of one information system of the test's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from adapter.identifiers import pinfl_check_digit
from examples.demo.soap_calls import SoapAnswer, post_soap, soap_envelope
from examples.federation.federation import CHECKOUT, Federation, build_federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan
from examples.federation.processes import Processes

NAMESPACE = "urn:example:population-register:1"


class AddressedSystem(Protocol):
    """An information system that a test has started. address: where it takes requests."""

    @property
    def address(self) -> str: ...


SERVICE_TOML = """\
code = "GetPerson"
version = "v1"
subsystem = "register"
title = "A person by PINFL"
wsdl = "population.wsdl"
personal_data = true
backend = "soap"
subject_kind = "pinfl"
subject_xpath = "p:Pinfl"

[namespaces]
p = "urn:example:population-register:1"

[soap]
address = "{address}"
timeout_s = 20
"""
CONTEXT = """\
official = "inspector-17"
purpose = "social-benefit"
legal_basis_kind = "law"
legal_basis_reference = "Law No. 395 of 2015, article 12"
subject_kind = "pinfl"
subject_xpath = "p:Pinfl"
namespaces = { p = "urn:example:population-register:1" }"""


def member_plan(
    number: int, folder: str, *, suite: str, system: AddressedSystem, workers: int = 1, more_settings: str = ""
) -> MemberPlan:
    """A member that asks and is asked. Every member may ask every other one."""
    plan = MemberPlan(
        id=f"UZ/GOV/20000000{number}",
        folder=folder,
        names={"en": f"Agency {number} (synthetic)", "ru": f"Ведомство {number}", "uz": f"Idora {number}"},
        subsystems=("register",),
        suite=suite,
        services=(
            ServicePlan(
                toml=SERVICE_TOML.replace("{address}", system.address),
                description=CHECKOUT / "examples" / "population" / "description",
            ),
        ),
        clients=(ClientPlan(name="case-system", subsystem="register", context=CONTEXT),),
        workers=workers,
        more_settings=more_settings,
    )
    others = [f"UZ/GOV/20000000{other}" for other in range(1, 4) if other != number]
    service = plan.service("register", "GetPerson")
    return MemberPlan(**{**vars(plan), "grants": tuple(GrantPlan(consumer=other, service=service) for other in others)})


@contextmanager
def running(folder: Path, *members: MemberPlan) -> Iterator[Federation]:
    """Build, start, and stop whatever happens."""
    with Processes(folder / "logs") as processes:
        federation = build_federation(FederationPlan(members=members), folder, processes)
        federation.start()
        yield federation


_serials = itertools.count()


def fresh_pinfl() -> str:
    """A valid PINFL that no other call of this test run uses: one person, one question, so that runs can be counted."""
    serial = next(_serials)
    first = f"3010190{serial // 1000 % 1000:03d}{serial % 1000:03d}"
    return first + str(pinfl_check_digit(first))


def ask(consumer: Home, provider: Home, pinfl: str) -> SoapAnswer:
    """One call of a consumer's system."""
    url = consumer.service_url(provider.plan.service("register", "GetPerson"))
    payload = f'<p:GetPerson xmlns:p="{NAMESPACE}"><p:Pinfl>{pinfl}</p:Pinfl></p:GetPerson>'
    return post_soap(url, soap_envelope(payload))

"""The steps that a client system of the consumer plays: proper calls, and calls that must be refused."""

from __future__ import annotations

from typing import Final

from lxml import etree

from examples.demo.members import (
    FRONT_DESK_TOKEN,
    GET_PARCELS,
    GET_PERSON,
    LEGAL_BASIS,
    OFFICIAL,
    PURPOSE,
    STATISTICS_TOKEN,
)
from examples.demo.soap_calls import SoapAnswer, request_context
from examples.demo.stage import Stage
from examples.demo.steps import CameBack

_POPULATION: Final = "urn:example:population-register:1"
_CADASTRE: Final = "urn:example:cadastre:1"


def get_person(pinfl: str) -> str:
    """The question to the population register."""
    return f'<p:GetPerson xmlns:p="{_POPULATION}"><p:Pinfl>{pinfl}</p:Pinfl></p:GetPerson>'


def get_parcels(pinfl: str) -> str:
    """The question to the cadastre."""
    return f'<c:GetParcels xmlns:c="{_CADASTRE}"><c:OwnerPinfl>{pinfl}</c:OwnerPinfl></c:GetParcels>'


def _came_back(answer: SoapAnswer) -> CameBack:
    if answer.code != "answered":
        return CameBack(code=answer.code, remark="" if answer.incident else "no incident id")
    return CameBack(code=answer.code, remark=_words(answer.payload))


def _words(payload: etree._Element) -> str:
    """A few words of the answer: the demonstration's people do not exist."""
    surname = payload.findtext(f".//{{{_POPULATION}}}NameCyrillic/{{{_POPULATION}}}Surname")
    given = payload.findtext(f".//{{{_POPULATION}}}NameCyrillic/{{{_POPULATION}}}GivenName")
    if surname and given:
        return f"{surname} {given}"
    return f"{len(payload.findall(f'.//{{{_CADASTRE}}}Parcel'))} parcels"


# --- refused before anything leaves the consumer's adapter -----------------------------------------------------------


def without_legal_basis(stage: Stage) -> CameBack:
    """The front desk says who asks and why, and names no legal basis."""
    header = request_context(official=OFFICIAL, purpose=PURPOSE, pinfl=stage.pinfl, legal_basis=None)
    return _came_back(stage.call(GET_PERSON, get_person(stage.pinfl), header=header, token=FRONT_DESK_TOKEN))


def wrong_check_digit(stage: Stage) -> CameBack:
    """The last digit of the PINFL is another one."""
    wrong = stage.pinfl[:-1] + str((int(stage.pinfl[-1]) + 1) % 10)
    return _came_back(stage.call(GET_PERSON, get_person(wrong)))


def body_not_valid(stage: Stage) -> CameBack:
    """An element that the schema does not know stands in the Body."""
    payload = get_person(stage.pinfl).replace("</p:GetPerson>", "<p:Everything>yes</p:Everything></p:GetPerson>")
    return _came_back(stage.call(GET_PERSON, payload))


# --- refused by the provider's adapter -------------------------------------------------------------------------------


def without_access_rule(stage: Stage) -> CameBack:
    """Another subsystem of the same agency, complete in every respect, for which nobody granted a rule."""
    header = request_context(official=OFFICIAL, purpose=PURPOSE, pinfl=stage.pinfl, legal_basis=LEGAL_BASIS)
    return _came_back(stage.call(GET_PERSON, get_person(stage.pinfl), header=header, token=STATISTICS_TOKEN))


# --- the provider's information system -------------------------------------------------------------------------------


def system_slow(stage: Stage) -> CameBack:
    """The cadastre's system takes longer than its adapter waits."""
    stage.cadastre_system.behave("slow")
    return _came_back(stage.call(GET_PARCELS, get_parcels(stage.pinfl)))


def system_talks_nonsense(stage: Stage) -> CameBack:
    """The cadastre's system answers with an HTML page."""
    stage.cadastre_system.behave("nonsense")
    return _came_back(stage.call(GET_PARCELS, get_parcels(stage.pinfl)))


def system_down(stage: Stage) -> CameBack:
    """The cadastre's system is stopped."""
    stage.cadastre_system.stop()
    return _came_back(stage.call(GET_PARCELS, get_parcels(stage.pinfl)))


def system_back(stage: Stage) -> CameBack:
    """The cadastre's system is started again; nobody touched an adapter."""
    stage.cadastre_system.launch()
    stage.cadastre_system.wait_ready()
    return _came_back(stage.call(GET_PARCELS, get_parcels(stage.pinfl)))

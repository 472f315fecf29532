"""The scenario as a table: what is sent, what has to come back, and what each adapter has to record of it."""

from __future__ import annotations

from typing import Final

from examples.demo import client_plays, legacy_plays, peer_plays
from examples.demo.members import CADASTRE, POPULATION, SOCIAL
from examples.demo.stage import Stage
from examples.demo.steps import ANSWERED, Step

_ASKED: Final = ("request-sent", "reply-received")
_ANSWERED: Final = ("request-received", "reply-sent")
_PASSED_ON: Final = ("request-received", "refused")
_REFUSED: Final = ("refused",)
_CALL_REFUSED: Final = ("call-refused",)

STEPS: Final = (
    # --- the main job ---
    Step[Stage](
        sent="GetPerson, by a zeep client (SQL backend)",
        code=ANSWERED,
        entries={SOCIAL: _ASKED, POPULATION: _ANSWERED},
        play=legacy_plays.person_by_zeep,
    ),
    Step[Stage](
        sent="GetParcels, by a zeep client (SOAP backend)",
        code=ANSWERED,
        entries={SOCIAL: _ASKED, CADASTRE: _ANSWERED},
        play=legacy_plays.parcels_by_zeep,
    ),
    # --- what a client system may not do ---
    Step[Stage](
        sent="GetPerson by a subsystem without an access rule",
        code="AccessDenied",
        entries={SOCIAL: _ASKED, POPULATION: _REFUSED},
        play=client_plays.without_access_rule,
    ),
    Step[Stage](
        sent="GetPerson without a legal basis",
        code="NoLegalBasis",
        entries={SOCIAL: _CALL_REFUSED},
        play=client_plays.without_legal_basis,
    ),
    Step[Stage](
        sent="GetPerson, wrong check digit in the PINFL",
        code="InvalidIdentifier",
        entries={SOCIAL: _CALL_REFUSED},
        play=client_plays.wrong_check_digit,
    ),
    Step[Stage](
        sent="GetPerson with an element not in the schema",
        code="SchemaInvalid",
        entries={SOCIAL: _CALL_REFUSED},
        play=client_plays.body_not_valid,
    ),
    # --- what a peer, an insider or an attacker may not do ---
    Step[Stage](
        sent="captured message, from another member's adapter",
        code="PeerMismatch",
        entries={POPULATION: _REFUSED},
        play=peer_plays.replayed_by_another_member,
    ),
    Step[Stage](
        sent="captured message, from its own sender again",
        code=ANSWERED,
        entries={CADASTRE: ("retry-answered",)},
        play=peer_plays.repeated_by_the_consumer,
    ),
    Step[Stage](
        sent="same message id with another body",
        code="MessageIdReused",
        entries={POPULATION: _REFUSED},
        play=peer_plays.same_id_other_body,
    ),
    Step[Stage](
        sent="captured message with one byte changed",
        code="SecurityFailed",
        entries={POPULATION: _REFUSED},
        play=peer_plays.one_byte_changed,
    ),
    Step[Stage](
        sent="message without a signature",
        code="EnvelopeRefused",
        entries={POPULATION: _REFUSED},
        play=peer_plays.not_signed,
    ),
    Step[Stage](
        sent="message of somebody not in the directory",
        code="UnknownMember",
        entries={POPULATION: _REFUSED},
        play=peer_plays.from_nobody,
    ),
    Step[Stage](
        sent="message that expired before it came",
        code="MessageExpired",
        entries={POPULATION: _REFUSED},
        play=peer_plays.expired,
    ),
    # --- a provider's system that fails ---
    Step[Stage](
        sent="GetParcels, the cadastre's system is slow",
        code="ProviderSystemTimeout",
        entries={SOCIAL: _ASKED, CADASTRE: _PASSED_ON},
        play=client_plays.system_slow,
    ),
    Step[Stage](
        sent="GetParcels, it answers nonsense",
        code="ProviderSystemInvalid",
        entries={SOCIAL: _ASKED, CADASTRE: _PASSED_ON},
        play=client_plays.system_talks_nonsense,
    ),
    Step[Stage](
        sent="GetParcels, it is down",
        code="ProviderSystemDown",
        entries={SOCIAL: _ASKED, CADASTRE: _PASSED_ON},
        play=client_plays.system_down,
    ),
    Step[Stage](
        sent="GetParcels, it is up again",
        code=ANSWERED,
        entries={SOCIAL: _ASKED, CADASTRE: _ANSWERED},
        play=client_plays.system_back,
    ),
)

PHP_STEP: Final = Step[Stage](
    sent="GetPerson, by a PHP SoapClient",
    code=ANSWERED,
    entries={SOCIAL: _ASKED, POPULATION: _ANSWERED},
    play=legacy_plays.person_by_php,
)
"""Played after the first two where PHP with its soap extension is installed."""

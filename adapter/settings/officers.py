"""The tables of `adapter.toml` about officers' acts: when keys may be used, and what needs two officers."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from adapter.settings.toml_reading import Section, mistake

OFFICERS_NEEDED: Final = 2
"""Signatures of different officers without which nothing is done."""
VerifierKey = Annotated[str, StringConstraints(pattern=r"^[^\s+]{1,64}\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$")]
ApprovedAct = Literal[
    "key-create",
    "key-activate",
    "key-retire",
    "key-revoke",
    "key-destroy",
    "key-export",
    "access-grant",
    "access-revoke",
    "access-review-close",
    "messages-erase",
    "hold-lift",
    "secrecy-add",
    "secrecy-lift",
]


class KeysSettings(Section):
    """[keys]: when a key that was made known may be used, and one that was withdrawn may go."""

    spread_s: float = Field(
        300,
        ge=0,
        le=604_800,
        description="Seconds after which every peer has the directory that this adapter has seen: their refresh_s, "
        "and as long again for a refresh that failed.",
    )


class ApprovalsSettings(Section):
    """[approvals]: acts that need two officers. Once in force, a change of this table needs two officers as well."""

    acts: tuple[ApprovedAct, ...] = Field(
        (),
        description=f"Which acts: {', '.join(get_args(ApprovedAct))}. `key-export` is `adapter keys backup`.",
    )
    officers: tuple[VerifierKey, ...] = Field(
        (), description="Verifier keys of the officers, as `adapter approvals officer-key` prints them."
    )
    lasts_h: int = Field(72, ge=1, le=720, description="Hours after which a request that was not carried out expires.")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        names = {vkey.partition("+")[0] for vkey in self.officers}
        if len(names) != len(self.officers):
            raise mistake("two officers have one name", at=("officers",))
        if self.acts and len(names) < OFFICERS_NEEDED:
            raise mistake("an act that needs two officers needs two that are named here", at=("officers",))
        return self

"""[consents]: how the issuers of consents are asked whether one holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from pydantic import Field, model_validator

from adapter.settings.client_context import NameOfBasis, check_days
from adapter.settings.toml_reading import Section, mistake
from adapter.settings.types import Seconds, Segment, SubsystemName

_NO_BASIS: Final = "consent"


class ConsentsSettings(Section):
    """[consents]: how a consent's issuer is asked whether it holds, for a request to this adapter that relies on it.

    That is an exchange like any other, with a purpose and a legal basis of its own, which the issuer's rules allow.
    Without this table nobody is asked, and every such request is refused with ConsentUnavailable.
    """

    subsystem: SubsystemName = Field(description="The subsystem that it asks as: instance/class/code/subsystem.")
    purpose: Segment = Field(description="Code of the purpose of asking, as the directory lists it.")
    legal_basis_kind: Segment = Field(
        description="Kind of legal basis of asking, as the directory lists it; no consent: asking would never end."
    )
    legal_basis_reference: str = Field(min_length=1, description="The act or decision that it rests on.")
    legal_basis_names: Mapping[NameOfBasis, str] = Field(
        {}, description='What the kind of legal basis has to name apart, as the directory says: article = "12".'
    )
    official: Segment = Field("consent-check", description="The automatic procedure, or civil servant, who asks.")
    regulation: str | None = Field(None, description="Number of the e-service's regulation in the register.")
    wait_s: Seconds = Field(
        10,
        description="Seconds that a request waits for the issuer, at most; never more than half of the time in which "
        "its answer is awaited.",
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.legal_basis_kind == _NO_BASIS:
            raise mistake(
                "a consent cannot be the basis of asking about one: name the act that obliges this agency to ask",
                at=("legal_basis_kind",),
            )
        check_days(self.legal_basis_names)
        return self

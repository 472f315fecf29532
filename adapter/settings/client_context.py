"""[client.context]: what the settings say for a client system that cannot say it itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from adapter.identifiers import is_day
from adapter.settings.toml_reading import Section, mistake
from adapter.settings.types import IdentifierKind, Segment, compile_xpath, unknown_prefixes

NameOfBasis: TypeAlias = Literal["document", "article", "number", "date", "court", "until"]


class ContextSettings(Section):
    """[client.context]: who asks, why and about whom, for a system that cannot send the RequestContext header.

    Fixed values, or XPath 1.0 expressions evaluated on the Body's element, with the prefixes of
    [client.context.namespaces].
    """

    purpose: str | None = Field(None, description="Code of the purpose, as the directory lists it.")
    legal_basis_kind: str | None = Field(None, description="Kind of legal basis, as the directory lists it.")
    legal_basis_reference: str | None = Field(None, description="The act, decision or contract that it rests on.")
    legal_basis_names: Mapping[NameOfBasis, str] = Field(
        {}, description='What the kind of legal basis has to name apart, as the directory says: article = "12".'
    )
    official: Segment | None = Field(None, description="The civil servant (or the automatic procedure) who asks.")
    official_xpath: str | None = Field(
        None, description="Where in the Body the official is named; instead of official."
    )
    regulation: str | None = Field(None, description="Number of the e-service's regulation in the register.")
    subject_kind: IdentifierKind | None = Field(None, description="Kind of identifier that subject_xpath finds.")
    subject_xpath: str | None = Field(None, description="Where in the Body the subjects' identifiers are.")
    consent_xpath: str | None = Field(None, description="Where in the Body the person's consent is named.")
    issue_xpath: str | None = Field(None, description="Where in the Body the application or case is named.")
    namespaces: Mapping[str, str] = Field({}, description="Prefixes of the expressions: prefix = namespace name.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.official is not None and self.official_xpath is not None:
            raise mistake("official is given too: keep one of the two", at=("official_xpath",))
        _both_or_none(self, "legal_basis_kind", "legal_basis_reference")
        _both_or_none(self, "subject_kind", "subject_xpath")
        check_days(self.legal_basis_names)
        if self.legal_basis_names and self.legal_basis_kind is None:
            raise mistake("needed with legal_basis_names", at=("legal_basis_kind",))
        for key in ("official_xpath", "subject_xpath", "consent_xpath", "issue_xpath"):
            check_xpath(getattr(self, key), self.namespaces, at=(key,))
        return self


def check_days(names: Mapping[NameOfBasis, str]) -> None:
    """Raise the mistake of a day that is none, in a table `legal_basis_names`."""
    days: tuple[NameOfBasis, ...] = ("date", "until")
    for name in days:
        if not is_day(names.get(name, "2026-12-31")):
            raise mistake("should be a day, written 2026-12-31", at=("legal_basis_names", name))


def _both_or_none(section: Section, first: str, second: str) -> None:
    has_first, has_second = (getattr(section, key) is not None for key in (first, second))
    if has_first != has_second:
        given, missing = (first, second) if has_first else (second, first)
        raise mistake(f"needed with {given}", at=(missing,))


def check_xpath(expression: str | None, namespaces: Mapping[str, str], *, at: tuple[str | int, ...]) -> None:
    """Raise the mistake of an expression that does not compile or has a prefix that nobody bound. None is well.

    at: the keys that lead to the expression from the table whose rule this is.
    """
    if expression is None:
        return
    if unknown := unknown_prefixes(expression, namespaces):
        raise mistake(f"uses a prefix that is not in namespaces: {', '.join(unknown)}", at=at)
    try:
        compile_xpath(expression, namespaces)
    except ValueError as cause:
        raise mistake(str(cause), at=at) from None

"""pki.toml as values. Raises KeyError and TypeError for a description that does not say everything."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DESCRIPTION = Path(__file__).parent / "pki.toml"


@dataclass(frozen=True, kw_only=True)
class AuthorityPlan:
    """A certificate authority. issuer None: it signs its own certificate."""

    name: str
    key: str
    issuer: str | None = None
    path_length: int | None = None


@dataclass(frozen=True, kw_only=True)
class LeafPlan:
    """An end-entity certificate. profile: a name in keys/ (`signing`, `agreement`, `tls`)."""

    profile: str
    suite: str
    issuer: str


@dataclass(frozen=True, kw_only=True)
class ResponderPlan:
    """An OCSP responder with a certificate of its own, of the authority that it speaks for."""

    authority: str


@dataclass(frozen=True, kw_only=True)
class TimeStampPlan:
    """A time-stamp authority."""

    issuer: str
    key: str


@dataclass(frozen=True, kw_only=True)
class PkiPlan:
    """The whole description, by name."""

    authorities: Mapping[str, AuthorityPlan]
    leaves: Mapping[str, LeafPlan]
    responders: Mapping[str, ResponderPlan]
    time_stamps: Mapping[str, TimeStampPlan]


def read_plan(path: Path = DESCRIPTION) -> PkiPlan:
    """The plan that a file describes."""
    tables = tomllib.loads(path.read_text())
    return PkiPlan(
        authorities={name: AuthorityPlan(**table) for name, table in tables["authorities"].items()},
        leaves={name: LeafPlan(**table) for name, table in tables["leaves"].items()},
        responders={name: ResponderPlan(**table) for name, table in tables["responders"].items()},
        time_stamps={name: TimeStampPlan(**table) for name, table in tables["time_stamps"].items()},
    )

"""The tables of `adapter.toml` about officers' acts on keys."""

from __future__ import annotations

from pydantic import Field

from adapter.settings.toml_reading import Section


class KeysSettings(Section):
    """[keys]: when a key that was made known may be used, and one that was withdrawn may go."""

    spread_s: float = Field(
        300,
        ge=0,
        le=604_800,
        description="Seconds after which every peer has the directory that this adapter has seen: their refresh_s, "
        "and as long again for a refresh that failed.",
    )

"""The tables of `adapter.toml` that bound the work: of one message, of all at hand, of one caller."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from adapter.settings.toml_reading import Section
from adapter.settings.types import Count, Seconds
from adapter.xmlsafe import XmlLimits

_MEBIBYTE: Final = 1024 * 1024


class LimitsSettings(Section):
    """[limits]: bounds on one XML document and on the work at hand. Past one: fault LimitExceeded or Overloaded."""

    max_depth: Count = Field(100, le=256, description="Elements inside one another.")
    max_nodes: Count = Field(1_000_000, description="Elements of one message, opened.")
    max_attributes: Count = Field(64, description="Attributes of one element.")
    max_namespace_declarations: Count = Field(10_000, description="Namespace declarations of one message.")
    max_in_flight: Count = Field(256, description="Exchanges at a time, for each worker and side.")
    max_bytes_in_flight: Count = Field(
        256 * _MEBIBYTE, description="Octets of all messages that are being answered, for each worker and side."
    )

    def for_messages(self, max_bytes: int) -> XmlLimits:
        """The bounds for the parser. max_bytes: of the listener that the message came by."""
        return XmlLimits(
            max_bytes=max_bytes,
            max_depth=self.max_depth,
            max_nodes=self.max_nodes,
            max_attributes=self.max_attributes,
            max_namespace_declarations=self.max_namespace_declarations,
        )


class TimeStampsSettings(Section):
    """[time_stamps]: how the record is time-stamped. By whom, and how long it may wait, the directory says."""

    every_s: Seconds = Field(60, description="Seconds between two time-stamps, as long as there is something new.")
    timeout_s: Seconds = Field(10, description="Seconds that one authority may take; then the next one is asked.")


class WitnessesSettings(Section):
    """[witnesses]: how often checkpoints go to the witnesses. Who they are, the directory says."""

    every_s: Seconds = Field(60, description="Seconds between two checkpoints, as long as there is something new.")
    timeout_s: Seconds = Field(10, description="Seconds that one witness may take.")


class QuotasSettings(Section):
    """[quotas]: what one caller may take, for each worker and side. Past it: Overloaded, or a fault that says when.

    A caller is a member of the directory, a client system of this file, or, for whoever is none of these, an address.
    Unidentified callers together get no more than a quarter of the whole.
    """

    connections_per_address: Count = Field(128, description="Connections at a time of one address.")
    in_flight: Count = Field(64, description="Requests at a time of one caller.")
    bytes_in_flight: Count = Field(64 * _MEBIBYTE, description="Octets of one caller's messages at a time.")
    requests_per_second: Count = Field(500, description="Requests a second of one caller; twice as many at once.")
    refusals_per_minute: Count = Field(
        600,
        description="Refusals a minute of one caller, each recorded; a refused message counts once more for every "
        "64 KiB. Past them the caller is turned away unread.",
    )
    recorded_every_s: Seconds = Field(60, description="Seconds for which one entry says who was turned away.")

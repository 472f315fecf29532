"""[retention]: how long kept messages are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from adapter.settings.toml_reading import Section
from adapter.settings.types import Segment, ServicePattern

Days = Annotated[int, Field(ge=1, le=36_500)]


class RetentionRuleSettings(Section):
    """[[retention.rule]]: another time for the messages of a service, or of a purpose. The first that fits counts."""

    service: ServicePattern = Field(description="The whole id of a service, or its beginning up to a slash, then *.")
    purpose: Segment | None = Field(None, description="Code of the purpose of the request. Default: any, and none.")
    keep_days: Days = Field(description="Days after their own on which messages are kept.")


class RetentionSettings(Section):
    """[retention]: how long signed messages are kept. The record's entries about them stay for ever."""

    keep_days: Days | None = Field(
        None,
        description="Days after their own (UTC) on which messages are kept that no rule speaks of. Default: until an "
        "officer erases them.",
    )
    rule: tuple[RetentionRuleSettings, ...] = Field(
        (), description="What else holds for a service or a purpose: [[retention.rule]]."
    )

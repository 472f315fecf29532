"""A trace of a recorded message with attachments: each is named at each stage, and nothing of it is shown."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adapter.cli.trace_stages import RecordedMessage, stages_of_message
from adapter.ports import KeptMessage
from adapter.stages import MessageKind
from adapter.store.spool import Spool
from tests.attachment_messages import FILES, KEY, held, sealed_with
from tests.pki import Federation
from tests.two_sides import two_sides


@pytest.mark.parametrize("is_ours", [True, False])
async def test_each_is_named_at_each_stage(federation: Federation, tmp_path: Path, is_ours: bool) -> None:  # noqa: FBT001
    sides = two_sides(federation)
    holding = Spool(tmp_path, max_bytes=1 << 20).holding()
    sealed = sealed_with(sides, await held(holding, FILES))
    message = RecordedMessage(
        kept=KeptMessage(direction="in", octets=sealed.octets, content_key=KEY),
        kind=MessageKind.REQUEST,
        is_ours=is_ours,
        at=sides.clock(),
        facts={},
    )
    service = next(iter(sides.provider.services.values()))
    stages = list(stages_of_message(message, lambda _: service.description))
    assert all(stage.is_good for stage in stages), stages
    assert [stage.name.partition(" ")[2] for stage in stages][1:4] == ["opened", "verified", "validated"]
    assert len(stages) == (4 if is_ours else 5)
    for stage in stages:
        for number, content_id in enumerate(FILES, 1):
            assert stage.facts[f"attachment {number}"].startswith(f"{content_id}: ")
    for stage in stages[2:]:
        for number, octets in enumerate(FILES.values(), 1):
            words = f"text/plain, {len(octets)} octets, SHA-256 {hashlib.sha256(octets).hexdigest()}"
            assert stage.facts[f"attachment {number}"].endswith(words)
    shown = "".join(f"{stage.facts}{stage.xml}" for stage in stages)
    assert "the first attachment" not in shown
    assert "a.txt" not in shown

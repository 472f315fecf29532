"""A federation's repository as one look at it finds it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapter.directory.refresh import Found, Known
from adapter.directory.rendering import render_directory
from adapter.errors import DirectoryRefused, RefusedBecause
from tests.pki import NOW, Federation
from tests.repository import Published


def document(federation: Federation, version: int = 1, *, days: int = 30) -> bytes:
    return render_directory(federation.draft(version=version, valid_for=timedelta(days=days)))


def published(federation: Federation, version: int = 1, at: Published | None = None) -> Published:
    return federation.repository.publish(federation.repository.signed(document(federation, version)), at)


def believed(federation: Federation, at: Published, known: Known | None = None, *, now: datetime = NOW) -> Found:
    found = at.look(federation.anchor, known, now=now)
    assert found is not None
    return found


def refused(
    federation: Federation, at: Published, known: Known | None = None, *, now: datetime = NOW
) -> RefusedBecause:
    with pytest.raises(DirectoryRefused) as refusal:
        at.look(federation.anchor, known, now=now)
    return refusal.value.because

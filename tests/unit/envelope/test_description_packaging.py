"""What a description says of binary content beside the XML."""

from __future__ import annotations

import pytest

from adapter.envelope.description_packaging import packaging_of
from adapter.stages import Packaging
from tests.corpus import CORPUS, REASON, description_of

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=REASON)


@pytest.mark.parametrize(
    ("service", "packaging"),
    [
        ("ee-rik-fastapi-swaref", Packaging.SWA),
        ("ee-dvk-document-exchange", Packaging.SWA),
        ("hu-central-bank-rates", Packaging.INLINE),
    ],
)
def test_as_real_descriptions_say(service: str, packaging: Packaging):
    assert packaging_of(description_of(service)) is packaging

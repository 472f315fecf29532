"""The corpus of real service descriptions beside the repository, when it is there."""

from __future__ import annotations

import json
from functools import lru_cache

from adapter.envelope.description import ServiceDescription, load_description
from tests.conftest import ROOT

CORPUS = ROOT.parent / "shared" / "wsdl-corpus"
INDEX = json.loads((CORPUS / "index.json").read_bytes()) if CORPUS.is_dir() else []
NAMES = [service["name"] for service in INDEX]
REASON = "the corpus of service descriptions is not beside the repository"

NO_SAMPLE = {
    # Its content is a strict wildcard for another namespace, of which no schema is in the description.
    "ru-smev3-message-exchange-1.1": {"GetStatusRequest"},
}
"""Body elements of which no valid sample can be made, with the reason."""


@lru_cache(maxsize=1)
def description_of(name: str) -> ServiceDescription:
    """One description; the last one is kept, for tests that come one after the other."""
    folder, _, entry = next(service["entry"] for service in INDEX if service["name"] == name).partition("/")
    return load_description(CORPUS / folder, entry)

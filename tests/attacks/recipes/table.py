"""The table of recipes: every known attack on a signed and encrypted SOAP message, by its number."""

from __future__ import annotations

from tests.attacks.recipes import (
    agreement,
    attachments,
    certificates,
    coverage,
    declarations,
    documents,
    encrypted_keys,
    encryption,
    keys,
    plaintexts,
    processing,
    record,
    references,
    signature_structure,
    times,
    values,
    wrapping,
    wrapping_soap,
)
from tests.attacks.recipes.model import Recipe

EVERY_ID = tuple(f"W{number:02d}" for number in range(1, 155))
_ROWS = (
    *wrapping.CLASSIC,
    *wrapping_soap.OF_SOAP,
    *signature_structure.STRUCTURE,
    *coverage.COVERAGE,
    *declarations.DECLARATIONS,
    *references.REFERENCES,
    *keys.CONFUSION,
    *values.VALUES,
    *certificates.CERTIFICATES,
    *encryption.CONTENT,
    *encrypted_keys.ENCRYPTED_KEYS,
    *agreement.POINTS,
    *plaintexts.PLAINTEXTS,
    *attachments.ATTACHMENTS,
    *times.TIMES,
    *processing.PROCESSING,
    *documents.PARSERS,
    *record.RECORD,
)
RECIPES: tuple[Recipe, ...] = tuple(sorted(_ROWS, key=lambda recipe: EVERY_ID.index(recipe.id)))
BY_ID = {recipe.id: recipe for recipe in RECIPES}

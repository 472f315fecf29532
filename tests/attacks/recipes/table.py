"""The table of recipes: every known attack on a signed and encrypted SOAP message, by its number."""

from __future__ import annotations

from tests.attacks.recipes import documents, signature_structure, wrapping
from tests.attacks.recipes.model import Recipe

RECIPES: tuple[Recipe, ...] = (
    *wrapping.CLASSIC,
    *wrapping.OF_SOAP,
    *signature_structure.STRUCTURE,
    *documents.DECLARATIONS,
    *documents.PARSERS,
)
BY_ID = {recipe.id: recipe for recipe in RECIPES}
EVERY_ID = tuple(f"W{number:02d}" for number in range(1, 155))

"""Texts in the languages of the country: English in the code, translated by gettext catalogues.

The catalogues are `adapter/locale/<language>/LC_MESSAGES/adapter.po`, read once at import, without compiled files.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from babel.messages.pofile import read_po

ENGLISH: Final = "en"
TRANSLATIONS: Final = ("ru", "uz")
LANGUAGES: Final = (ENGLISH, *TRANSLATIONS)
"""What every public text exists in: English, Russian, Uzbek (Latin script)."""


def _translations(language: str) -> Mapping[str, str]:
    po = files("adapter") / "locale" / language / "LC_MESSAGES" / "adapter.po"
    with po.open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id and message.string
    }


_CATALOGUES: Final = {language: _translations(language) for language in TRANSLATIONS}


def text_in(language: str, message: str) -> str:
    """The message in this language. language: a tag of RFC 5646, of which the first part counts (`ru-UZ` is `ru`).

    English comes back for a language or a message that has no translation.
    """
    return _CATALOGUES.get(language.partition("-")[0].lower(), {}).get(message, message)

"""The tables of `adapter.toml` about a PKCS #11 token: which one, who opens it, and the keys in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from adapter.settings.toml_reading import Section, mistake
from adapter.settings.types import FilePath, SecretPlace, TokenKeyId, TokenLabel


class TokenKeySettings(Section):
    """[[token.key]]: one private key that stays in the token, and its certificate."""

    purpose: Literal["signing", "agreement"] = Field(description="What the key is for; the token must allow just that.")
    label: TokenLabel | None = Field(None, description="Its CKA_LABEL.")
    id: TokenKeyId | None = Field(None, description="Its CKA_ID, hexadecimal.")
    certificate_file: FilePath = Field(description="PEM certificate of the key.")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.label is None and self.id is None:
            raise mistake("label or id is needed: which key of the token is it?", at=("label",))
        return self


class TokenSettings(Section):
    """[token]: a hardware token or security module, by PKCS #11. Without this table all keys are files."""

    module: FilePath = Field(description="The vendor's PKCS #11 library, a shared object.")
    label: TokenLabel | None = Field(None, description="Label of the token.")
    serial: TokenLabel | None = Field(None, description="Serial number of the token.")
    pin_file: SecretPlace = Field(
        Path("token.pin"),
        description="File with its user PIN; $CREDENTIALS_DIRECTORY/NAME: of systemd; `prompt`: typed at the terminal.",
    )
    key: tuple[TokenKeySettings, ...] = Field((), description="The keys in it that the adapter uses.")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.label is None and self.serial is None:
            raise mistake("label or serial is needed: which token is it?", at=("label",))
        return self

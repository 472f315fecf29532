"""The options of the commands that make an officer's key in a PKCS #11 token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from adapter.errors import CommandRefused
from adapter.settings.token_section import TokenSettings

TokenModuleOption = Annotated[
    Path | None,
    typer.Option(
        "--token-module", metavar="FILE", help="PKCS #11 library of the vendor: the key is made in a token (P-256)."
    ),
]
TokenLabelOption = Annotated[str | None, typer.Option("--token-label", help="Label of the token.")]
TokenSerialOption = Annotated[str | None, typer.Option("--token-serial", help="Its serial number, instead or as well.")]
PinFileOption = Annotated[
    Path,
    typer.Option(
        "--pin-file",
        metavar="FILE",
        help="File with its PIN; $CREDENTIALS_DIRECTORY/NAME: of systemd; `prompt`: typed at the terminal.",
    ),
]


def token_settings(module: Path, label: str | None, serial: str | None, pin_file: Path) -> TokenSettings:
    """Which token is meant. Raises CommandRefused: it has neither label nor serial number."""
    if label is None and serial is None:
        raise CommandRefused("--token-label or --token-serial is needed: which token is it?")
    try:
        return TokenSettings(module=module.absolute(), label=label, serial=serial, pin_file=pin_file)
    except ValidationError as cause:
        raise CommandRefused(f"the token's {cause.errors()[0]['loc'][0]} {cause.errors()[0]['msg']}") from None

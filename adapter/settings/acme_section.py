"""The table of `adapter.toml` about a certificate authority that renews the TLS certificate by ACME (RFC 8555)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from adapter.settings.toml_reading import Section
from adapter.settings.types import FilePath, IpAddress, Port, Seconds

HttpsAddress = Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9.\[\]:-]{1,255}/[!-\[\]-~]*$")]
EmailAddress = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,255}$")]


class AcmeSettings(Section):
    """[acme]: the CA that renews the TLS certificate by ACME (RFC 8555). Without this table it is renewed by hand."""

    url: HttpsAddress = Field(
        description="https address of the CA's ACME directory. Whatever the CA names later has to begin with the same "
        "https://host:port."
    )
    ca_file: FilePath = Field(description="PEM certificates that the TLS certificate of that address leads to.")
    contact: tuple[EmailAddress, ...] = Field((), description="E-mail addresses that the CA is told.")
    terms_agreed: bool = Field(
        default=False, description="Tell the CA that its terms of service are agreed to; some CAs want it."
    )
    account_key_file: FilePath = Field(
        Path("keys/account.key"),
        description="Key of the account with the CA (P-256); made at the first renewal, encrypted as the other keys.",
    )
    address: IpAddress = Field(
        "0.0.0.0",  # noqa: S104  the CA calls from outside
        description="Address to listen on while the CA looks for the answer to its challenge (http-01).",
    )
    port: Port = Field(80, description="TCP port for that; the CA asks at port 80 of the names in the certificate.")
    automatic: bool = Field(
        default=True, description="Whether the running adapter renews by itself, or only `adapter keys renew`."
    )
    renew_days: int | None = Field(
        None, ge=1, le=3650, description="Days before its end. Default: when a third of its life is left."
    )
    timeout_s: Seconds = Field(30, description="Seconds that the CA may take for one answer.")
    order_timeout_s: Seconds = Field(300, description="Seconds from the order to the certificate.")

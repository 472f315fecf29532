"""`adapter.toml`: the manual of one adapter's settings, and their reading.

The names of tables and keys are those of the classes and fields below. Secrets are never in the file: it names the
files that hold them.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from adapter.attachments import MAX_ATTACHMENTS
from adapter.identifiers import MemberId
from adapter.settings.acme_section import AcmeSettings
from adapter.settings.client_context import ContextSettings
from adapter.settings.consents_section import ConsentsSettings
from adapter.settings.limits import LimitsSettings, QuotasSettings, TimeStampsSettings, WitnessesSettings
from adapter.settings.officers import ApprovalsSettings, KeysSettings
from adapter.settings.retention_section import RetentionSettings
from adapter.settings.token_section import TokenSettings
from adapter.settings.toml_reading import Section, load_toml, mistake
from adapter.settings.types import (
    ClamdAddress,
    Count,
    DatabaseUrl,
    FilePath,
    Fingerprint,
    IpAddress,
    IpNetwork,
    MemberName,
    Mirrors,
    Port,
    Seconds,
    SecretPlace,
    Segment,
    ServicePattern,
    SubsystemName,
    WebAddress,
)

_MEBIBYTE: Final = 1024 * 1024


class AdapterSettings(Section):
    """[adapter]: whose adapter this is and where it keeps its things."""

    member: MemberName = Field(description="The member that this adapter serves: instance/class/code.")
    data_dir: FilePath = Field(Path("data"), description="Folder of the database and the last good directory.")
    keys_dir: FilePath = Field(Path("keys"), description="Folder of keys and certificates, readable by the owner only.")
    passphrase_file: SecretPlace | None = Field(
        None,
        description="File with the passphrase that the keys are encrypted by; $CREDENTIALS_DIRECTORY/NAME: of systemd; "
        "`prompt`: typed at the terminal.",
    )
    services_dir: FilePath = Field(Path("services"), description="Folder with one folder for each service provided.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important line that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="`json`: one object per line; `console`: for a person to read."
    )
    language: Literal["en", "ru", "uz"] = Field("en", description="Language of the command line and of the console.")


class DirectorySettings(Section):
    """[directory]: where the authority publishes who is who, and the root that it is believed by."""

    url: Mirrors = Field(
        description="http(s) address or folder of the authority's repository; a list names mirrors, tried in turn."
    )
    anchor: FilePath = Field(description="File with the first root of the repository, got on a safe way.")
    refresh_s: Seconds = Field(60, description="Seconds between two looks for a newer directory.")
    timeout_s: Seconds = Field(10, description="Seconds that the fetching of one file may take.")
    max_bytes: Count = Field(64 * _MEBIBYTE, description="Octets that a directory or a description bundle may have.")
    status_timeout_s: Seconds = Field(5, description="Seconds that an OCSP responder or a revocation list may take.")
    max_list_bytes: Count = Field(16 * _MEBIBYTE, description="Octets that a revocation list may have.")
    loopback_peers: Literal["if-own", "always", "never"] = Field(
        "if-own",
        description="Whether the directory may name adapters on this machine. `if-own`: when it has this adapter on "
        "loopback too (a federation on one machine). Link-local addresses are never connected to.",
    )


class PeerListenerSettings(Section):
    """[peer_listener]: where other adapters call. Always mutual TLS 1.3."""

    address: IpAddress = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104  peers call from outside
    port: Port = Field(8443, description="TCP port; 0 lets the system choose.")
    max_connections: Count = Field(512, description="Connections at a time, for each worker.")
    max_message_bytes: Count = Field(32 * _MEBIBYTE, description="Octets that one message may have.")
    read_timeout_s: Seconds = Field(30, description="Seconds in which a request must have come in completely.")
    idle_timeout_s: Seconds = Field(75, description="Seconds after which an idle connection is closed.")


class ClientListenerSettings(Section):
    """[client_listener]: where the agency's own systems call."""

    address: IpAddress = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8080, description="TCP port; 0 lets the system choose.")
    mode: Literal["loopback-http", "tls", "mutual-tls"] = Field(
        "loopback-http", description="Plain HTTP for systems on this machine, TLS, or TLS with client certificates."
    )
    allow_plain_http_beyond_loopback: bool = Field(
        default=False, description="Allow plain HTTP on an address that other machines reach."
    )
    certificate_file: FilePath | None = Field(None, description="PEM certificate chain to show; needed with TLS.")
    key_file: FilePath | None = Field(None, description="PEM private key of that certificate; needed with TLS.")
    client_ca_file: FilePath | None = Field(
        None, description="PEM certificates that issue the client systems' ones; needed with mutual-tls."
    )
    public_url: WebAddress | None = Field(
        None, description="How systems reach this listener, for republished WSDLs. Default: as the caller addressed it."
    )
    xroad_at_root: bool = Field(
        default=False,
        description="Take X-Road messages and GET /listClients at / too, as X-Road's servers do; at /xroad always.",
    )
    max_connections: Count = Field(512, description="Connections at a time, for each worker.")
    max_message_bytes: Count = Field(32 * _MEBIBYTE, description="Octets that one message may have.")
    read_timeout_s: Seconds = Field(30, description="Seconds in which a request must have come in completely.")
    idle_timeout_s: Seconds = Field(75, description="Seconds after which an idle connection is closed.")

    @property
    def is_readable_on_the_way(self) -> bool:
        """Whether it speaks plain HTTP on an address that other machines reach."""
        return self.mode == "loopback-http" and not ip_address(self.address).is_loopback

    @model_validator(mode="after")
    def _protected(self) -> Self:
        if self.mode == "loopback-http":
            if self.is_readable_on_the_way and not self.allow_plain_http_beyond_loopback:
                raise mistake(
                    "plain HTTP is for loopback only: choose mode tls or mutual-tls, "
                    "or set allow_plain_http_beyond_loopback = true",
                    at=("address",),
                )
            return self
        for key in ("certificate_file", "key_file"):
            if getattr(self, key) is None:
                raise mistake(f"needed with mode {self.mode}", at=(key,))
        if self.mode == "mutual-tls" and self.client_ca_file is None:
            raise mistake("needed with mode mutual-tls", at=("client_ca_file",))
        return self


class OperatorsListenerSettings(Section):
    """[operators_listener]: health and metrics."""

    address: IpAddress = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8081, description="TCP port; 0 lets the system choose.")


class AttachmentsSettings(Section):
    """[attachments]: what comes beside the XML, as MTOM or SOAP with Attachments. A service has bounds of its own."""

    spool_dir: FilePath = Field(
        Path("data/spool"), description="Folder in which attachments wait, encrypted, in files without a name."
    )
    spool_bytes: Count = Field(
        8 * 1024 * _MEBIBYTE, description="Octets of all attachments that wait at a time, for each worker."
    )
    max_count: int = Field(16, ge=0, le=MAX_ATTACHMENTS, description="Attachments of one message; 0 allows none.")
    max_bytes: Count = Field(2048 * _MEBIBYTE, description="Octets of all attachments of one message.")
    min_bytes_per_second: Count = Field(
        64 * 1024, description="Octets a second, on average, below which a transfer is given up."
    )
    max_transfer_s: int = Field(3600, ge=1, le=86_400, description="Seconds that the transfer of one message may take.")


class ScanSettings(Section):
    """[scan]: a clamd that looks at attachments before they are handed to a system of this agency."""

    clamd: ClamdAddress | None = Field(
        None, description="Its socket: an absolute path, or host:port. Default: nobody looks."
    )
    timeout_s: Seconds = Field(120, description="Seconds for one attachment.")
    when_down: Literal["refuse", "deliver"] = Field(
        "refuse", description="What becomes of an attachment that nobody could look at."
    )


class TimingSettings(Section):
    """[timing]: how long things may take or live."""

    message_lifetime_s: int = Field(300, ge=1, le=300, description="Seconds from Created to Expires of a message.")
    clock_skew_s: int = Field(60, ge=0, le=300, description="Seconds that a peer's clock may be off.")
    peer_timeout_s: Seconds = Field(30, description="Seconds to wait for another adapter's reply.")
    shutdown_grace_s: Seconds = Field(30, description="Seconds for exchanges in flight when the adapter stops.")


class RecordSettings(Section):
    """[record]: how the record is written."""

    max_batch: int = Field(256, ge=1, le=10_000, description="Entries made durable by one commit, at most.")
    busy_timeout_s: Seconds = Field(10, description="Seconds to wait for a database that another process has locked.")
    tell_officials: bool = Field(
        default=False, description="Tell a person which official asked for their data; else the agency answers for it."
    )


class StoreSettings(Section):
    """[store]: the database."""

    url: DatabaseUrl | None = Field(
        None, description="SQLAlchemy address without a password. Default: SQLite, adapter.sqlite in data_dir."
    )
    password_file: FilePath | None = Field(
        None, description="File that holds the database password, readable by the owner only."
    )


# --- client systems ---------------------------------------------------------------------------------------------------


_PROOFS: Final = {
    "certificate": ("certificate_sha256",),
    "token": ("token_file",),
    "basic": ("user", "password_file"),
    "address": ("addresses",),
}
"""For each way to identify a client system, the keys that it needs; the others' keys are refused."""


class ClientSettings(Section):
    """[[client]]: one of the agency's own systems that may call."""

    name: Segment = Field(description="Name of the system in logs and records.")
    subsystem: SubsystemName = Field(description="The subsystem it calls as: instance/class/code/subsystem.")
    identify_by: Literal["certificate", "token", "basic", "address"] = Field(
        description="How it proves who it is: TLS certificate, bearer token, user and password, or network address."
    )
    certificate_sha256: Fingerprint | None = Field(None, description="SHA-256 of its certificate (DER), hexadecimal.")
    token_file: FilePath | None = Field(None, description="File with the SHA-256 of its bearer token, hexadecimal.")
    user: str | None = Field(None, description="User name for HTTP Basic authentication.")
    password_file: FilePath | None = Field(None, description="File with the SHA-256 of its password, hexadecimal.")
    addresses: tuple[IpNetwork, ...] = Field((), description="Addresses or networks that it calls from.")
    services: tuple[ServicePattern, ...] = Field(
        description="Services that it may call: whole ids, or a beginning up to a slash and then *."
    )
    xroad_ids: Literal["unique", "may-repeat"] = Field(
        "unique",
        description="Whether it gives each X-Road message an id of its own. `unique`: a message that comes again under "
        "the same id does not run again. `may-repeat`: every message is a new exchange.",
    )
    attachments: Literal["as-sent", "inline", "mtom", "swa"] = Field(
        "as-sent",
        description="How it gets attachments: as it sent its call, as base64 in the XML, as MTOM, or as SOAP with "
        "Attachments.",
    )
    context: ContextSettings = Field(
        default_factory=ContextSettings, description="What the system cannot say itself; see [client.context]."
    )

    @model_validator(mode="after")
    def _identified(self) -> Self:
        for way, keys in _PROOFS.items():
            for key in keys:
                given = bool(getattr(self, key))
                if given and way != self.identify_by:
                    raise mistake(f'only used with identify_by = "{way}"', at=(key,))
                if not given and way == self.identify_by:
                    raise mistake(f'needed with identify_by = "{way}"', at=(key,))
        return self


# --- the whole file ---------------------------------------------------------------------------------------------------


class Settings(Section):
    """The whole of `adapter.toml`. Paths are absolute once it is read."""

    adapter: AdapterSettings = Field(description="Whose adapter this is and where it keeps its things.")
    directory: DirectorySettings = Field(description="Where the authority publishes who is who.")
    peer_listener: PeerListenerSettings = Field(
        default_factory=PeerListenerSettings, description="Where other adapters call."
    )
    client_listener: ClientListenerSettings = Field(
        default_factory=ClientListenerSettings, description="Where the agency's own systems call."
    )
    operators_listener: OperatorsListenerSettings = Field(
        default_factory=OperatorsListenerSettings, description="Health and metrics."
    )
    limits: LimitsSettings = Field(default_factory=LimitsSettings, description="Bounds on one message.")
    quotas: QuotasSettings = Field(default_factory=QuotasSettings, description="What one caller may take.")
    attachments: AttachmentsSettings = Field(
        default_factory=AttachmentsSettings, description="What comes beside the XML."
    )
    scan: ScanSettings = Field(default_factory=ScanSettings, description="Who looks for malware in attachments.")
    timing: TimingSettings = Field(default_factory=TimingSettings, description="How long things may take.")
    record: RecordSettings = Field(default_factory=RecordSettings, description="How the record is written.")
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="How long kept messages are kept."
    )
    time_stamps: TimeStampsSettings = Field(
        default_factory=TimeStampsSettings, description="How the record is time-stamped."
    )
    witnesses: WitnessesSettings = Field(
        default_factory=WitnessesSettings, description="How often checkpoints go to the witnesses."
    )
    store: StoreSettings = Field(default_factory=StoreSettings, description="The database.")
    keys: KeysSettings = Field(default_factory=KeysSettings, description="When keys may be used and retired.")
    approvals: ApprovalsSettings = Field(default_factory=ApprovalsSettings, description="Acts that need two officers.")
    token: TokenSettings | None = Field(None, description="A PKCS #11 token that holds keys.")
    acme: AcmeSettings | None = Field(None, description="A CA that renews the TLS certificate by ACME.")
    consents: ConsentsSettings | None = Field(None, description="How consent issuers are asked.")
    client: tuple[ClientSettings, ...] = Field((), description="The agency's own systems that may call.")

    @property
    def member(self) -> MemberId:
        """The member that this adapter serves."""
        return self.adapter.member

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of the database, without a password."""
        return self.store.url or f"sqlite:///{self.adapter.data_dir / 'adapter.sqlite'}"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        listeners = ("peer_listener", "client_listener", "operators_listener")
        places = [(getattr(self, name).address, getattr(self, name).port) for name in listeners]
        for at, place in enumerate(places):
            if place[1] and place in places[:at]:
                raise mistake(f"{listeners[places.index(place)]} listens there", at=(listeners[at], "port"))
        return self

    @model_validator(mode="after")
    def _asks_as_itself(self) -> Self:
        if self.consents is not None and self.consents.subsystem.member != self.member:
            raise mistake("belongs to another member than this adapter", at=("consents", "subsystem"))
        return self

    @model_validator(mode="after")
    def _clients_apart(self) -> Self:
        seen: set[str] = set()
        for at, client in enumerate(self.client):
            if client.subsystem.member != self.member:
                raise mistake("belongs to another member than this adapter", at=("client", at, "subsystem"))
            if client.identify_by == "certificate" and self.client_listener.mode != "mutual-tls":
                raise mistake("needs client_listener.mode mutual-tls", at=("client", at, "identify_by"))
            if client.identify_by in ("basic", "token") and self.client_listener.is_readable_on_the_way:
                raise mistake(
                    "its secret could be read on the way: needs client_listener.mode tls or mutual-tls",
                    at=("client", at, "identify_by"),
                )
            for key in ("name", "certificate_sha256", "user"):
                value = getattr(client, key)
                if value is not None and f"{key} {value}" in seen:
                    raise mistake("is the same as another client's", at=("client", at, key))
                seen.add(f"{key} {value}")
        return self


def load_settings(path: Path) -> Settings:
    """Read `adapter.toml`. Raises SettingsInvalid with every mistake in it."""
    return load_toml(path, Settings)

"""The kinds of values that settings have, each checked as it is read. Values never appear in a message."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, TypeVar

from lxml import etree
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo

from adapter.errors import AdapterError
from adapter.identifiers import IDENTIFIER_KINDS, MemberId, ServiceId, SubsystemId, is_identifier_kind

Value = TypeVar("Value")

_SEGMENT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_PATTERN: Final = re.compile(r"(?:[A-Za-z0-9._-]+/){0,5}\*")
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
_HANDLER: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_CLAMD: Final = re.compile(r"/\S+|[A-Za-z0-9.-]+:[0-9]{1,5}|\[[0-9A-Fa-f:]+\]:[0-9]{1,5}")
_PROMPT: Final = "prompt"
_HEXADECIMAL: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){1,64}")
_PRINTABLE: Final = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")
_WEB: Final = re.compile(r"https?://[^\s/]+(?:/\S*)?")


def _identifier(read: Callable[[str], Value]) -> Callable[[object], Value]:
    """A validator that reads an identifier with its own `parse`; a value that is one already stays."""

    def check(value: object) -> Value:
        if not isinstance(value, str):
            raise ValueError("should be a string")  # noqa: TRY004  pydantic reports ValueError only
        try:
            return read(value)
        except AdapterError as cause:
            raise ValueError(cause.reason) from None

    return check


_CREDENTIALS: Final = "$CREDENTIALS_DIRECTORY/"


def _credential(name: str) -> Path:
    """The file that systemd made of LoadCredential=NAME:… for this unit."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise ValueError("CREDENTIALS_DIRECTORY is not set: this is for a unit with LoadCredential=")
    if not name or "/" in name:
        raise ValueError("should be $CREDENTIALS_DIRECTORY/ and the name of one credential")
    return Path(folder) / name


def _path(value: object, info: ValidationInfo) -> Path:
    """A relative path is meant from the folder of the settings file."""
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("should be a path")
    folder: Path | None = (info.context or {}).get("folder")
    if str(value).startswith(_CREDENTIALS):
        return _credential(str(value).removeprefix(_CREDENTIALS))
    expanded = Path(value).expanduser()
    return folder / expanded if folder else expanded


def _secret_place(value: object, info: ValidationInfo) -> Path:
    """A path, or `prompt`, which names no file."""
    return Path(_PROMPT) if value == _PROMPT else _path(value, info)


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"should be {what}")
        return text

    return check


def _service_pattern(text: str) -> str:
    """A whole service id, or the beginning of one up to a slash and then `*`."""
    if _PATTERN.fullmatch(text):
        return text
    try:
        return str(ServiceId.parse(text))
    except AdapterError:
        raise ValueError(
            "should be instance/class/code/subsystem/service/version, or its beginning up to a slash, then *"
        ) from None


def _address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        raise ValueError("should be an IPv4 or IPv6 address, not a name") from None
    return text


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("should be an IP address or a network such as 10.1.2.0/24") from None
    return text


def _identifier_kind(text: str) -> str:
    if not is_identifier_kind(text):
        raise ValueError(f"should be one of {', '.join(IDENTIFIER_KINDS)}, or a type of the directory by its code")
    return text


def _digest(text: str) -> str:
    digits = text.replace(":", "")
    if not _SHA256.fullmatch(digits):
        raise ValueError("should be a SHA-256 fingerprint: 64 hexadecimal digits, colons allowed")
    return digits.lower()


def _place(text: str, info: ValidationInfo) -> str:
    """An http(s) URL as it is; anything else is a folder."""
    if "://" not in text or text.startswith("file://"):
        return str(_path(text.removeprefix("file://"), info))
    if not _WEB.fullmatch(text):
        raise ValueError("should be an http:// or https:// address, or a folder")
    return text


def _one_or_more(value: object) -> object:
    """One value may stand for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _database_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme:
        raise ValueError("should be a SQLAlchemy address such as postgresql+psycopg://user@host/name")
    who, at, _ = rest.partition("/")[0].rpartition("@")
    if at and ":" in who:
        raise ValueError("holds a password: put it into a file of its own and name that in password_file")
    return text


def _database(text: str, info: ValidationInfo) -> str:
    """A SQLAlchemy address as it is; anything else is a SQLite file."""
    return _database_url(text) if "://" in text else str(_path(text, info))


def compile_xpath(expression: str, namespaces: Mapping[str, str]) -> etree.XPath:
    """The compiled expression. Raises ValueError, with a sentence, when it is none or uses an unknown prefix."""
    try:
        compiled = etree.XPath(expression, namespaces=dict(namespaces) or None, regexp=False)
        compiled(etree.Element("tried"))  # an unknown function is noticed only now
    except (etree.XPathError, TypeError):
        raise ValueError("is not an XPath 1.0 expression") from None
    return compiled


def unknown_prefixes(expression: str, namespaces: Mapping[str, str]) -> tuple[str, ...]:
    """Prefixes in the expression that [namespaces] does not bind; libxml2 itself notices only when it evaluates."""
    used = re.findall(
        r"(?<![\w.:-])([A-Za-z_][\w.-]*):(?!:)(?=[A-Za-z_*])", re.sub(r"'[^']*'|\"[^\"]*\"", "''", expression)
    )
    return tuple(sorted({prefix for prefix in used if prefix not in namespaces}))


MemberName = Annotated[MemberId, PlainValidator(_identifier(MemberId.parse))]
SubsystemName = Annotated[SubsystemId, PlainValidator(_identifier(SubsystemId.parse))]
Segment = Annotated[str, AfterValidator(_matching(_SEGMENT, "1 to 64 letters, digits, dots, hyphens or underscores"))]
ServicePattern = Annotated[str, AfterValidator(_service_pattern)]
FilePath = Annotated[Path, PlainValidator(_path)]
SecretPlace = Annotated[Path, PlainValidator(_secret_place)]
"""Where a passphrase or PIN is: a file that only its owner may read, which may be a credential of systemd; or `prompt`,
typed at the terminal. Never an argument or an environment variable."""
TokenLabel = Annotated[str, AfterValidator(_matching(_PRINTABLE, "1 to 64 printable ASCII characters"))]
TokenKeyId = Annotated[str, AfterValidator(_matching(_HEXADECIMAL, "CKA_ID in hexadecimal"))]
WebOrFolder = Annotated[str, AfterValidator(_place)]
Mirrors = Annotated[tuple[WebOrFolder, ...], BeforeValidator(_one_or_more), Field(min_length=1, max_length=16)]
WebAddress = Annotated[str, AfterValidator(_matching(_WEB, "an http:// or https:// address"))]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
DatabaseUrlOrFile = Annotated[str, AfterValidator(_database)]
IpAddress = Annotated[str, AfterValidator(_address)]
IpNetwork = Annotated[str, AfterValidator(_network)]
IdentifierKind = Annotated[str, AfterValidator(_identifier_kind)]
Fingerprint = Annotated[str, AfterValidator(_digest)]
ClamdAddress = Annotated[str, AfterValidator(_matching(_CLAMD, "an absolute path or host:port"))]
HandlerName = Annotated[str, AfterValidator(_matching(_HANDLER, "module:Class"))]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Count = Annotated[int, Field(ge=1)]

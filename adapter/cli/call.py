"""`adapter call`: one real SOAP call through the own adapter, as a client system would make it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import requests
import typer

from adapter.cli.call_answer import Answer, answer_value, answer_words, read_answer
from adapter.cli.call_attachments import save, with_files
from adapter.cli.call_message import Asking, SoapMessage, message_from_fields, message_from_file
from adapter.cli.failures import console_language
from adapter.cli.files import read_octets
from adapter.cli.options import (
    BASIS_FORM,
    DEFAULT_SETTINGS,
    JsonOption,
    LanguageOption,
    SettingsOption,
    legal_basis_reader,
    official_reader,
    service_reader,
    settings_from,
    subject_reader,
)
from adapter.cli.output import Output
from adapter.cli.wsdl_download import download_description
from adapter.envelope.multipart import MULTIPART, media_type_of
from adapter.errors import CommandRefused, LimitExceeded, PeerTimeout, PeerUnreachable
from adapter.identifiers import OfficialId, ServiceId, SubjectId
from adapter.settings import Settings
from adapter.stages import LegalBasis

FAULT_EXIT_CODE: Final = 10
_MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """How the call proves which client system it is. Secrets come from files, never from the command line."""

    token_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


app = typer.Typer()


@app.command(
    epilog="adapter call --service UZ/GOV/200000001/population/GetPerson/v1 --field Pinfl=… --purpose social-benefit "
    "--basis 'law:ZRU-395, article 12' --subject pinfl:… --official inspector-17"
)
def call(
    file: Annotated[
        Path | None, typer.Argument(help="A request: the Body's element, or a whole SOAP envelope.", show_default=False)
    ] = None,
    *,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", "-f", metavar="NAME=VALUE", help="An element of the request, instead of FILE."),
    ] = None,
    operation: Annotated[str | None, typer.Option(help="Operation, if the service has several.")] = None,
    service: Annotated[
        ServiceId | None,
        typer.Option(parser=service_reader, metavar="SERVICE", help="instance/class/member/subsystem/service/version."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="The service's address at the client listener, instead.")] = None,
    official: Annotated[
        OfficialId | None, typer.Option(parser=official_reader, metavar="ID", help="The civil servant who asks.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="Purpose, by its code in the directory.")] = None,
    basis: Annotated[
        LegalBasis | None,
        typer.Option(parser=legal_basis_reader, metavar=BASIS_FORM, help="Legal basis: 'law:ZRU-395, article 12'."),
    ] = None,
    subject: Annotated[
        list[SubjectId] | None,
        typer.Option(parser=subject_reader, metavar="KIND:VALUE", help="Whom it is about: pinfl:… ; may be repeated."),
    ] = None,
    regulation: Annotated[str | None, typer.Option(help="Number of the e-service's regulation.")] = None,
    consent: Annotated[str | None, typer.Option(help="Number of the person's consent.")] = None,
    issue: Annotated[str | None, typer.Option(help="Number of the application or case.")] = None,
    emergency: Annotated[
        str | None, typer.Option(metavar="REASON", help="It cannot wait, and why. Both agencies review it.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the client system's bearer token.")] = None,
    user: Annotated[str | None, typer.Option(help="User name, for HTTP Basic.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password, for HTTP Basic.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Client certificate (PEM), for mutual TLS.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    ca: Annotated[Path | None, typer.Option(help="Certificates that issue the listener's (PEM).")] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds to wait for the answer.")] = 60,
    attach: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file to send beside the XML, as cid:attachment-1 and so on."),
    ] = None,
    save_to: Annotated[
        Path | None, typer.Option("--save", metavar="FOLDER", help="Write the attachments of the answer there.")
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call a service through this agency's adapter and show the answer with the record numbers on both sides.

    The request is FILE, or is made from --field options by the service's own WSDL. Who asks, why and about whom goes
    into the RequestContext header. Exit code 0: a reply; 10: a fault.
    """
    output = Output.of(as_json=as_json)
    if (file is None) == (not field):
        raise CommandRefused("say what to ask: either a FILE or --field options")
    address, default_language = _address(url, service, settings_file)
    asking = Asking(
        official=official,
        purpose=purpose,
        legal_basis=basis,
        regulation=regulation,
        subjects=tuple(subject or ()),
        consent=consent,
        issue=issue,
        emergency=emergency,
    )
    credentials = Credentials(
        token_file=token_file, user=user, password_file=password_file, certificate=certificate, key=key, ca=ca
    )
    with _session(credentials) as session:
        if file is not None:
            message = message_from_file(read_octets(file, what="request"), asking)
        else:
            description = download_description(f"{address}?wsdl", session, timeout_s=timeout_s).description()
            message = message_from_fields(description, operation, field or [], asking)
        answer = _post(session, address, with_files(message, attach or []), timeout_s)
    for path in save(answer.attachments, save_to) if save_to is not None else []:
        output.remark(f"Written {path}")
    output.result(answer_value(answer), *answer_words(answer, language.value if language else default_language))
    if answer.payload is None:
        raise typer.Exit(FAULT_EXIT_CODE)


def _address(url: str | None, service: ServiceId | None, settings_file: Path) -> tuple[str, str]:
    """The service's address, and the language of the settings where they were read."""
    if url is not None:
        return url.partition("?")[0].rstrip("/"), console_language().partition("-")[0]
    if service is None:
        raise CommandRefused("say which service: --service ID, or --url with its address at the client listener")
    settings = settings_from(settings_file)
    return f"{listener_url(settings)}/service/{service}", settings.adapter.language


def listener_url(settings: Settings) -> str:
    """Where the own client listener is, as this machine reaches it."""
    listener = settings.client_listener
    if listener.public_url is not None:
        return listener.public_url.rstrip("/")
    scheme = "http" if listener.mode == "loopback-http" else "https"
    host = "127.0.0.1" if listener.address in ("0.0.0.0", "::") else listener.address  # noqa: S104
    return f"{scheme}://[{host}]:{listener.port}" if ":" in host else f"{scheme}://{host}:{listener.port}"


@contextmanager
def _session(credentials: Credentials) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment has no business between a system and its adapter
        if credentials.token_file is not None:
            session.headers["Authorization"] = f"Bearer {_secret(credentials.token_file)}"
        elif credentials.user is not None:
            if credentials.password_file is None:
                raise CommandRefused("--user needs --password-file")
            session.auth = (credentials.user, _secret(credentials.password_file))
        if credentials.certificate is not None:
            pair = (str(credentials.certificate), str(credentials.key or credentials.certificate))
            session.cert = pair
        if credentials.ca is not None:
            session.verify = str(credentials.ca)
        yield session


def _secret(path: Path) -> str:
    return read_octets(path, what="secret", max_bytes=4096).decode("utf-8", "replace").strip()


def _post(session: requests.Session, address: str, message: SoapMessage, timeout_s: float) -> Answer:
    """Raises PeerUnreachable, PeerTimeout, LimitExceeded, PeerAnswerInvalid."""
    headers = {"Content-Type": message.content_type}
    if media_type_of(message.content_type) in ("text/xml", MULTIPART):
        headers["SOAPAction"] = f'"{message.soap_action}"'
    try:
        with session.post(
            address, data=message.octets, headers=headers, timeout=timeout_s, allow_redirects=False, stream=True
        ) as response:
            octets = response.raw.read(_MAX_ANSWER_BYTES + 1, decode_content=True)
            status, told = response.status_code, dict(response.headers)
    except requests.Timeout:
        raise PeerTimeout(f"{address} did not answer within {timeout_s:g} seconds") from None
    except (requests.RequestException, OSError) as cause:
        raise PeerUnreachable(f"{address} cannot be reached ({type(cause).__name__})") from None
    if len(octets) > _MAX_ANSWER_BYTES:
        raise LimitExceeded(f"the answer is larger than {_MAX_ANSWER_BYTES} octets")
    return read_answer(octets, status, told)

"""How an agency's adapter knows its own systems: by certificate, token, password or address, over real sockets.

The clients send no RequestContext where they can leave it out: the settings say it for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from examples.federation.home import Home
from tests.interop.agencies import GET_PERSON, PASSWORD, TOKEN, USER, Agencies
from tests.interop.stacks import STACKS, Said, call, need
from tests.pki import certificate_pem, issue, make_ca, private_pem

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

SENDS_CREDENTIALS = ("php", "node", "go")


@pytest.fixture(scope="module", params=SENDS_CREDENTIALS)
def command(request: pytest.FixtureRequest, agencies: Agencies, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The client of a stack that can send every credential, without its header where it can do without."""
    stack = STACKS[request.param]
    need(stack)
    wsdl = f"{agencies.office.service_url(GET_PERSON)}?wsdl"
    made = stack.prepare(tmp_path_factory.mktemp(request.param), wsdl, "client")
    return [*made, "--no-context"] if request.param == "php" else list(made)


def ask(command: Sequence[str], home: Home, agencies: Agencies, *options: str) -> Said:
    return call(command, *options, f"{home.service_url(GET_PERSON)}?wsdl", agencies.person.pinfl)


def trusting(agencies: Agencies) -> tuple[str, str]:
    return ("--ca", str(agencies.tls.ca_file))


def test_by_token(command: list[str], agencies: Agencies) -> None:
    known = ask(command, agencies.bureau, agencies, *trusting(agencies), "--token", TOKEN)
    assert known.lines == {"surname": agencies.person.surname, "born": agencies.person.born}, known
    unknown = ask(command, agencies.bureau, agencies, *trusting(agencies), "--token", TOKEN[:-1])
    assert unknown.lines["code"] == "ClientNotIdentified"


def test_by_password(command: list[str], agencies: Agencies) -> None:
    known = ask(command, agencies.bureau, agencies, *trusting(agencies), "--user", USER, "--password", PASSWORD)
    assert known.lines == {"surname": agencies.person.surname, "born": agencies.person.born}, known
    unknown = ask(command, agencies.bureau, agencies, *trusting(agencies), "--user", USER, "--password", "guess")
    assert unknown.lines["code"] == "ClientNotIdentified"


def test_by_certificate(command: list[str], agencies: Agencies) -> None:
    own = ("--certificate", str(agencies.tls.certificate_file), "--key", str(agencies.tls.key_file))
    known = ask(command, agencies.vault, agencies, *trusting(agencies), *own)
    assert known.lines == {"surname": agencies.person.surname, "born": agencies.person.born}, known


def test_a_certificate_of_the_same_authority_that_the_settings_do_not_name(
    command: list[str], agencies: Agencies
) -> None:
    server = agencies.tls.ca_file.parent
    other = ("--certificate", str(server / "server.pem"), "--key", str(server / "server.key"))
    assert ask(command, agencies.vault, agencies, *trusting(agencies), *other).lines["code"] == "ClientNotIdentified"


def test_no_certificate_or_one_of_another_authority_gets_no_connection(
    command: list[str], agencies: Agencies, tmp_path: Path
) -> None:
    without = ask(command, agencies.vault, agencies, *trusting(agencies))
    assert without.exit_code not in (0, 1) or not without.lines
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.now(UTC)
    certificate = issue(
        make_ca("A stranger", now=now), public_key=key.public_key(), subject="x", usage=("digital_signature",), now=now
    )
    (tmp_path / "x.key").write_bytes(private_pem(key))
    (tmp_path / "x.pem").write_bytes(certificate_pem(certificate))
    strange = ("--certificate", str(tmp_path / "x.pem"), "--key", str(tmp_path / "x.key"))
    assert not ask(command, agencies.vault, agencies, *trusting(agencies), *strange).lines


def test_the_client_checks_whom_it_speaks_to(command: list[str], agencies: Agencies, tmp_path: Path) -> None:
    """The recipes do not turn the check of the adapter's certificate off."""
    stranger = tmp_path / "ca.pem"
    stranger.write_bytes(certificate_pem(make_ca("A stranger", now=datetime.now(UTC)).certificate))
    assert not ask(command, agencies.bureau, agencies, "--ca", str(stranger), "--token", TOKEN).lines


def test_by_address_a_credential_is_not_passed_over(command: list[str], agencies: Agencies) -> None:
    """Whoever sends a credential is judged by it, even from an address that is known."""
    said = ask(command, agencies.office, agencies, "--token", TOKEN)
    assert said.lines["code"] == "ClientNotIdentified"


def test_to_be_known_by_an_address_is_said_loudly(agencies: Agencies) -> None:
    logs = agencies.federation.folder.parent / "logs"
    assert "known by address alone" in (logs / "office.log").read_text()
    assert "by address alone" not in (logs / "bureau.log").read_text()

"""Settings are read whole or refused whole, with file, line, key, what is wrong and the nearest valid key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydantic
import pytest

from adapter.errors import SettingsInvalid
from adapter.identifiers import MemberId, SubsystemId
from adapter.settings import Settings, load_settings
from tests.settings_files import CLIENT, MINIMAL

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "adapter.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def refused(path: Path) -> SettingsInvalid:
    with pytest.raises(SettingsInvalid) as refusal:
        load_settings(path)
    return refusal.value


# --- what is read -----------------------------------------------------------------------------------------------------


def test_minimal_file_has_every_default(write: Write, tmp_path: Path) -> None:
    settings = load_settings(write(MINIMAL))
    assert settings.member == MemberId.parse("UZ/GOV/200000001")
    assert settings.adapter.data_dir == tmp_path / "data"
    assert settings.directory.anchor == tmp_path / "anchor.json"
    assert settings.attachments.spool_dir == tmp_path / "data" / "spool"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/adapter.sqlite"
    assert settings.client_listener.mode == "loopback-http"
    assert settings.timing.message_lifetime_s == 300
    assert settings.limits.for_messages(77).max_bytes == 77
    assert settings.client == ()


def test_full_file(write: Write, tmp_path: Path) -> None:
    text = f"""{MINIMAL}
refresh_s = 0.5
[peer_listener]
port = 0
[client_listener]
mode = "mutual-tls"
address = "::"
certificate_file = "/etc/adapter/tls.pem"
key_file = "tls.key"
client_ca_file = "clients.pem"
[store]
url = "postgresql+psycopg://adapter@db/adapter"
password_file = "db.password"
{CLIENT}
[client.context]
purpose = "benefit"
legal_basis_kind = "law"
legal_basis_reference = "No. 395, article 12"
official_xpath = "/*/b:Official"
subject_kind = "pinfl"
subject_xpath = "//b:Pinfl[string-length(.) = 14]"
[client.context.namespaces]
b = "urn:benefits"
[[client]]
name = "by-certificate"
subsystem = "UZ/GOV/200000001/pensions"
identify_by = "certificate"
certificate_sha256 = "{":".join(["AB"] * 32)}"
services = ["UZ/GOV/200000002/population/GetPerson/v1", "*"]
"""
    settings = load_settings(write(text))
    first, second = settings.client
    assert first.subsystem == SubsystemId.parse("UZ/GOV/200000001/benefits")
    assert first.token_file == tmp_path / "benefits.token"
    assert first.context.namespaces == {"b": "urn:benefits"}
    assert second.certificate_sha256 == "ab" * 32
    assert settings.client_listener.certificate_file == Path("/etc/adapter/tls.pem")
    assert settings.directory.refresh_s == 0.5
    assert settings.database_url == "postgresql+psycopg://adapter@db/adapter"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://directory.example/x", "https://directory.example/x"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("published", "{folder}/published"),
        ("/srv/published", "/srv/published"),
        ("file:///srv/published", "/srv/published"),
    ],
)
def test_place_of_the_directory(write: Write, tmp_path: Path, url: str, read: str) -> None:
    settings = load_settings(write(MINIMAL.replace("https://directory.example/", url)))
    assert settings.directory.url == (read.format(folder=tmp_path),)


def test_settings_are_frozen(write: Write) -> None:
    settings = load_settings(write(MINIMAL))
    with pytest.raises(pydantic.ValidationError):
        settings.adapter.log_level = "debug"  # type: ignore[misc]


def test_every_field_says_what_it_means() -> None:
    for model in _models(Settings):
        assert model.__doc__
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description.endswith(".")
            if name.endswith("_s"):
                assert "econds" in field.description
            if name.endswith("_bytes"):
                assert "ctets" in field.description


def _models(model: type[pydantic.BaseModel]) -> list[type[pydantic.BaseModel]]:
    inner = [kind for kind in _sections(model) if kind is not model]
    return [model, *(found for kind in inner for found in _models(kind))]


def _sections(model: type[pydantic.BaseModel]) -> list[type[pydantic.BaseModel]]:
    annotations = [field.annotation for field in model.model_fields.values()]
    kinds = [kind for one in annotations for kind in (one, *getattr(one, "__args__", ()))]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "element", "says"),
    [
        (MINIMAL + "refresh = 3\n", 6, "[directory] refresh", 'did you mean "refresh_s"?'),
        (MINIMAL + "[peer_listner]\nport = 1\n", 6, "peer_listner", 'did you mean "peer_listener"?'),
        (MINIMAL + "[peer_listener]\nPort = 1\n", 7, "[peer_listener] Port", 'did you mean "port"?'),
        (MINIMAL + "[store]\nzzz = 1\n", 7, "[store] zzz", "known here: password_file, url"),
        (MINIMAL + '[peer_listener]\nport = "8443"\n', 7, "[peer_listener] port", "integer"),
        (MINIMAL + "[peer_listener]\nport = 8443.0\n", 7, "[peer_listener] port", "integer"),
        (MINIMAL + "[peer_listener]\nport = true\n", 7, "[peer_listener] port", "integer"),
        (MINIMAL + "[peer_listener]\nport = 70000\n", 7, "[peer_listener] port", "65535"),
        (MINIMAL + "[peer_listener]\nport = 1979-05-27\n", 7, "[peer_listener] port", "integer"),
        (MINIMAL + '[peer_listener]\naddress = "example.org"\n', 7, "[peer_listener] address", "not a name"),
        (MINIMAL + "peer_listener = 3\n", 6, "[directory] peer_listener", "not a known key"),
        ("peer_listener = 3\n" + MINIMAL, 1, "peer_listener", "object"),
        (MINIMAL + "[timing]\nmessage_lifetime_s = 301\n", 7, "[timing] message_lifetime_s", "300"),
        (MINIMAL + "[timing]\npeer_timeout_s = 0\n", 7, "[timing] peer_timeout_s", "greater than 0"),
        (MINIMAL + "[timing]\npeer_timeout_s = inf\n", 7, "[timing] peer_timeout_s", "finite"),
        (MINIMAL + "[timing]\npeer_timeout_s = nan\n", 7, "[timing] peer_timeout_s", "finite"),
        (MINIMAL + "[limits]\nmax_depth = 257\n", 7, "[limits] max_depth", "256"),
        (MINIMAL.replace("200000001", ""), 2, "[adapter] member", "1 to 64 letters"),
        (MINIMAL.replace('"UZ/GOV/200000001"', "3"), 2, "[adapter] member", "a string"),
        (MINIMAL.replace("member", "membr"), 2, "[adapter] membr", 'did you mean "member"?'),
        ("[adapter]\n[directory]\n", 1, "[adapter] member", "missing (The member"),
        ("", 0, "adapter", "missing"),
        (MINIMAL.replace("https://", "ftp://"), 4, "[directory] url", "or a folder"),
        (MINIMAL + '[store]\nurl = "adapter.sqlite"\n', 7, "[store] url", "SQLAlchemy address"),
        (MINIMAL + '[client_listener]\naddress = "0.0.0.0"\n', 7, "[client_listener] address", "loopback only"),
        (
            MINIMAL + '[client_listener]\nmode = "tls"\n',
            6,
            "[client_listener] certificate_file",
            "needed with mode tls",
        ),
        (
            MINIMAL + '[client_listener]\nmode = "mutual-tls"\ncertificate_file = "c"\nkey_file = "k"\n',
            6,
            "[client_listener] client_ca_file",
            "needed with mode mutual-tls",
        ),
        (MINIMAL + '[client_listener]\nmode = "http"\n', 7, "[client_listener] mode", "'loopback-http', 'tls' or"),
        (
            MINIMAL + '[client_listener]\nport = 8443\naddress = "0.0.0.0"\nallow_plain_http_beyond_loopback = true\n',
            7,
            "[client_listener] port",
            "peer_listener listens there",
        ),
    ],
)
def test_mistake(write: Write, text: str, line: int, element: str, says: str) -> None:
    path = write(text)
    refusal = refused(path)
    found = [one for one in refusal.problems if one.element == element]
    assert [one.line for one in found] == [line]
    assert says in found[0].text
    assert f"{path}, line {line}: {element}: " in refusal.reason or line == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "element", "says"),
    [
        ('"token"', '"tokn"', 9, "[client] identify_by", "'certificate', 'token', 'basic' or 'address'"),
        ('"token"', '"basic"', 10, "[client] token_file", 'only used with identify_by = "token"'),
        ('token_file = "benefits.token"', "", 6, "[client] token_file", 'needed with identify_by = "token"'),
        ('"UZ/GOV/200000002/*"', '"UZ/GOV/2*"', 11, "[client] services", "up to a slash"),
        ('"UZ/GOV/200000002/*"', '"UZ/*/x"', 11, "[client] services", "up to a slash"),
        ("UZ/GOV/200000001/benefits", "UZ/GOV/200000009/benefits", 8, "[client] subsystem", "another member"),
        ("token_file", "user = 'x'\ntoken_file", 10, "[client] user", 'only used with identify_by = "basic"'),
        ("[[client]]", "[client]", 6, "client", "array"),
        ("services = [", "servces = [", 11, "[client] servces", 'did you mean "services"?'),
    ],
)
def test_mistake_in_a_client(write: Write, old: str, new: str, line: int, element: str, says: str) -> None:
    refusal = refused(write(MINIMAL + CLIENT.replace(old, new)))
    found = [one for one in refusal.problems if one.element == element]
    assert found, refusal.reason
    assert says in found[0].text
    assert found[0].line == line


@pytest.mark.parametrize(
    ("context", "element", "says"),
    [
        ("subject_xpath = '//x'", "[client.context] subject_kind", "needed with subject_xpath"),
        ("subject_kind = 'pinfl'", "[client.context] subject_xpath", "needed with subject_kind"),
        ("subject_kind = 'Passport'\nsubject_xpath = '//x'", "[client.context] subject_kind", "pinfl, stir"),
        ("legal_basis_kind = 'law'", "[client.context] legal_basis_reference", "needed with legal_basis_kind"),
        ("legal_basis_names = { number = '7' }", "[client.context] legal_basis_kind", "needed with legal_basis_names"),
        ("official = 'a'\nofficial_xpath = '//x'", "[client.context] official_xpath", "keep one"),
        ("official_xpath = '//x['", "[client.context] official_xpath", "not an XPath"),
        ("official_xpath = 'nothing(.)'", "[client.context] official_xpath", "not an XPath"),
        ("official_xpath = '//p:x'", "[client.context] official_xpath", "not in namespaces: p"),
        ("purpse = 'x'", "[client.context] purpse", 'did you mean "purpose"?'),
    ],
)
def test_mistake_in_a_context(write: Write, context: str, element: str, says: str) -> None:
    refusal = refused(write(f"{MINIMAL}{CLIENT}[client.context]\n{context}\n"))
    found = [one for one in refusal.problems if one.element == element]
    assert found, refusal.reason
    assert says in found[0].text
    assert found[0].line >= 12


def test_second_client_is_named_by_its_own_line(write: Write) -> None:
    refusal = refused(
        write(MINIMAL + CLIENT + "\n" + CLIENT.replace('"benefits"', '"pensions"').replace("token_", "tokn_"))
    )
    assert {one.line for one in refusal.problems} == {17}


def test_two_clients_of_one_name(write: Write) -> None:
    refusal = refused(write(MINIMAL + CLIENT + CLIENT))
    assert [(one.line, one.element) for one in refusal.problems] == [(13, "[client] name")]


def test_certificates_need_mutual_tls(write: Write) -> None:
    by_certificate = CLIENT.replace('"token"', '"certificate"').replace(
        'token_file = "benefits.token"', f'certificate_sha256 = "{"0" * 64}"'
    )
    assert "needs client_listener.mode mutual-tls" in refused(write(MINIMAL + by_certificate)).reason


@pytest.mark.parametrize("proof", ['"token"\ntoken_file = "t"', '"basic"\nuser = "u"\npassword_file = "p"'])
def test_a_secret_does_not_go_over_the_network_in_clear(write: Write, proof: str) -> None:
    client = CLIENT.replace('"token"\ntoken_file = "benefits.token"', proof)
    load_settings(write(MINIMAL + client))  # on loopback nobody listens
    beyond = '[client_listener]\naddress = "0.0.0.0"\nallow_plain_http_beyond_loopback = true\n'
    assert "could be read on the way" in refused(write(MINIMAL + beyond + client)).reason


def test_every_mistake_is_told_at_once(write: Write) -> None:
    refusal = refused(write(MINIMAL.replace("member", "membr") + "[timing]\nskew = 1\n[record]\nmax_batch = 0\n"))
    assert [one.line for one in refusal.problems] == [1, 2, 7, 9]
    assert len(refusal.reason.splitlines()) == 4


@pytest.mark.parametrize(
    "text",
    [
        '[store]\nurl = "postgresql://adapter:hunter2@db/x"\n',
        '[store]\nurl = "hunter2"\n',
        '[store]\npassword = "hunter2"\n',
        '[adapter]\nhunter2 = "x"'.replace("hunter2 =", "log_level = 'hunter2' #"),
        '[client_listener]\naddress = "hunter2"\n',
    ],
)
def test_values_are_never_repeated(write: Write, text: str) -> None:
    refusal = refused(write(text))
    assert "hunter2" not in refusal.reason
    assert "hunter2" not in repr(refusal.problems)


def test_passwords_have_no_place_in_an_address(write: Write) -> None:
    refusal = refused(write(MINIMAL + '[store]\nurl = "postgresql://adapter:hunter2@db/x"\n'))
    assert "password_file" in refusal.reason


def test_syntax_error_has_line_and_column(write: Write) -> None:
    refusal = refused(write("[adapter]\nmember = \n"))
    assert [(one.line, one.rule) for one in refusal.problems] == [(2, "toml")]
    assert refusal.problems[0].column > 0


def test_key_twice(write: Write) -> None:
    assert "line 3" in refused(write('[adapter]\nmember = "a"\nmember = "b"\n')).reason


def test_no_such_file(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "adapter.toml").reason


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path).reason


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in refused(tmp_path / "adapter.toml").reason


# --- a token ----------------------------------------------------------------------------------------------------------

TOKEN = '[token]\nmodule = "module.so"\nlabel = "agency"\n'
TOKEN_KEY = '[[token.key]]\npurpose = "signing"\ncertificate_file = "signing.pem"\n'


def test_a_token_and_where_its_pin_comes_from(write: Write, tmp_path: Path) -> None:
    plain = load_settings(write(f'{MINIMAL}{TOKEN}{TOKEN_KEY}id = "0A1b"\n')).token
    assert plain is not None
    assert plain.pin_file == tmp_path / "token.pin"
    assert plain.key[0].certificate_file == tmp_path / "signing.pem"
    typed = load_settings(write(f'{MINIMAL}{TOKEN}pin_file = "prompt"\n')).token
    assert typed is not None
    assert typed.pin_file == Path("prompt")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[token]\nmodule = "module.so"\n', "[token] label"),
        (f"{TOKEN}{TOKEN_KEY}", "[token.key] label"),
        (f'{TOKEN}{TOKEN_KEY}id = "xyz"\n', "[token.key] id"),
        (f'{TOKEN}pin = "1234"\n', "[token] pin"),
        (f'{TOKEN}pin_file = "$CREDENTIALS_DIRECTORY/../shadow"\n', "[token] pin_file"),
        (f'{TOKEN}{TOKEN_KEY.replace("signing", "tls", 1)}label = "a"\n', "[token.key] purpose"),
    ],
)
def test_a_token_that_is_not_named_well_is_refused(write: Write, text: str, key: str) -> None:
    assert key in {problem.element for problem in refused(write(MINIMAL + text)).problems}


# --- consents ---------------------------------------------------------------------------------------------------------

CONSENTS = """
[consents]
subsystem = "UZ/GOV/200000001/population"
purpose = "consent-check"
legal_basis_kind = "law"
legal_basis_reference = "Law on personal data, article 18"
"""


def test_nobody_is_asked_about_consents_until_the_settings_say_how(write: Write) -> None:
    assert load_settings(write(MINIMAL)).consents is None
    consents = load_settings(write(MINIMAL + CONSENTS)).consents
    assert consents is not None
    assert (consents.official, consents.wait_s) == ("consent-check", 10)


@pytest.mark.parametrize(
    ("old", "new", "where", "why"),
    [
        ('"law"', '"consent"', "line 10: [consents] legal_basis_kind:", "cannot be the basis of asking"),
        ("200000001/population", "200000002/cadastre", "line 8: [consents] subsystem:", "another member"),
        ('purpose = "consent-check"', 'purposes = "x"', "line 9: [consents] purposes:", 'did you mean "purpose"'),
        ('article 18"', 'article 18"\n[consents.legal_basis_names]\ndate = "2026-02-30"', "date:", "should be a day"),
    ],
)
def test_a_mistake_in_how_consents_are_asked_about_is_named(
    write: Write, old: str, new: str, where: str, why: str
) -> None:
    said = str(refused(write(MINIMAL + CONSENTS.replace(old, new))))
    assert where in said
    assert why in said

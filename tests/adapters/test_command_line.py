"""The command line beside a running adapter: ask, look, verify, take evidence away and judge it elsewhere."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from examples.federation.federation import Federation
from examples.federation.home import Home
from tests.adapters.exchanges import kept_request
from tests.adapters.small_federation import fresh_pinfl, member_plan, running
from tests.adapters.stub_system import StubSystem
from tests.adapters.waiting import wait_until
from tests.command_line import typed

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]

ASKING = ("--official", "inspector-17", "--purpose", "social-benefit", "--basis", "law:Law No. 395 of 2015, article 12")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("cli") / "federation"
    with StubSystem() as system:
        members = (
            member_plan(1, "asking", suite="p256", system=system),
            member_plan(2, "asked", suite="ed25519", system=system),
        )
        with running(folder, *members) as started:
            yield started


@pytest.fixture(scope="module")
def asking(federation: Federation) -> Home:
    return federation.homes["asking"]


@pytest.fixture(scope="module")
def asked(federation: Federation) -> Home:
    return federation.homes["asked"]


def service_of(home: Home) -> str:
    return str(home.plan.service("register", "GetPerson"))


def test_call_shows_the_answer_and_the_record_numbers_of_both_sides(asking: Home, asked: Home):
    pinfl = fresh_pinfl()
    where = ("--settings", asking.settings_file, "--service", service_of(asked))
    done = typed("call", *where, "--field", f"Pinfl={pinfl}", *ASKING, "--subject", f"pinfl:{pinfl}", "--json")
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert answer["reply"]["GetPersonResponse"]["Person"]["Pinfl"] == pinfl
    kinds = [asking.record.about(answer["message_id"], kind=kind).number for kind in ("request-sent", "reply-received")]
    assert answer["records"] == kinds
    assert answer["peer_records"] == [asked.record.about(answer["message_id"], kind="request-received").number]
    assert done.err == ""


def test_call_from_a_file_prints_a_fault_in_the_language_that_is_asked_for(asking: Home, asked: Home, tmp_path: Path):
    request = tmp_path / "request.xml"
    request.write_text('<p:GetPerson xmlns:p="urn:example:population-register:1"><p:Pinfl>1</p:Pinfl></p:GetPerson>')
    where = ("--settings", asking.settings_file, "--service", service_of(asked))
    done = typed("call", request, *where, "--language", "ru")
    assert done.code == 10, done.err
    assert "Fault SchemaInvalid" in done.out
    assert "схем" in done.out
    assert "client-system" in done.out


def test_call_of_an_operation_that_the_service_does_not_have(asking: Home, asked: Home):
    where = ("--settings", asking.settings_file, "--service", service_of(asked))
    done = typed("call", *where, "--field", "Pinfl=1", "--operation", "Frobnicate")
    assert done.code == 2
    assert "there are: GetPerson" in done.err


def test_call_with_fields_that_the_schema_has_no_place_for(asking: Home, asked: Home):
    where = ("--settings", asking.settings_file, "--service", service_of(asked))
    done = typed("call", *where, "--field", "Frobnicate=1")
    assert done.code == 2
    assert "GetPerson cannot be asked with these fields" in done.err


def test_evidence_of_an_exchange_is_exported_here_and_holds_elsewhere(asking: Home, asked: Home, tmp_path: Path):
    pinfl = fresh_pinfl()
    where = ("--settings", asking.settings_file, "--service", service_of(asked))
    called = typed("call", *where, "--field", f"Pinfl={pinfl}", *ASKING, "--subject", f"pinfl:{pinfl}", "--json")
    message_id = json.loads(called.out)["message_id"]
    anchor = asking.settings.directory.anchor
    for home in (asking, asked):
        file = tmp_path / f"{home.plan.folder}.evidence"
        exported = typed("evidence", "export", message_id, "-o", file, "--settings", home.settings_file)
        assert exported.code == 0, exported.err
        assert file.stat().st_mode & 0o077 == 0
        judged = typed("evidence", "verify", file, "--anchor", anchor)
        assert judged.code == 0, judged.err
        assert message_id in judged.out
        assert pinfl not in judged.out
    octets = bytearray(file.read_bytes())
    octets[len(octets) // 2] ^= 1
    file.write_bytes(octets)
    assert typed("evidence", "verify", file, "--anchor", anchor).code == 7


def test_log_finds_the_person_by_the_archive_key_and_verifies_against_a_kept_checkpoint(
    asking: Home, asked: Home, tmp_path: Path
):
    kept, pinfl = tmp_path / "kept.checkpoint", fresh_pinfl()
    settings = ("--settings", asking.settings_file)
    call = ("call", *settings, "--service", service_of(asked), "--field", f"Pinfl={pinfl}", *ASKING)
    typed(*call, "--subject", f"pinfl:{pinfl}")
    assert typed("log", "verify", *settings, "--save-checkpoint", kept).code == 0
    typed(*call, "--subject", f"pinfl:{pinfl}")
    found = json.loads(typed("log", "list", *settings, "--subject", f"pinfl:{pinfl}", "--json").out)
    assert [entry["entry"]["kind"] for entry in found] == ["request-sent", "request-sent"]
    assert pinfl not in json.dumps(found)
    verified = typed("log", "verify", *settings, "--against", kept, "--json")
    assert verified.code == 0, verified.err
    assert json.loads(verified.out)["whole"]


def figures(home: Home) -> dict[str, float]:
    """What one of the workers tells the monitoring, without labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{home.ports.operators}/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.partition(" ") for line in lines if "{" not in line[:80])
        if name != "#"
    }


def test_an_emergency_goes_through_at_once_and_waits_for_a_review_on_both_sides(asking: Home, asked: Home):
    before, service = figures(asked), service_of(asked)
    rule = ("--emergency", "--official", "duty-3", "--consumer", asking.settings.member, "--service", service)
    granted = typed("access", "grant", *rule, "--all-fields", "--settings", asked.settings_file)
    assert granted.code == 0, granted.err
    wait_until(lambda: figures(asked)["adapter_policy_version"] > before["adapter_policy_version"])
    pinfl = fresh_pinfl()
    who = ("--official", "duty-3", "--subject", f"pinfl:{pinfl}", "--emergency", "a child is missing", *ASKING[2:])
    called = typed("call", "--settings", asking.settings_file, "--service", service, "--field", f"Pinfl={pinfl}", *who)
    assert called.code == 0, called.out
    for home, whose in ((asking, "by us"), (asked, "of us")):
        listed = typed("access", "reviews", "--json", "--settings", home.settings_file)
        (review,) = json.loads(listed.out)["reviews"]
        assert (listed.code, review["asked"], review["reason"]) == (10, whose, "a child is missing")
        assert figures(home)["adapter_emergency_reviews_open"] == 1
        note = ("--finding", "justified", "--note", "duty log 7/26", "--settings", home.settings_file)
        assert typed("access", "close-review", review["record"], *note).code == 0
        assert figures(home)["adapter_emergency_reviews_open"] == 0


def test_doctor_asks_the_running_adapter_and_exchanges_with_it(asked: Home):
    done = typed("doctor", "--online", "--settings", asked.settings_file, "--json")
    findings = {check["what"]: check for check in json.loads(done.out)["checks"]}
    assert done.code == 0, done.out
    assert findings["online exchange"]["health"] == "ok"
    assert "refused as expected" in findings["online exchange"]["found"]
    assert findings["operators listener"]["health"] == "ok"
    assert findings["clock"]["health"] == "ok"


def test_validate_opens_what_was_really_sent(asking: Home, asked: Home, tmp_path: Path):
    pinfl = fresh_pinfl()
    where = ("--settings", asking.settings_file, "--service", service_of(asked))
    called = typed("call", *where, "--field", f"Pinfl={pinfl}", *ASKING, "--subject", f"pinfl:{pinfl}", "--json")
    sent = tmp_path / "sent.xml"
    sent.write_bytes(kept_request(asking, json.loads(called.out)["message_id"]))
    directory, anchor = asking.settings.directory.url[0], asking.settings.directory.anchor
    keys = asked.settings.adapter.keys_dir
    wsdl = asked.settings.adapter.services_dir / "register.GetPerson.v1" / "description" / "population.wsdl"
    judged = typed("validate", sent, "--directory", directory, "--anchor", anchor, "--keys", keys, "--wsdl", wsdl)
    assert judged.code == 0, judged.out
    assert "Signed by UZ/GOV/200000001, in suite p256." in judged.out


class _Proxy(BaseHTTPRequestHandler):
    """Something that listens where the adapter should, and does not speak SOAP."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>please log in</html>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_call_of_something_that_is_no_adapter(tmp_path: Path):
    request = tmp_path / "request.xml"
    request.write_text("<a/>")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = typed("call", request, "--url", f"http://127.0.0.1:{server.server_port}/service/x")
        server.shutdown()
    assert done.code == 1
    assert "does not speak SOAP" in done.err
    assert "Traceback" not in done.err

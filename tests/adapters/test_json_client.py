"""A client that speaks JSON, over sockets: two adapters as processes of their own, a program, and curl."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from examples.clients.json_client import call
from examples.federation.federation import CHECKOUT, Federation
from examples.federation.home import Home
from tests.adapters.exchanges import verified_size
from tests.adapters.small_federation import fresh_pinfl, member_plan, running
from tests.adapters.stub_system import StubSystem

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]


@dataclass(frozen=True, kw_only=True)
class Ground:
    federation: Federation
    system: StubSystem

    @property
    def asking(self) -> Home:
        return self.federation.homes["asking"]

    @property
    def address(self) -> str:
        """Of the other member's service in JSON, at the asking member's adapter."""
        service = self.federation.homes["asked"].plan.service("register", "GetPerson")
        return self.asking.service_url(service).replace("/service/", "/json/")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("json") / "federation"
    with StubSystem() as system:
        members = [
            member_plan(number, name, suite="p256", system=system) for number, name in ((1, "asking"), (2, "asked"))
        ]
        with running(folder, *members) as federation:
            yield Ground(federation=federation, system=system)


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.clients.json_client", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60)


def test_a_program_asks_and_is_answered(ground: Ground) -> None:
    pinfl = fresh_pinfl()
    before = verified_size(ground.asking)
    done = program(ground.address, pinfl)
    assert done.returncode == 0, done.stderr
    person = json.loads(done.stdout)["Person"]
    assert person["Pinfl"] == pinfl
    assert person["NameCyrillic"]["Surname"] == "Доу"
    assert person["BirthDate"] == "1990-01-01"
    assert ground.system.asked[pinfl] == 1
    assert verified_size(ground.asking) == before + 2


def test_a_program_is_told_what_is_wrong_in_its_language(ground: Ground) -> None:
    done = program(ground.address, fresh_pinfl(), "--purpose", "curiosity", "--language", "uz")
    assert done.returncode == 1
    assert done.stderr.startswith("UnknownPurpose: Soʻrovda")


def test_curl_needs_the_body_alone_when_the_settings_say_the_rest(ground: Ground) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    pinfl = fresh_pinfl()
    document = json.dumps({"body": {"Pinfl": pinfl}})
    command = [curl, "-sS", "-H", "Content-Type: application/json", "-d", document, f"{ground.address}/GetPerson"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout)["body"]["Person"]["Pinfl"] == pinfl


def test_the_page_of_the_documentation_says_what_happens(ground: Ground) -> None:
    """Its command and its answer, and its refusal, but for the incident's id."""
    page = (CHECKOUT / "docs" / "json.md").read_text(encoding="utf-8")
    command = page.split("```console\n$ ")[1].split("\n```")[0].replace("\n> ", "\n")
    service = "http://127.0.0.1:8080/json/UZ/GOV/200000001/population/GetPerson/v1"
    assert service in command
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shell = [
        "bash",
        "-c",
        f"PINFL={fresh_pinfl()}\n{command.replace(service, ground.address).replace('curl', 'curl -sS')}",
    ]
    done = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=60)
    assert "Person" in json.loads(done.stdout)["body"]

    shown = json.loads(page.split("```json\n")[1].split("\n```")[0])
    status, said = call(ground.address, "GetPerson", {"body": {"Pinfll": fresh_pinfl()}})
    assert (status, {**said, "incident": ""}) == (shown["status"], {**shown, "incident": ""})


def test_the_service_describes_itself(ground: Ground) -> None:
    with urllib.request.urlopen(f"{ground.address}/openapi.json") as answer:
        assert answer.headers["Content-Type"] == "application/json"
        document = json.load(answer)
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())
    assert document["servers"] == [{"url": ground.address}]
    assert list(document["paths"]) == ["/GetPerson"]
    with urllib.request.urlopen(ground.address) as answer:
        page = answer.read().decode()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert f"POST {ground.address}/GetPerson" in page
    assert "<script" not in page


def test_the_wsdl_says_where_json_is(ground: Ground) -> None:
    with urllib.request.urlopen(f"{ground.address.replace('/json/', '/service/')}?wsdl") as answer:
        assert ground.address in answer.read().decode()

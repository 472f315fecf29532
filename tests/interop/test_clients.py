"""Each foreign client asks for a person, and reads what comes back, be it an answer or a fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from tests.interop.agencies import GET_PERSON, GET_PERSON_DOWN, Agencies
from tests.interop.stacks import STACKS, Said, call, need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

Client = Callable[..., Said]


@pytest.fixture(scope="module", params=sorted(STACKS))
def client(request: pytest.FixtureRequest, agencies: Agencies, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A client made anew from the WSDL that the office's adapter gives out: (service, PINFL) to what it said."""
    stack = STACKS[request.param]
    need(stack)
    folder = tmp_path_factory.mktemp(request.param)
    command: Sequence[str] = stack.prepare(folder, f"{agencies.office.service_url(GET_PERSON)}?wsdl", "client")
    return lambda service, pinfl: call(command, f"{agencies.office.service_url(service)}?wsdl", pinfl)


def test_reads_a_typed_answer_in_cyrillic_and_a_date(client: Client, agencies: Agencies) -> None:
    said = client(GET_PERSON, agencies.person.pinfl)
    assert said.exit_code == 0, said
    assert said.lines == {"surname": agencies.person.surname, "born": agencies.person.born}


def test_reads_a_fault_that_says_not_to_ask_again(client: Client, agencies: Agencies) -> None:
    said = client(GET_PERSON, agencies.unknown_pinfl)
    assert said.exit_code == 1, said
    assert (said.lines["code"], said.lines["retry"]) == ("NoSuchSubject", "no")
    assert said.lines["text"]
    incidents = [entry.incident for entry in agencies.register.record.since(0)]
    assert said.lines["incident"] in incidents


def test_reads_a_fault_that_says_to_ask_again_later(client: Client, agencies: Agencies) -> None:
    said = client(GET_PERSON_DOWN, agencies.person.pinfl)
    assert said.exit_code == 1, said
    assert (said.lines["code"], said.lines["retry"]) == ("ProviderSystemDown", "later")
    assert re.fullmatch(r"[A-Za-z0-9-]{1,32}", said.lines["incident"])

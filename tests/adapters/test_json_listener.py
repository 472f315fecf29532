"""JSON at the door: which paths there are, and that whatever comes is answered in JSON."""

from __future__ import annotations

import json

import pytest

from adapter.stages import SoapVersion
from tests.adapters.test_listeners import BOUNDS, Answer, ask, client_listener, listening, post, sides
from tests.get_person import PINFL
from tests.two_sides import TwoSides

__all__ = ["sides"]

CONTEXT = {
    "official": "inspector-7",
    "purpose": "benefit",
    "legalBasis": {"kind": "law", "reference": "ZRU-395"},
    "subjects": [{"kind": "pinfl", "value": PINFL}],
}
GOOD = json.dumps({"context": CONTEXT, "body": {"Pinfl": PINFL}}).encode()


def path_of(sides: TwoSides, rest: str = "") -> str:
    return f"/json/{sides.federation.population.service}{rest}"


async def posted(sides: TwoSides, path: str, body: bytes = GOOD, *headers: str) -> Answer:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        return await ask(port, post(path, body, "application/json", *headers))


async def read(sides: TwoSides, path: str, method: str = "GET") -> Answer:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        return await ask(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


async def test_a_call_is_answered(sides: TwoSides) -> None:
    answer = await posted(sides, path_of(sides, "/GetPerson"))
    assert answer.status == 200
    assert json.loads(answer.body)["body"]["Surname"] == "Каримов"
    assert sides.consumer_record.kinds == ["request-sent", "reply-received"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/json/", 404, "UnknownService"),
        ("/json/nonsense", 404, "UnknownService"),
        ("/json/../../etc/passwd", 404, "UnknownService"),
        ("/json/UZ/GOV/200000001/population/GetPerson", 404, "UnknownService"),
        ("/json/UZ/GOV/200000001/population/GetPerson/v9/GetPerson", 404, "UnknownService"),
        ("/json/UZ/GOV/200000001/population/GetPerson/v1", 404, "UnknownOperation"),
        ("/json/UZ/GOV/200000001/population/GetPerson/v1/", 404, "UnknownOperation"),
        ("/json/UZ/GOV/200000001/population/GetPerson/v1/GetPerson/", 404, "UnknownOperation"),
        ("/json/UZ/GOV/200000001/population/GetPerson/v1/%2e%2e", 404, "UnknownOperation"),
        ("/json/UZ/GOV/200000001/population/GetPerson/v1/GetPerson%00", 404, "UnknownOperation"),
    ],
)
async def test_a_path_that_leads_nowhere_is_told_in_json(sides: TwoSides, path: str, status: int, code: str) -> None:
    answer = await posted(sides, path)
    assert "application/problem+json" in answer.head
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    assert sides.wire.sent == []


async def test_what_is_too_large_is_told_in_json_and_in_the_clients_language(sides: TwoSides) -> None:
    body = b'{"body": "' + b"x" * BOUNDS.max_message_bytes + b'"}'
    answer = await posted(sides, path_of(sides, "/GetPerson"), body, "Accept-Language: ru")
    problem = json.loads(answer.body)
    assert (answer.status, problem["code"]) == (413, "LimitExceeded")
    assert "Content-Language: ru" in answer.head


@pytest.mark.parametrize("path", ["/json", "/json/"])
@pytest.mark.parametrize(("accept", "is_for_people"), [("*/*", False), ("text/html,application/xhtml+xml", True)])
async def test_the_list_of_services(sides: TwoSides, path: str, accept: str, *, is_for_people: bool) -> None:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        answer = await ask(port, f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode())
    assert (answer.status, answer.body.decode()) == (200, f"index http://x/json {is_for_people}")
    assert "Content-Security-Policy: default-src 'none'" in answer.head


async def test_the_list_of_services_for_a_host_that_is_none(sides: TwoSides) -> None:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        answer = await ask(port, b'GET /json HTTP/1.1\r\nHost: x"><b>\r\n\r\n')
    assert answer.status == 400


async def test_documents_are_asked_by_their_names(sides: TwoSides) -> None:
    service = sides.federation.population.service
    for rest, name in (("", ""), ("/openapi.json", "openapi.json")):
        answer = await read(sides, path_of(sides, rest))
        assert answer.status == 200
        assert answer.body.decode() == f"{service} http://x/json/{service} {name}"
        assert "Content-Security-Policy: default-src 'none'" in answer.head


async def test_other_methods_are_refused(sides: TwoSides) -> None:
    assert (await read(sides, path_of(sides), "DELETE")).status == 405

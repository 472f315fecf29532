"""What a message has beside its Body's element, as JSON: declared headers, and independent elements. There and back."""

from __future__ import annotations

import json
from typing import Any

from adapter.dialects.json_dialect import JsonDialect
from adapter.exchange.consume import consume
from tests.pki import Federation
from tests.two_sides import TwoSides, client_call
from tests.unit.dialects.test_json_dialect import CONTEXT
from tests.unit.envelope.descriptions import NS
from tests.unit.exchange.test_carried import ANSWER, REFERRING, between, encoded, envelope, with_headers


async def call(sides: TwoSides, operation: str, **document: Any) -> dict[str, Any]:
    """The JSON that comes back."""
    dialect = JsonDialect(operation=operation, content_type="application/json", accept_language="")
    text = json.dumps({"context": CONTEXT, **document})
    answer = await consume(client_call(sides, text, content_type="application/json"), dialect, sides.consumer)
    said: dict[str, Any] = json.loads(answer.octets)
    return said


async def test_declared_headers_are_members_of_headers_in_both_directions(federation: Federation) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    said = await call(sides, "Ask", body="who", headers={"Session": {"Id": 7}})
    assert said == {"body": "me", "headers": {"Limits": "9 left"}}
    (session,) = system.header()
    assert session.tag == f"{{{NS}}}Session"
    assert session.findtext(f"{{{NS}}}Id") == "7"
    assert [child.text for child in system.body()] == ["who"]


async def test_a_header_that_is_not_declared_is_refused_with_its_place(federation: Federation) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    said = await call(sides, "Ask", body="who", headers={"Limits": "9 left"})
    assert said["code"] == "MalformedJson"
    assert [problem["pointer"] for problem in said["problems"]] == ["/headers/Limits"]
    assert not system.asked


async def test_independent_elements_come_and_go_as_xml(federation: Federation) -> None:
    """What a reply says can be sent as a request: the same elements reach the system."""
    sides, system = between(federation, encoded(), envelope(REFERRING))
    asked = {"$xml": '<w:list xmlns:w="urn:w"><return href="#id0"/></w:list>'}
    said = await call(sides, "list", body=asked)
    assert len(said.get("independent", ())) == 1, said
    body = {"$xml": said["body"]["$xml"].replace("listResponse", "list")}
    again = await call(sides, "list", body=body, independent=said["independent"])
    assert again == said
    sent = system.body()
    assert [child.tag for child in sent] == ["{urn:w}list", "multiRef"]
    assert sent[0][0].get("href") == "#id0"
    assert [child.text for child in sent[1]] == ["1"]

"""A spyne service class in this process: what it raises on purpose goes on, anything else only by its type."""

import logging

import pytest

from adapter.backends.python import PythonBackend, PythonBackendConfig
from adapter.envelope.schema import check_payload
from adapter.errors import (
    NoSuchSubject,
    ProviderSystemDown,
    ProviderSystemFault,
    ProviderSystemInvalid,
    ProviderSystemTimeout,
    SettingsInvalid,
)
from tests.unit.backends import spyne_examples
from tests.unit.backends.recorded import recorded
from tests.unit.envelope.descriptions import NS, read, schema, wsdl

TYPES = schema(
    """<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="how" type="xs:string"/></xs:sequence>
    </xs:complexType></xs:element><xs:element name="Answer"/>
    <xs:element name="AskResponse"><xs:complexType><xs:sequence>
    <xs:element name="AskResult" type="xs:string"/></xs:sequence></xs:complexType></xs:element>"""
)
DESCRIPTION = read({"a.wsdl": wsdl(TYPES).replace('element="t:Answer"', 'element="t:AskResponse"')})
MODULE = "tests.unit.backends.spyne_examples"


def backend_of(handler: str = f"{MODULE}:Example", **config) -> PythonBackend:
    return PythonBackend(PythonBackendConfig(handler=handler, **config), DESCRIPTION)


@pytest.fixture
async def ask():
    backend = backend_of(timeout_s=5)

    async def ask(how: str):
        return (await backend.answer(recorded(f'<Ask xmlns="{NS}"><how>{how}</how></Ask>', "Ask"))).payload

    yield ask
    await backend.close()


async def test_answer_is_valid(ask):
    payload = await ask("nicely")
    check_payload(DESCRIPTION, payload, f"{{{NS}}}AskResponse")
    assert payload[0].text == "you asked nicely"


async def test_fault_on_purpose_carries_its_text(ask):
    with pytest.raises(ProviderSystemFault) as caught:
        await ask("fault")
    (problem,) = caught.value.problems
    assert (problem.rule, problem.text) == ("soap:Client.Closed", "The register is closed.")


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("nothing", NoSuchSubject),
        ("down", ProviderSystemDown),
        ("crash", ProviderSystemFault),
        ("foreign", ProviderSystemFault),
        ("wrong type", (ProviderSystemFault, ProviderSystemInvalid)),
    ],
)
async def test_what_a_service_raises(ask, how, error, caplog, capsys):
    with caplog.at_level(logging.DEBUG), pytest.raises(error) as caught:
        await ask(how)
    shown = caught.value.reason + repr(caught.value.problems) + caplog.text + "".join(capsys.readouterr())
    assert spyne_examples.SECRET not in shown
    if how == "crash":
        assert "ValueError" in caught.value.reason


async def test_unknown_element(ask):
    backend = backend_of()
    with pytest.raises(ProviderSystemFault):
        await backend.answer(recorded(f'<Other xmlns="{NS}"/>', "Ask"))
    await backend.close()


async def test_service_that_hangs():
    backend = backend_of(timeout_s=0.1, threads=1)
    spyne_examples.released.clear()
    payload = f'<Ask xmlns="{NS}"><how>hang</how></Ask>'
    with pytest.raises(ProviderSystemTimeout):
        await backend.answer(recorded(payload, "Ask"))
    with pytest.raises(ProviderSystemTimeout):  # its only thread is still taken
        await backend.answer(recorded(payload.replace("hang", "x"), "Ask"))
    spyne_examples.released.set()
    await backend.close()


@pytest.mark.parametrize(
    "handler", [f"{MODULE}:Nothing", f"{MODULE}:NotAService", f"{MODULE}:released", "nowhere.at_all:Example"]
)
def test_handler_that_is_none(handler):
    with pytest.raises(SettingsInvalid):
        backend_of(handler)

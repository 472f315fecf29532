"""What the adapter publishes is read again by zeep, by gSOAP's wsdl2h and by Apache CXF's wsdl2java: every service.

Where a tool cannot, `published.REFUSED` says with what words, so that a change is noticed in either direction.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest
import zeep
from zeep.transports import Transport

from adapter.envelope import names
from adapter.envelope.schema_own import OWN_SCHEMAS, SOAP11_ENCODING
from tests.interop.published import NAMES, REFUSED, Served, serving
from tests.interop.stacks import HERE, STACKS, java_classpath, need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]

if not NAMES:
    pytest.skip("the corpus of service descriptions is not beside the repository", allow_module_level=True)

EVERY = pytest.mark.parametrize("name", NAMES)
_TIMEOUT_S = 800
# zeep fetches these although nobody names them.
_ASKED_BY_ZEEP = {SOAP11_ENCODING.rstrip("/"): SOAP11_ENCODING, "https://www.w3.org/2001/xml.xsd": names.XML}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def cxf_said(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What wsdl2java said of each service: the number of methods that it made, or why it made none."""
    need(STACKS["cxf"])
    jars = java_classpath("cxf", HERE / "cxf" / "pom.xml")
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", jars, str(HERE / "cxf" / "ReadAll.java")]
    services = [f"{name}={served.address(name)}" for name in NAMES]
    done = subprocess.run(
        [*command, str(tmp_path_factory.mktemp("wsdl2java")), *services],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def operations(served: Served, name: str) -> set[str]:
    """The names of the service's operations."""
    return {operation.name for operation in served.descriptions[name].operations}


@EVERY
def test_wsdl2java_reads_it(served: Served, cxf_said: Mapping[str, str], name: str) -> None:
    expected = REFUSED.get(("cxf", name))
    if expected is not None:
        assert expected in cxf_said[name]
    else:
        assert cxf_said[name].isdigit(), cxf_said[name]
        assert int(cxf_said[name]) >= len(operations(served, name))


@EVERY
def test_wsdl2h_reads_it(served: Served, tmp_path: Path, name: str) -> None:
    need(STACKS["gsoap"])
    header = tmp_path / "service.h"
    command = ["wsdl2h", "-o", str(header), served.address(name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    made = set(re.findall(r"^//gsoap \w+\s+service method-protocol:\s+(\S+)", header.read_text(), re.MULTILINE))
    assert len(made) >= len(operations(served, name))


@EVERY
def test_zeep_reads_it(served: Served, name: str) -> None:
    class OnlyHere(Transport):
        def load(self, url: str) -> bytes:
            if url.rstrip("/") in _ASKED_BY_ZEEP:
                return OWN_SCHEMAS[_ASKED_BY_ZEEP[url.rstrip("/")]]
            assert url.startswith(served.base), f"asked for {url}"
            return cast("bytes", super().load(url))

    expected = REFUSED.get(("zeep", name))
    if expected is not None:
        with pytest.raises(Exception) as refused:  # noqa: PT011  whatever zeep raises
            zeep.Client(served.address(name), transport=OnlyHere())
        assert expected in str(refused.value)
        return
    client = zeep.Client(served.address(name), transport=OnlyHere())
    bound = {operation for service in client.wsdl.services.values() for port in service.ports.values()
             for operation in port.binding._operations}  # fmt: skip
    assert bound >= operations(served, name)
    assert client.get_element("{urn:interagency-adapter:client:1}RequestContext")

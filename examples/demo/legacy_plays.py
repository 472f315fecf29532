"""The steps of old systems that know nothing but the ?wsdl address at their own adapter.

They are programs of their own (examples/clients) and run as such; what they print is what they understood.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from typing import Final

from adapter.identifiers import ServiceId
from examples.demo.members import GET_PARCELS, GET_PERSON
from examples.demo.stage import Stage
from examples.demo.steps import ANSWERED, CameBack
from examples.federation.federation import CHECKOUT

_TIMEOUT_S: Final = 60
_CLIENTS: Final = CHECKOUT / "examples" / "clients"
_ZEEP: Final = (sys.executable, "-m", "examples.clients.zeep_client", "--no-context")
_PHP: Final = ("php", str(_CLIENTS / "client.php"), "--no-context")


def person_by_zeep(stage: Stage) -> CameBack:
    """The population register, answered from its database."""
    return _person(_ran(stage, _ZEEP, GET_PERSON))


def person_by_php(stage: Stage) -> CameBack:
    """The same, understood by PHP's SoapClient."""
    return _person(_ran(stage, _PHP, GET_PERSON))


def parcels_by_zeep(stage: Stage) -> CameBack:
    """The cadastre, answered by its own SOAP server."""
    done = _ran(stage, _ZEEP, GET_PARCELS)
    return _failed(done) or CameBack(code=ANSWERED, remark=f"{done.stdout.count('CadastreNumber')} parcels")


@functools.cache
def why_no_php() -> str | None:
    """None when PHP can call SOAP services here; else why not."""
    php = shutil.which("php")
    if php is None:
        return "php is not installed"
    asked = subprocess.run([php, "-m"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
    return None if "soap" in asked.stdout.split() else "php is installed without its soap extension"


def _ran(stage: Stage, program: tuple[str, ...], service: ServiceId) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  the example's own programs
        [*program, f"{stage.social.service_url(service)}?wsdl", stage.pinfl],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def _failed(done: subprocess.CompletedProcess[str]) -> CameBack | None:
    """What a program that did not get an answer says."""
    if done.returncode == 0:
        return None
    return CameBack(code=f"exit code {done.returncode}", contradiction=done.stderr.strip())


def _person(done: subprocess.CompletedProcess[str]) -> CameBack:
    if failed := _failed(done):
        return failed
    said = dict(line.strip().split(": ", 1) for line in reversed(done.stdout.splitlines()) if ": " in line)
    cyrillic = done.stdout.partition("NameCyrillic")[2].splitlines()
    name = " ".join(line.partition(": ")[2] for line in cyrillic[1:3])
    return CameBack(code=ANSWERED, remark=f"{name}, born {said['BirthDate']}")

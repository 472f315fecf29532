"""How to call the federation that was left up: a curl line and a zeep line that work as they are printed."""

from __future__ import annotations

import shlex
import sys

from examples.demo.client_plays import get_person
from examples.demo.members import GET_PERSON
from examples.demo.report import Report
from examples.demo.soap_calls import soap_envelope
from examples.demo.stage import Stage
from examples.federation.federation import ADAPTER


def invite(stage: Stage, report: Report) -> None:
    """Say how to call, where to look, and how to end it; for a shell, write where the authority is."""
    (stage.federation.folder / "environment").write_text(environment(stage), encoding="utf-8")
    report.heading("The federation stays up until Ctrl-C. Call it from another terminal:")
    report.line(f"\n{curl_line(stage)}\n\n{zeep_line(stage)}")
    report.line(f"\nIts settings, keys and records are in {stage.federation.folder}. To look into a record:")
    report.line(f"\n{ADAPTER} log list --home {stage.social.folder}\n")


def environment(stage: Stage) -> str:
    """What README's first steps begin with: addresses that are others at each run, and somebody to ask about."""
    return (
        f"DIRECTORY={stage.federation.directory_url}\n"
        f"CERTIFICATES={stage.federation.certificates_url}\n"
        f"PINFL={stage.pinfl}\n"
        f"ADAPTER={stage.social.service_url(GET_PERSON).partition('/service/')[0]}\n"
    )


def curl_line(stage: Stage) -> str:
    """One line for a shell."""
    envelope = soap_envelope(get_person(stage.pinfl)).decode()
    url = stage.social.service_url(GET_PERSON)
    return f"curl -s -H 'Content-Type: text/xml; charset=utf-8' -d {shlex.quote(envelope)} {url}"


def zeep_line(stage: Stage) -> str:
    """One line for a shell, with this very Python."""
    url = f"{stage.social.service_url(GET_PERSON)}?wsdl"
    program = f'import zeep; print(zeep.Client("{url}").service.GetPerson("{stage.pinfl}"))'
    return f"{sys.executable} -c {shlex.quote(program)}"

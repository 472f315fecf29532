"""The adapter's own answer to a person who asks who got their data (wsdl/usage.wsdl), as a service's backend."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from lxml import etree

from adapter.audit.usage import UsageAnswer, UsageQuestion
from adapter.backends.usage_answer import render_usage
from adapter.contracts import read_contract
from adapter.directory.model import Directory
from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.names import USAGE, qname
from adapter.errors import (
    AdapterError,
    CommandRefused,
    LimitExceeded,
    Problem,
    ProviderSystemDown,
    ProviderSystemFault,
    ProviderSystemTimeout,
    SettingsInvalid,
)
from adapter.exchange.validation import SubjectRule
from adapter.identifiers import SubjectId
from adapter.stages import BackendAnswer, RecordedRequest
from adapter.xmlsafe import text_of

CODE: Final = "findUsage"
VERSION: Final = "v1"
CONTRACT: Final = "wsdl/usage.wsdl"
_DOCUMENTS: Final = (CONTRACT, "xsd/usage.xsd")
_REQUEST: Final = qname(USAGE, "findUsage")
_PREFIXES: Final = {"u": USAGE}

ABOUT_THE_SUBJECT: Final = SubjectRule(
    kind=etree.XPath("u:Subject/@kind", namespaces=_PREFIXES),
    xpath=etree.XPath("u:Subject", namespaces=_PREFIXES),
    is_alone=True,
)
"""The person asked about is the only subject of the request, and nobody else is who gets the answer."""


class UsageDesk(Protocol):
    """What knows the record of this adapter. Every method may block."""

    def answer(self, subject: SubjectId, question: UsageQuestion) -> tuple[UsageAnswer, Directory]:
        """The page that is asked for, and the directory by which it was made.

        Raises CommandRefused: no checkpoint was signed at question.size; and what reading a record may raise.
        """


def usage_description() -> ServiceDescription:
    """The contract that the service is offered by."""
    return read_description({name: read_contract(name) for name in _DOCUMENTS}.get, CONTRACT)


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageBackendConfig:
    """timeout_s: for one answer, waiting for a thread included. threads: that read the record at a time."""

    timeout_s: float = 20.0
    threads: int = 2


class UsageBackend:
    """Implements ports.Backend. The record is read in threads of its own, never in the event loop."""

    def __init__(self, config: UsageBackendConfig, description: ServiceDescription, desk: UsageDesk) -> None:
        """Raises SettingsInvalid: the description is of another service."""
        if [operation.input_element for operation in description.operations] != [_REQUEST]:
            raise SettingsInvalid(
                "backend usage answers wsdl/usage.wsdl only: `adapter service add --built-in usage` adds it"
            )
        self._config = config
        self._desk = desk
        self._threads = ThreadPoolExecutor(config.threads, thread_name_prefix="usage-backend")

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        """Tell the subject of the request, whom the Body names too (ABOUT_THE_SUBJECT).

        Raises ProviderSystemFault (there is no such page, or too much to work through), ProviderSystemDown,
        ProviderSystemTimeout.
        """
        payload, subject = request.payload, _subject(request)
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._told, subject, _question(payload))
        try:
            octets = await asyncio.wait_for(work, self._config.timeout_s)
        except TimeoutError:
            raise ProviderSystemTimeout(f"the record was not read in {self._config.timeout_s} s") from None
        except (CommandRefused, LimitExceeded) as refused:
            raise _fault(refused) from None
        except AdapterError as cause:
            raise ProviderSystemDown(f"the record cannot be read: {cause.code}") from None
        return octets

    async def close(self) -> None:
        """Stop the threads that are idle; one that runs ends with its page."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _told(self, subject: SubjectId, question: UsageQuestion) -> BackendAnswer:
        payload = render_usage(*self._desk.answer(subject, question))
        return BackendAnswer(payload=payload, size=len(etree.tostring(payload)))


def _subject(request: RecordedRequest) -> SubjectId:
    """The signed header's only subject. The Body is not asked: that it names the same was checked before recording."""
    personal_data = request.personal_data
    if personal_data is None or len(personal_data.subjects) != 1:
        raise ProviderSystemFault("the request is not about exactly one person")
    return personal_data.subjects[0]


def _question(payload: etree._Element) -> UsageQuestion:
    """What a valid Body asks for."""
    said: Mapping[str, str] = {etree.QName(one).localname: text_of(one) for one in payload.iterchildren(etree.Element)}
    size = said.get("RecordSize")
    return UsageQuestion(
        since=_instant(said.get("From")),
        until=_instant(said.get("Until")),
        first=int(said.get("Offset", "0")),
        count=int(said.get("Limit", "20")),
        size=None if size is None else int(size),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _fault(refused: AdapterError) -> ProviderSystemFault:
    text = (
        "There is no page of that RecordSize: begin again with the first page."
        if isinstance(refused, CommandRefused)
        else "There is more about this person than is worked through: ask for the agency's own answer."
    )
    problem = Problem(line=0, column=0, element="findUsage", rule="adapter.usage", text=text)
    return ProviderSystemFault(refused.reason, problems=(problem,))

"""A fault of the catalogue as a problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from adapter.dialects.json_text import Json, render_json
from adapter.dialects.model import ClientAnswer
from adapter.envelope.faults import MAX_PROBLEMS, PublicFault
from adapter.envelope.names import FAULT
from adapter.envelope.texts import LANGUAGES
from adapter.errors import Blame, Problem, catalogue

PROBLEM_TYPE: Final = "application/problem+json"
_BY_CODE: Final = {error.code: error for error in catalogue()}
# The catalogue's own status is made for SOAP, which has 500 for every fault.
_STATUS: Final = {
    "LimitExceeded": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "UnknownOperation": HTTPStatus.NOT_FOUND,
    "SchemaInvalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "SubjectMismatch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "InvalidIdentifier": HTTPStatus.UNPROCESSABLE_ENTITY,
    "NoSuchSubject": HTTPStatus.NOT_FOUND,
    "AnswerNotReleasable": HTTPStatus.BAD_GATEWAY,
    "ProviderSystemFault": HTTPStatus.BAD_GATEWAY,
}
_MAX_RANGES: Final = 20


def status_of(code: str, blame: Blame) -> int:
    """The HTTP status of a fault, also of one that only a newer adapter knows."""
    if code in _STATUS:
        return _STATUS[code]
    known = _BY_CODE.get(code)
    if blame is Blame.CLIENT_SYSTEM and (known is None or known.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.BAD_GATEWAY if known is None else known.http_status


def problem_answer(fault: PublicFault, accept_language: str, pointers: Mapping[int, str]) -> ClientAnswer:
    """The whole answer. accept_language: as the client sent it. pointers: line of the XML that was made to its place.

    `title` is in the language that the client prefers; `type` is the code as a URI.
    """
    language = preferred_language(accept_language)
    status = status_of(fault.code, fault.blame)
    document: dict[str, Json] = {
        "type": f"{FAULT}:{fault.code}",
        "title": fault.texts[language],
        "status": int(status),
        "code": fault.code,
        "blame": fault.blame.value,
        "retry": fault.retry.value,
        "incident": fault.incident,
    }
    if fault.retry_after_s is not None:
        document["retry_after"] = fault.retry_after_s
    if fault.problems:
        document["problems"] = list(_problems(fault.problems[:MAX_PROBLEMS], pointers))
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return ClientAnswer(octets=render_json(document), content_type=PROBLEM_TYPE, status=int(status), headers=headers)


def _problems(problems: Iterable[Problem], pointers: Mapping[int, str]) -> Iterable[Json]:
    for problem in problems:
        found: dict[str, Json] = {"detail": problem.text, "rule": problem.rule}
        pointer = problem.pointer or pointers.get(problem.line, "")
        if pointer:
            found["pointer"] = pointer
        elif problem.line and not pointers:
            found["line"], found["column"] = problem.line, problem.column
        if problem.element:
            found["element"] = problem.element
        yield found


def preferred_language(accept_language: str) -> str:
    """The language of ours that a client wants most (RFC 9110, 12.5.4); English when it wants none of them."""
    wanted: list[tuple[float, int, str]] = []
    for at, part in enumerate(accept_language.split(",")[:_MAX_RANGES]):
        tag, _, parameter = part.strip().partition(";")
        wanted.append((-_weight(parameter), at, tag.strip().partition("-")[0].lower()))
    for unwanted, _, language in sorted(wanted):
        if unwanted < 0 and language in LANGUAGES:
            return language
    return "en"


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0

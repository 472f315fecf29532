"""The list of services in JSON: for programs, and the same as a page for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from adapter.dialects.json_text import Json
from adapter.dialects.openapi_page import OPENAPI_NAME, PAGE_STYLE


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedService:
    """A service of the directory. address: of its page; its operations are called below it."""

    name: str
    title: str
    address: str


def services_document(services: Iterable[ListedService]) -> Json:
    """`{"services": [{"service", "title", "page", "openapi"}]}`."""
    listed: list[Json] = [
        {
            "service": one.name,
            "title": one.title,
            "page": one.address,
            "openapi": f"{one.address}/{OPENAPI_NAME}",
        }
        for one in services
    ]
    return {"services": listed}


def services_page(services: Iterable[ListedService]) -> bytes:
    """One page without scripts. Titles are other organisations' texts: all are escaped."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Services in JSON</title>',
        f"<style>{PAGE_STYLE}</style></head><body><h1>Services in JSON</h1><ul>",
        *(
            f'<li><a href="{escape(one.address)}">{escape(one.title or one.name)}</a> <code>{escape(one.name)}</code>, '
            f'<a href="{escape(one.address)}/{OPENAPI_NAME}">{OPENAPI_NAME}</a></li>'
            for one in services
        ),
        "</ul></body></html>",
    ]
    return "\n".join(parts).encode()
